"""Loggers for tasks, and log lines that say which task is speaking.

In a job's life: beside it. ``get_task_logger`` is for modules of tasks; ``LineFormatter`` is what ``cli/`` installs in a
worker. Nothing here installs a handler. Does not know: files, terminals.
"""

from __future__ import annotations

import logging
from typing import Final

from celeriac.app.context import current_context

TASK_LOGGER: Final = "celeriac.task"
_NOBODY: Final = "???"
_COLORS: Final = {
    logging.DEBUG: "\033[34m",
    logging.WARNING: "\033[33m",
    logging.ERROR: "\033[31m",
    logging.CRITICAL: "\033[35m",
}
_RESET: Final = "\033[0m"


def get_task_logger(name: str) -> logging.Logger:
    """Return a logger for a module of tasks; its lines have the format of task lines."""
    logger = logging.getLogger(name)
    if logger.parent is logging.root and name != TASK_LOGGER:
        # Below ours, so that one level and one handler serve all task loggers.
        logger.parent = logging.getLogger(TASK_LOGGER)
    return logger


def add_task(record: logging.LogRecord) -> bool:
    """Put ``task_id`` and ``task_name`` of the task that runs here on the record; return whether one runs."""
    context = current_context()
    running = context is not None and not context.called_directly
    if not hasattr(record, "task_id"):
        record.task_id = context.id if context is not None and running else _NOBODY
    if not hasattr(record, "task_name"):
        record.task_name = context.task if context is not None and running else _NOBODY
    return running


class TaskFormatter(logging.Formatter):
    """A formatter whose format may use ``%(task_id)s`` and ``%(task_name)s``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        add_task(record)
        return super().format(record)


class LineFormatter(logging.Formatter):
    """One format for what tasks say, another for all else, in colours where they are wanted."""

    def __init__(
        self, fmt: str, *, task_format: str, datefmt: str | None = None, task_datefmt: str | None = None, color: bool = False
    ) -> None:
        super().__init__(fmt, datefmt)
        self._task = logging.Formatter(task_format, task_datefmt or datefmt)
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = self._task.format(record) if add_task(record) else super().format(record)
        color = _COLORS.get(record.levelno) if self._color else None
        return f"{color}{line}{_RESET}" if color else line
