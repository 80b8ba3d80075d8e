"""Tasks that every app has: the loops of ``map``, ``starmap`` and ``chunks``, and what this house sends to itself.

In a job's life: when the app is finalised. A worker runs them as any other task; they are routed by the task that they are about.
A task of the user's own with one of these names stays. Names and arguments: Celery's reference of built-in tasks. Does not know:
workers, stores.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from celeriac.app import errbacks, workflow_tasks
from celeriac.app.flows.stored import ABANDON, KEPT
from celeriac.app.maps import chunks
from celeriac.core import exceptions

NAMES: Final = (
    "celery.map", "celery.starmap", "celery.chunks", "celery.accumulate", "celery.backend_cleanup", errbacks.CALL,
    KEPT, ABANDON,
)  # fmt: skip


def is_builtin(name: str) -> bool:
    """Say whether the task of this name is one of ours, and no news to the user."""
    return name in NAMES or name in workflow_tasks.NAMES


def register(app: Any, names: Iterable[str]) -> None:
    """Let ``app`` have these tasks. ``names``: the tasks that it has."""
    for name, function in _tasks_of(app).items():
        if name not in names:
            app.task(name=name, shared=False, **_options_of(name))(function)
    for name, (function, options) in workflow_tasks.functions_of(app).items():
        if name not in names:
            app.task(name=name, shared=False, **options)(function)


def _options_of(name: str) -> dict[str, Any]:
    if not name.startswith("celeriac."):
        return {}
    ours: dict[str, Any] = {"ignore_result": True, "throws": (Exception,)}
    if name == errbacks.CALL:
        return ours  # it calls code of the user's, which may not run twice
    # Whatever the settings say of tasks: these have no effects of their own, so who loses one with its process runs it again, and
    # the tasks that wait for it end with their own error and not with that of a dead process.
    again = dict.fromkeys(("acks_late", "reject_on_worker_lost", "acks_on_failure_or_timeout", "acks_on_failure"), True)
    return {**ours, **again}


def _tasks_of(app: Any) -> dict[str, Callable[..., Any]]:
    def xmap(task: Mapping[str, Any], it: Iterable[Any]) -> Any:
        """Call ``task`` for each item."""
        return _called(app, task, [(item,) for item in it])

    def xstarmap(task: Mapping[str, Any], it: Iterable[Sequence[Any]]) -> Any:
        """Call ``task`` for each item, spread out."""
        return _called(app, task, it)

    def in_chunks(task: Mapping[str, Any], it: Iterable[Any], n: int) -> Any:
        """Send the chunks."""
        return chunks.apply_chunks(task, it, n, app)

    def accumulate(*args: Any, index: int | None = None) -> Any:
        """Return the arguments, or one of them."""
        return args if index is None else args[index]

    def backend_cleanup() -> None:
        """Let the result backend drop what has expired."""
        app.backend.cleanup()

    def call_errback(errback: Mapping[str, Any], request: Mapping[str, Any], error: Any, traceback: str | None) -> Any:
        """Tell ``errback`` of a failure that only a node saw."""
        return errbacks.answer(app, errback, request, error, traceback)

    def kept(value: Any, **_: Any) -> Any:
        """Hand the value on: the worker has put what is kept behind this call (``worker/rests.py``)."""
        return value

    def abandon(error: Mapping[str, Any]) -> None:
        """Fail as what came before has: so that what follows ends as well."""
        raise exceptions.rebuild(error)

    ours = (xmap, xstarmap, in_chunks, accumulate, backend_cleanup, call_errback, kept, abandon)
    return dict(zip(NAMES, ours, strict=True))


def _called(app: Any, stored: Mapping[str, Any], calls: Iterable[Sequence[Any]]) -> Any:
    task = app.tasks[stored["task"]]
    if inspect.iscoroutinefunction(task.run):
        return _acalled(task, calls)
    return [task(*args) for args in calls]


async def _acalled(task: Any, calls: Iterable[Sequence[Any]]) -> list[Any]:
    return [await task(*args) for args in calls]
