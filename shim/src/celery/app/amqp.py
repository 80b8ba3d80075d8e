"""Queues and messages of an app, under Celery's path."""

from celeriac.app.borrowed.amqp import AMQP, Queues
from celeriac.app.borrowed.amqp import TaskMessage as task_message
