"""Formats of log lines and ``app.log``, under Celery's path."""

from celeriac.app.borrowed.log_view import Logging
from celeriac.app.logs import TaskFormatter
