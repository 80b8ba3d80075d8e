"""The command ``shell``, under Celery's path."""

from celeriac.cli.shell import command as shell
