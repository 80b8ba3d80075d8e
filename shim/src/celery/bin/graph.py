"""The command ``graph``, under Celery's path."""

from celeriac.cli.graph import bootsteps, workers
from celeriac.cli.graph import command as graph
