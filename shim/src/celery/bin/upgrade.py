"""The command ``upgrade``, under Celery's path."""

from celeriac.cli.upgrade import command as upgrade
from celeriac.cli.upgrade import settings
