"""Loggers for tasks, and log lines that say which task is speaking.

In a job's life: beside it. ``get_task_logger`` is for modules of tasks; the formatters are what ``log_setup`` installs;
``name_tasks`` has every handler of the process know the task, whoever made it. Which task runs is a context variable: it follows
a task into its coroutines, and not into threads that the task starts, unless they are started with
``contextvars.copy_context().run``. Nothing here installs a handler. Does not know: files, terminals.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from celeriac.app.context import current_context
from celeriac.core.representation import safe_repr

TASK_LOGGER: Final = "celeriac.task"
_NOBODY: Final = "???"
_LONGEST_EXTRA: Final = 1000
_COLORS: Final = {
    logging.DEBUG: "\033[34m",
    logging.WARNING: "\033[33m",
    logging.ERROR: "\033[31m",
    logging.CRITICAL: "\033[35m",
}
_RESET: Final = "\033[0m"
_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "task_id", "task_name", "event"}
"""Attributes of every record; any other was given by whoever logged it."""


def get_task_logger(name: str) -> logging.Logger:
    """Return a logger for a module of tasks; its lines have the format of task lines.

    It hangs below ours, so that ``after_setup_task_logger`` sets up all of them; unless the program gave handlers to a logger
    above it, which stay in charge.

    Raises:
        RuntimeError: the name is that of a logger of ours.
    """
    if name in {"celeriac", TASK_LOGGER, "celery", "celery.task"}:
        raise RuntimeError(
            f"a task logger cannot be called {name!r}: that is a logger of celeriac's own; __name__ is a good name"
        )
    logger, ours = logging.getLogger(name), logging.getLogger(TASK_LOGGER)
    above = logger.parent
    while above is not None and above is not logging.root:
        if above is ours or above.handlers or not above.propagate:
            return logger
        above = above.parent
    logger.parent = ours
    return logger


def add_task(record: logging.LogRecord) -> bool:
    """Put ``task_id`` and ``task_name`` of the task that runs here on the record; return whether one runs."""
    context = current_context()
    running = None if context is None else context.of_worker
    if not hasattr(record, "task_id"):
        record.task_id = _NOBODY if running is None else running.id
    if not hasattr(record, "task_name"):
        record.task_name = _NOBODY if running is None else running.task
    return running is not None


class TaskFilter(logging.Filter):
    """Lets everything pass, and puts ``task_id`` and ``task_name`` on it: for handlers of any kind, with any formatter.

    A filter and no record factory: what the factory sets, nobody may give as ``extra`` any more.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return ``True``."""
        add_task(record)
        return True


def name_tasks() -> None:
    """Have every handler that there is in this process know which task speaks. May be called again when there are more."""
    for handler in _handlers():
        if not any(isinstance(known, TaskFilter) for known in handler.filters):
            handler.addFilter(TaskFilter())


def _handlers() -> Iterator[logging.Handler]:
    for logger in (logging.root, *logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):  # names that only others have below them are no loggers
            yield from logger.handlers


class ColorFormatter(logging.Formatter):
    """A formatter that colours lines by their level."""

    def __init__(self, fmt: str | None = None, use_color: bool = True, datefmt: str | None = None) -> None:
        """``use_color``: ``False`` for files; a worker decides that for itself."""
        super().__init__(fmt, datefmt)
        self.use_color = use_color

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = super().format(record)
        return painted(line, record.levelno) if self.use_color else line


class TaskFormatter(ColorFormatter):
    """One whose format may use ``%(task_id)s`` and ``%(task_name)s``."""

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
        return painted(line, record.levelno) if self._color else line


def painted(line: str, level: int) -> str:
    """Return the line in the colour of its level."""
    color = _COLORS.get(level)
    return f"{color}{line}{_RESET}" if color else line


class JsonFormatter(logging.Formatter):
    """Each record as one JSON object on one line.

    Always there: ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, ``process`` (its id), ``process_name``. Where they
    apply: ``task_id``, ``task_name``, ``event`` (what happened to a job), ``exception`` and ``stack`` as text, and whatever was
    given as ``extra``; an extra with one of these names is called ``extra_...``. What JSON has no form for is shown as its repr.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        add_task(record)
        fields = self._fields(record)
        try:
            return msgspec.json.encode(fields, enc_hook=_shown).decode()
        except Exception:  # keys that are no names, values that contain themselves, halves of characters
            return msgspec.json.encode({str(name): _plain(value) for name, value in fields.items()}).decode()

    def _fields(self, record: logging.LogRecord) -> Mapping[str, Any]:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "process_name": record.processName,
        }
        for name in ("task_id", "task_name", "event"):
            if (value := getattr(record, name, None)) not in (None, _NOBODY):
                fields[name] = value
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            fields["exception"] = record.exc_text
        if record.stack_info:
            fields["stack"] = record.stack_info
        for name, value in vars(record).items():
            if name not in _USUAL:
                fields[f"extra_{name}" if name in fields else name] = value
        return fields


def _shown(value: object) -> str:
    return safe_repr(value, _LONGEST_EXTRA)


def _plain(value: object) -> str | int | float | None:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else _shown(value)
    return text.encode("utf-8", "replace").decode()
