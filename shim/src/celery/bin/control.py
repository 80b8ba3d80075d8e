"""The commands ``control``, ``inspect`` and ``status``, under Celery's path."""

from celeriac.cli.control import command as control
from celeriac.cli.inspect import command as inspect
from celeriac.cli.status import command as status
