"""Name -> task, under Celery's path."""

from celeriac.app.registry import TaskRegistry
from celeriac.core.errors import NotRegistered
