"""The command ``events``, under Celery's path."""

from celeriac.cli.events import command as events
