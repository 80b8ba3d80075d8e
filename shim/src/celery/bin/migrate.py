"""The command ``migrate``, under Celery's path."""

from celeriac.cli.migrate import command as migrate
