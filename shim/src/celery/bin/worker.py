"""The command ``worker``, under Celery's path."""

from celeriac.cli.worker import command as worker
