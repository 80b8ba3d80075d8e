"""``app.log``: the set-up of the log under the names that Celery gives it, for programs that are no worker.

In a program's life: tests and management commands want a worker's log without a worker; tools want a handler like a worker's.
The set-up itself is ``log_setup``. Does not know: formats. Source: Celery's reference of ``celery.app.log``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import IO, Any

from msgspec.structs import replace

from celeriac.app.logs import TASK_LOGGER


class Logging:
    """The log of an app."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.already_setup = False
        """``setup`` was called."""
        self.loglevel: int | str = "WARNING"
        """Level where none is given."""

    def setup(
        self,
        loglevel: int | str | None = None,
        logfile: str | None = None,
        redirect_stdouts: bool = False,
        redirect_level: str = "WARNING",
        colorize: bool | None = None,
        hostname: str | None = None,
    ) -> bool:
        """Send log records where a worker with these options would; once. Return whether the program did so itself.

        Args:
            loglevel: Name or number; ``None``: WARNING.
            logfile: File, with a worker's signs for its name. ``None``: standard error.
            redirect_stdouts: Send what is printed to the log, too, from now on; not where the program sets its log up itself.
            redirect_level: At this level.
            colorize: ``False``: in no case.
            hostname: Name of the node, for the file's name.

        Raises:
            ImproperlyConfigured: the file cannot be opened.
        """
        told = self.setup_logging_subsystem(loglevel, logfile, colorize=colorize, hostname=hostname)
        if redirect_stdouts and not told:
            self.redirect_stdouts(redirect_level)
        return told

    def setup_logging_subsystem(
        self,
        loglevel: int | str | None = None,
        logfile: str | None = None,
        format: str | None = None,
        colorize: bool | None = None,
        hostname: str | None = None,
        datefmt: str | None = None,
    ) -> bool:
        """The same, with formats of lines and of their time instead of those of the settings."""
        if self.already_setup:
            return False
        self.already_setup = True
        from celeriac.app import log_setup  # late: most programs set no log up, and it loads what writes to files

        return log_setup.install_logging(self._plan(loglevel, logfile, format, colorize, hostname, datefmt))

    def setup_handlers(
        self,
        logger: logging.Logger,
        logfile: str | None,
        format: str,
        colorize: bool | None,
        formatter: Callable[..., logging.Formatter] | None = None,
        datefmt: str | None = None,
    ) -> logging.Logger:
        """Give a logger that has none a handler like a worker's; return it.

        Args:
            logger: What gets it.
            logfile: Its file; ``None``: standard error.
            format: Of its lines.
            colorize: ``False``: in no case.
            formatter: Makes its formatter of ``format``, ``datefmt=`` and ``use_color=``, as ``TaskFormatter`` does.
            datefmt: Of the time in its lines.
        """
        from celeriac.app import log_setup  # late: the same

        if not logger.handlers:
            plan = self._plan(None, logfile, format, colorize, None, datefmt)
            handler = log_setup.handler_for(plan, logfile)
            if formatter is not None:
                handler.setFormatter(formatter(format, datefmt=datefmt, use_color=log_setup.wants_color(plan)))
            logger.addHandler(handler)
        return logger

    def supports_color(self, colorize: bool | None = None, logfile: str | None = None) -> bool:
        """Say whether lines there are coloured."""
        from celeriac.app import log_setup  # late: the same

        return log_setup.wants_color(self._plan(None, logfile, None, colorize, None))

    def _plan(
        self,
        loglevel: int | str | None,
        logfile: str | None,
        format: str | None,
        colorize: bool | None,
        hostname: str | None,
        datefmt: str | None = None,
    ) -> Any:
        from celeriac.app import log_setup  # late: the same

        settings = self.app.settings.worker
        if format is not None:
            settings = replace(settings, log_format=format, task_log_format=format)
        if datefmt is not None:
            settings = replace(settings, log_datefmt=datefmt, task_log_datefmt=datefmt)
        level = log_setup.level_number(self.loglevel if loglevel is None else loglevel)
        return log_setup.LogPlan(
            settings=settings, node=hostname or "", level=level, file=logfile, color=colorize is not False, json=settings.log_json
        )

    def redirect_stdouts(self, loglevel: int | str | None = None, name: str = "celeriac.redirected") -> None:
        """Send what is printed to the logger of this name, from now on."""
        self.redirect_stdouts_to_logger(logging.getLogger(name), loglevel)

    def redirect_stdouts_to_logger(
        self, logger: logging.Logger, loglevel: int | str | None = None, stdout: bool = True, stderr: bool = True
    ) -> IO[str]:
        """Send what is printed to a logger, from now on; return what stands for stdout.

        Args:
            logger: Where it goes.
            loglevel: At this level; ``None``: ERROR.
            stdout: Take stdout over.
            stderr: Take stderr over.
        """
        from celeriac.app import log_setup, log_streams  # late: the same

        level = None if loglevel is None else log_setup.level_number(loglevel)
        stream: Any = log_streams.LoggedStream(logger, level)
        if stdout:
            sys.stdout = stream
        if stderr:
            sys.stderr = stream
        told: IO[str] = stream
        return told

    def setup_task_loggers(
        self,
        loglevel: int | str | None = None,
        logfile: str | None = None,
        format: str | None = None,
        colorize: bool | None = None,
        propagate: bool = False,
        datefmt: str | None = None,
    ) -> logging.Logger:
        """Set up the logger above those of ``get_task_logger``; return it. ``propagate``: the root logger has its lines, too."""
        from celeriac.app import log_setup  # late: the same

        plan = self._plan(loglevel, logfile, format, colorize, None, datefmt)
        logger = logging.getLogger(TASK_LOGGER)
        self.setup_handlers(logger, logfile, format or self.task_format, colorize, datefmt=datefmt or self.task_datefmt)
        logger.setLevel(plan.level)
        logger.propagate = propagate
        log_setup.announce_task_logger(plan, logfile, logger)
        return logger

    @property
    def format(self) -> str:
        """Format of lines outside of tasks."""
        return str(self.app.conf.worker_log_format)

    @property
    def datefmt(self) -> str | None:
        """Format of their time."""
        told: str | None = self.app.conf.worker_log_datefmt
        return told

    @property
    def task_format(self) -> str:
        """Format of lines of tasks."""
        return str(self.app.conf.worker_task_log_format)

    @property
    def task_datefmt(self) -> str | None:
        """Format of their time."""
        told: str | None = self.app.conf.worker_task_log_datefmt
        return told

    @property
    def colorize(self) -> bool | None:
        """Whether lines are coloured; ``None``: on a terminal."""
        told: bool | None = self.app.conf.worker_log_color
        return told

    def get_default_logger(self, name: str = "celery") -> logging.Logger:
        """Return the logger of this name."""
        return logging.getLogger(name)
