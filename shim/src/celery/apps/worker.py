"""Workers that a program starts by itself, under Celery's path."""

from celeriac.cli.programs import Worker
