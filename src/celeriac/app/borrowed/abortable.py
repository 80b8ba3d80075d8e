"""Tasks that can be asked to stop: whoever holds the result says ``abort()``, the task looks at ``is_aborted()`` and returns.

In a job's life: its middle. Nothing is interrupted: a task that never looks goes on to its end. The wish is a state in the
result backend, so a task with ``ignore_result`` cannot be asked. Source: Celery's page on ``celery.contrib.abortable``. Does not
know: how states are stored.
"""

from __future__ import annotations

from typing import Any, Final, Generic, ParamSpec, TypeVar

from celeriac.app.eager_result import EagerResult
from celeriac.app.result import AsyncResult
from celeriac.app.task import Task
from celeriac.core import states

P = ParamSpec("P")
R = TypeVar("R")

ABORTED: Final = "ABORTED"
"""A state of a task's own: it is to stop."""


class AbortableAsyncResult(AsyncResult[R], Generic[R]):
    """The result of an ``AbortableTask``."""

    def is_aborted(self) -> bool:
        """Say whether the task was asked to stop, and has not ended since."""
        return self.state == ABORTED

    def abort(self) -> None:
        """Ask the task to stop. One that has ended keeps its result."""
        if self.state not in states.READY_STATES:
            self.backend.store_result(self.id, None, ABORTED)


class AbortableTask(Task[P, R], Generic[P, R]):
    """A ``base`` for tasks that look whether they are to stop.

    Example:
        >>> @app.task(bind=True, base=AbortableTask)
        ... def count(self):
        ...     for number in itertools.count():
        ...         if self.is_aborted():
        ...             return number
        >>> result = count.delay()
        >>> result.abort()
    """

    abstract = True

    def AsyncResult(self, task_id: str, **kwargs: Any) -> AbortableAsyncResult[R]:  # noqa: N802 - Celery's name
        """Return the result of a call of this task by its id."""
        return AbortableAsyncResult(task_id, task_name=self.name, app=self.app, **{"backend": self.own_backend, **kwargs})

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Send the task, as every task; the result can be asked to ``abort``."""
        return self._abortable(super().apply_async(*args, **options))

    async def aapply_async(self, *args: Any, **options: Any) -> Any:
        """The twin of ``apply_async`` for event loops."""
        return self._abortable(await super().aapply_async(*args, **options))

    def _abortable(self, result: Any) -> Any:
        # What ran here and now has ended.
        return (
            result
            if isinstance(result, EagerResult)
            else self.AsyncResult(result.id, parent=result.parent, ignored=result.ignored)
        )

    def is_aborted(self, **kwargs: Any) -> bool:
        """Say whether the call that runs here was asked to stop; another one with ``task_id=...``."""
        id = kwargs.get("task_id", self.request.id)
        return id is not None and self.AsyncResult(id).is_aborted()
