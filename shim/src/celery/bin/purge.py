"""The command ``purge``, under Celery's path."""

from celeriac.cli.purge import command as purge
