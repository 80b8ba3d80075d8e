"""A call inside of a worker, under Celery's path."""

from celeriac.worker.request import Request
