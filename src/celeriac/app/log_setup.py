"""Where log lines go: the only place that installs handlers, when the ``worker`` command, or a program, asks for it.

In a job's life: beside it. Celery's habits, as settings: ``worker_hijack_root_logger`` takes the root logger over,
``worker_redirect_stdouts`` sends what tasks print to the log. A program that connects to the signal ``setup_logging`` does all of
it itself. Does not know: what is logged. Sources: Celery's guide "Tasks", logging; its page on signals, logging signals.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

import msgspec

from celeriac.app import signals
from celeriac.app.log_file import is_for_each_process, log_file
from celeriac.app.log_streams import SharedLogFile, redirected, standard_error
from celeriac.app.logs import TASK_LOGGER, JsonFormatter, LineFormatter, name_tasks
from celeriac.config.sections import WorkerSettings
from celeriac.core.errors import ImproperlyConfigured

log = logging.getLogger("celeriac.worker")

OURS: Final = "celeriac"
PRINTED: Final = "celeriac.redirected"


class LogPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log of one node goes, and how it looks."""

    settings: WorkerSettings
    node: str
    """Its name, for the file's."""
    level: int
    file: str | None = None
    """Pattern of its name. ``None``: standard error."""
    color: bool = True
    """``False``: in no case."""
    json: bool = False
    """Objects instead of lines."""

    def path(self, index: int) -> str | None:
        """Return the file of one process: the node is 0, its children count from 1."""
        return log_file(self.file, self.node, index) if self.file else None


def install_logging(plan: LogPlan, index: int = 0) -> bool:
    """Send log records where the plan says, for this process; return whether the program did so itself (``setup_logging``).

    Raises:
        ImproperlyConfigured: the file cannot be opened, or the program's own set-up failed.
    """
    settings, path = plan.settings, plan.path(index)
    told = _facts(plan, path) | {"format": settings.log_format}
    logging.captureWarnings(True)
    if answers := signals.setup_logging.send(None, **told):
        for _, answer in answers:
            if isinstance(answer, Exception):
                # Without a log nobody would ever hear of it.
                raise ImproperlyConfigured(f"a receiver of setup_logging failed: {type(answer).__name__}: {answer}") from answer
        name_tasks()
        return True
    root, tasks = logging.getLogger(), logging.getLogger(TASK_LOGGER)
    if settings.hijack_root_logger or all(isinstance(handler, SharedLogFile) for handler in root.handlers):  # none, or ours
        if settings.hijack_root_logger:
            _clear(logging.getLogger(PRINTED))
        _take_over(root, plan, path)
        _take_over(tasks, plan, path)
        # Lines of task loggers have a handler of their own, which after_setup_task_logger may change.
        tasks.propagate = False
        root.setLevel(plan.level)
        tasks.setLevel(plan.level)
    else:
        # The program's own handlers and levels hold. Ours is the level of our own lines.
        logging.getLogger(OURS).setLevel(plan.level)
    signals.after_setup_logger.send(None, logger=root, **told)
    announce_task_logger(plan, path, tasks)
    name_tasks()
    return False


def announce_task_logger(plan: LogPlan, path: str | None, logger: logging.Logger) -> None:
    """Say that the logger of tasks is set up."""
    signals.after_setup_task_logger.send(None, logger=logger, format=plan.settings.task_log_format, **_facts(plan, path))


def _facts(plan: LogPlan, path: str | None) -> dict[str, Any]:
    return {"loglevel": plan.level, "logfile": path, "colorize": wants_color(plan)}


def enter_child(plan: LogPlan, index: int) -> None:
    """In a child that was forked: go on with its own file where each process has one. It counts from 1."""
    if plan.file and is_for_each_process(plan.file):
        try:
            install_logging(plan, index)
        except ImproperlyConfigured:
            # It runs tasks all the same; its lines go where those of the node go.
            log.exception("child %d has no log file of its own", index)


def _clear(logger: logging.Logger | None) -> None:
    """Take away the handlers of a logger and of those above it, but for the root logger's: each line once."""
    while logger is not None and logger is not logging.root:
        logger.handlers[:] = []
        logger = logger.parent


def _take_over(logger: logging.Logger, plan: LogPlan, path: str | None) -> None:
    handler = handler_for(plan, path)
    for former in logger.handlers:
        if isinstance(former, SharedLogFile):  # of the process that forked us; whoever made the others may still need them
            former.close()
    logger.handlers[:] = [handler]


def handler_for(plan: LogPlan, path: str | None) -> logging.Handler:
    """Return what writes to the file, or to standard error, in the formats of the settings.

    Raises:
        ImproperlyConfigured: the file cannot be opened.
    """
    try:
        handler: logging.Handler = SharedLogFile(path) if path else logging.StreamHandler(standard_error())
    except OSError as error:
        raise ImproperlyConfigured(f"the log file {path} cannot be opened: {error.strerror or error}") from error
    handler.setFormatter(formatter_for(plan))
    return handler


def formatter_for(plan: LogPlan) -> logging.Formatter:
    """Return what makes a line of a record."""
    settings = plan.settings
    if plan.json:
        return JsonFormatter()
    return LineFormatter(
        settings.log_format,
        task_format=settings.task_log_format,
        datefmt=settings.log_datefmt,
        task_datefmt=settings.task_log_datefmt,
        color=wants_color(plan),
    )


def wants_color(plan: LogPlan) -> bool:
    """Say whether lines are coloured: never in a file; otherwise as the setting says, or on a terminal."""
    if not plan.color or plan.file or plan.json:
        return False
    if plan.settings.log_color is not None:
        return plan.settings.log_color
    return _is_terminal(standard_error())


def _is_terminal(stream: TextIO) -> bool:
    return not stream.closed and stream.isatty()


def level_number(name: str | int) -> int:
    """Return the number of a level: its name in any case, one of the program's own, or a number.

    Raises:
        ValueError: there is no such level.
    """
    if isinstance(name, int) or name.strip().isdigit():
        return int(name)
    try:
        return logging.getLevelNamesMapping()[name.strip().upper()]
    except KeyError:
        raise ValueError(f"{name!r} is no log level: DEBUG, INFO, WARNING, ERROR, CRITICAL, FATAL, or a number") from None


@contextmanager
def redirected_stdouts(settings: WorkerSettings, *, handled: bool) -> Iterator[None]:
    """Log what is printed meanwhile, unless the settings or the program (``handled``: its log is its own) say otherwise.

    Raises:
        ImproperlyConfigured: there is no such level.
    """
    if handled or not settings.redirect_stdouts:
        yield
        return
    try:
        level = level_number(settings.redirect_stdouts_level)
    except ValueError as error:
        raise ImproperlyConfigured(f"the setting worker_redirect_stdouts_level is wrong: {error}") from None
    with redirected(logging.getLogger(PRINTED), level):
        yield
