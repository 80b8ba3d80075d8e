"""The command ``list``, under Celery's path."""

from celeriac.cli.list import bindings
from celeriac.cli.list import command as list_
