"""From a decorated function to a task's name and attributes.

In a program's life: while modules are imported. Does not know: apps, registries.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, Final, TypedDict

from celeriac.app.task import Task

log = logging.getLogger("celeriac.app")


class TaskOptions(TypedDict, total=False):
    """Keywords of ``@app.task``. Each is explained at the attribute of ``Task``."""

    name: str
    base: type[Task[..., Any]]
    typing: bool
    max_retries: int | None
    default_retry_delay: float
    autoretry_for: tuple[type[BaseException], ...]
    dont_autoretry_for: tuple[type[BaseException], ...]
    retry_kwargs: Mapping[str, Any]
    retry_backoff: bool | float
    retry_backoff_max: float
    retry_jitter: bool
    throws: tuple[type[BaseException], ...]
    serializer: str
    compression: str
    ignore_result: bool
    store_errors_even_if_ignored: bool
    track_started: bool
    acks_late: bool
    acks_on_failure_or_timeout: bool
    acks_on_failure: bool
    acks_on_timeout: bool
    reject_on_worker_lost: bool
    time_limit: float
    soft_time_limit: float
    priority: int
    delivery_mode: int | str
    expires: Any
    queue: Any
    exchange: Any
    routing_key: str
    rate_limit: str | float
    trail: bool
    send_events: bool
    shared: bool
    lazy: bool


_KNOWN: Final = frozenset(TaskOptions.__annotations__) | {"bind"}
_OURS: Final = frozenset({"name", "base", "bind", "shared", "lazy"})
"""Read by the app, no attributes."""
_LATER: Final = frozenset({
    "rate_limit", "backend", "pydantic", "pydantic_strict", "pydantic_context", "pydantic_dump_kwargs", "resultrepr_maxsize",
    "retry_on_worker_lost", "filter", "store_eager_result", "before_start", "on_success", "on_failure", "on_retry",
    "after_return", "shadow_name", "Strategy", "Request",
})  # fmt: skip
"""Celery's options and handlers that this version knows and does not honour."""
_HANDLERS: Final = ("before_start", "on_success", "on_failure", "on_retry", "after_return")


def apply_options(task: Task[..., Any], options: Mapping[str, Any]) -> None:
    """Set the attributes that ``@app.task(...)`` was given. ``None`` leaves one as the class or the settings have it.

    Raises:
        TypeError: an option that is nearly one of ours; others are attributes of the user's own.
    """
    for name, value in options.items():
        if name in _OURS:
            continue
        if name in _LATER:
            _tell(task.name, name)
        elif name not in _KNOWN and (near := get_close_matches(name, _KNOWN, n=1, cutoff=0.8)):
            raise TypeError(f"task {task.name}: there is no option {name!r}: did you mean {near[0]!r}?")
        if value is not None or name == "max_retries":
            setattr(task, name, value)
    for name in _HANDLERS:
        if hasattr(type(task), name):
            _tell(task.name, name)


def _tell(task: str, option: str) -> None:
    log.warning("task %s: %s is known, and not honoured by this version", task, option)


def warn_of_another(task: Task[..., Any], function: Callable[..., Any]) -> Task[..., Any]:
    """Return ``task``; warn if it has the name of ``function`` and is another one, which so cannot be called."""
    here, there = _source(function), _source(getattr(task, "__wrapped__", None))
    if here != there:
        log.warning("two functions are called %r: %s answers, %s does not; give one a name=", task.name, there, here)
    return task


def _source(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else repr(function)


def task_name(name: str, module: str, main: str | None, program: str | None) -> str:
    """Return the name of a task: module and function.

    Args:
        name: Of the function.
        module: Where it is defined.
        main: The app's name: stands for the module that is run as a program.
        program: File of that module.
    """
    if module == "__main__":
        # A worker imports the same file by its name: both must call the task the same.
        module = main or (PurePath(program).stem if program else module)
    return f"{module}.{name}" if module else name
