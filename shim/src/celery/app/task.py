"""The task and its request, under Celery's path."""

from celeriac.app.attributes import CALL_OPTIONS
from celeriac.app.context import Context
from celeriac.app.task import Task
from celery.utils.functional import mattrgetter

BaseTask = Task
TaskType = type
extract_exec_options = mattrgetter(*CALL_OPTIONS)
"""Returns what a task says of each of its calls."""
