"""The worker, under Celery's path."""

from celeriac.cli.programs import Worker as WorkController
