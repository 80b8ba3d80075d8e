"""The command ``result``, under Celery's path."""

from celeriac.cli.result import command as result
