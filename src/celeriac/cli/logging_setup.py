"""Where the worker's log lines go: the only place that installs handlers.

In a job's life: beside it. Celery's habits, as settings: ``worker_hijack_root_logger`` takes the root logger over,
``worker_redirect_stdouts`` sends what tasks print to the log. A program that connects to the signal ``setup_logging`` does all of
it itself. Does not know: what is logged.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import WatchedFileHandler
from typing import Final, TextIO

from celeriac.app import signals
from celeriac.app.logs import TASK_LOGGER, LineFormatter
from celeriac.config.sections import WorkerSettings

OURS: Final = "celeriac"
PRINTED: Final = "celeriac.redirected"


def install_logging(settings: WorkerSettings, *, level: int, logfile: str | None, color: bool) -> None:
    """Send log records of ``level`` and above to ``logfile``, or to stderr."""
    told = {"loglevel": level, "logfile": logfile, "format": settings.log_format, "colorize": color}
    if signals.setup_logging.receivers:
        signals.setup_logging.send(None, **told)
        return
    logger = logging.getLogger() if settings.hijack_root_logger else logging.getLogger(OURS)
    if settings.hijack_root_logger or not logger.hasHandlers():
        logger.handlers[:] = [handler_for(settings, logfile, color=color)]
    logger.setLevel(level)
    signals.after_setup_logger.send(None, logger=logger, **told)
    signals.after_setup_task_logger.send(None, logger=logging.getLogger(TASK_LOGGER), **told)


def handler_for(settings: WorkerSettings, logfile: str | None, *, color: bool) -> logging.Handler:
    """Return what writes to the file, or to stderr, in the formats of the settings."""
    stream = sys.__stderr__ or sys.stderr
    # Reopens the file when a log rotator has moved it away.
    handler: logging.Handler = WatchedFileHandler(logfile, encoding="utf-8") if logfile else logging.StreamHandler(stream)
    handler.setFormatter(
        LineFormatter(
            settings.log_format,
            task_format=settings.task_log_format,
            datefmt=settings.log_datefmt,
            task_datefmt=settings.task_log_datefmt,
            color=wants_color(settings, stream, allowed=color and not logfile),
        )
    )
    return handler


def wants_color(settings: WorkerSettings, stream: TextIO, *, allowed: bool) -> bool:
    """Say whether lines are coloured: as the setting says, otherwise on a terminal."""
    return allowed and (stream.isatty() if settings.log_color is None else settings.log_color)


def level_number(name: str) -> int:
    """Return the number of a level; its name in any case, or ``FATAL``."""
    return logging.getLevelNamesMapping()[name.upper()]


@contextmanager
def redirected_stdouts(settings: WorkerSettings) -> Iterator[None]:
    """Log what is printed meanwhile, unless the settings say otherwise. The sentence of an error comes after, on stderr."""
    if not settings.redirect_stdouts:
        yield
        return
    logger, level = logging.getLogger(PRINTED), level_number(settings.redirect_stdouts_level)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = LoggedStream(logger, level), LoggedStream(logger, level)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class LoggedStream(io.TextIOBase):
    """Looks like stdout, and logs each line that is written."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        super().__init__()
        self._logger, self._level = logger, level
        self._begun = ""
        self._logging = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Text of any kind may be written."""
        return "utf-8"

    def writable(self) -> bool:
        """Say that one may write."""
        return True

    def isatty(self) -> bool:
        """Say that it is no terminal."""
        return False

    def write(self, text: str) -> int:
        """Log the lines that are complete, and keep the rest until its end comes."""
        if self._logging:
            # A handler that fails prints its complaint to stderr, which is us: without this it would never end.
            return len(text)
        *lines, self._begun = (self._begun + text).split("\n")
        self._log(lines)
        return len(text)

    def flush(self) -> None:
        """Log a line though its end has not come."""
        begun, self._begun = self._begun, ""
        self._log([begun])

    def _log(self, lines: list[str]) -> None:
        self._logging = True
        try:
            for line in lines:
                if line.strip():
                    self._logger.log(self._level, "%s", line.rstrip())
        finally:
            self._logging = False
