"""The command ``multi``, under Celery's path."""

from celeriac.cli.multi import command as multi
