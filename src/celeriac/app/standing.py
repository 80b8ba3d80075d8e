"""``current_app`` and ``current_task``: objects that stand for the current app, and for the task that runs here.

In a program's life: imported before there is an app, used when there is one. Source: Celery's guide, "Application" and its
reference of ``celery.current_app`` and ``celery.current_task``. Does not know: how the current app is found (``current.py``).
"""

from __future__ import annotations

from typing import Any, Final, cast

from celeriac.app.app import Celery
from celeriac.app.context import Context, current_context
from celeriac.app.current import StandIn, get_current_app
from celeriac.app.running import RequestStack
from celeriac.app.task import Task


def get_current_task() -> Task[..., Any] | None:
    """Return the task that runs in this thread or coroutine, or was called here as a function; ``None`` outside of tasks."""
    context = current_context()
    return None if context is None else _task_of(context)


def get_current_worker_task() -> Task[..., Any] | None:
    """Return the task that a worker runs here; ``None`` outside of workers. One that it calls as a function is another one."""
    context = current_context()
    running = None if context is None else context.of_worker
    return None if running is None else _task_of(running)


class TaskStack:
    """The tasks that run here, one called inside the other: for extensions that run tasks themselves."""

    def __init__(self) -> None:
        self._calls = RequestStack()

    @property
    def top(self) -> Task[..., Any] | None:
        """The innermost one; ``None`` outside of tasks."""
        return get_current_task()

    def push(self, obj: Task[..., Any]) -> None:
        """Make the task ``obj`` the current one, until ``pop``."""
        called = Context()
        called.within, called.called = current_context(), obj
        self._calls.push(called)

    def pop(self) -> Task[..., Any] | None:
        """Undo the last ``push`` and return the task; ``None`` if there was none."""
        last = self._calls.pop()
        return None if last is None else _task_of(last)


def _task_of(context: Context) -> Task[..., Any] | None:
    if context.called is not None:
        called: Task[..., Any] = context.called
        return called
    return cast("Celery", get_current_app()).tasks.get(context.task) if context.task else None


task_stack: Final = TaskStack()
current_app: Final = cast("Celery", StandIn(get_current_app))
current_task: Final = cast("Task[..., Any]", StandIn(get_current_task))


def bugreport(app: Celery | None = None) -> str:
    """Return versions, platform and settings of an app as text, without secrets; of ``None`` those of the current app."""
    return (app or current_app).bugreport()
