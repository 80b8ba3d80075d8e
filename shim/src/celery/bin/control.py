"""The command ``status``, under Celery's path."""

from celeriac.cli.status import command as status
