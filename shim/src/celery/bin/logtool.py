"""The command ``logtool``, under Celery's path."""

from celeriac.cli.logtool import command as logtool
from celeriac.cli.logtool import debug, errors, incomplete, stats, traces
