"""The command ``beat``, under Celery's path."""

from celeriac.cli.beat import command as beat
