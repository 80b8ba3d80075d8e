"""The command ``call``, under Celery's path."""

from celeriac.cli.call import command as call
