"""EagerResult: the result of a task that was run here and now.

In a job's life: what ``task.apply()`` returns, and ``delay()`` with ``task_always_eager``. It has ended before anybody holds it,
so no store is asked. Names and meanings: Celery's reference of ``EagerResult``. Does not know: how the task was run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar, overload

from celeriac.app.checking.modelling import as_model
from celeriac.app.home import Home
from celeriac.app.joining import assert_will_not_block
from celeriac.app.result import AsyncResult
from celeriac.app.results.arrivals import Seconds
from celeriac.app.results.result_states import exception_of
from celeriac.core.errors import TaskRevokedError
from celeriac.core.states import PROPAGATE_STATES, REVOKED, SUCCESS
from celeriac.core.taskmeta import TaskMeta

R = TypeVar("R")
M = TypeVar("M")
_OF_A_WAIT: Final = frozenset(
    {"interval", "no_ack", "follow_parents", "on_message", "on_interval", "EXCEPTION_STATES", "PROPAGATE_STATES"}
)
"""What ``AsyncResult.get`` takes and nothing here can need: nobody waits."""


class EagerResult(AsyncResult[R]):
    """The result of a task that has run in this thread."""

    def __init__(
        self,
        id: str,
        ret_value: Any,
        state: str,
        traceback: str | None = None,
        name: str | None = None,
        *,
        app: Home | None = None,
        children: Sequence[Any] = (),
    ) -> None:
        """Hold how the run of task ``id`` ended.

        Args:
            id: Of the call.
            ret_value: What it returned, or the exception that it ended with.
            state: How it ended, such as ``"SUCCESS"``.
            traceback: As text.
            name: Of the task.
            app: ``None``: the current one.
            children: Results of the tasks that it sent.
        """
        super().__init__(id, task_name=name, app=app)
        self._result, self._state, self._traceback = ret_value, state, traceback
        self._children = list(children)
        self._frames = ret_value.__traceback__ if isinstance(ret_value, BaseException) else None
        self.on_ready.keep(self)

    def meta(self) -> TaskMeta:
        """Return how the run ended."""
        return TaskMeta(task_id=self.id, status=self._state, result=self._result, traceback=self._traceback, name=self._name)

    @property
    def _cache(self) -> dict[str, Any]:
        return self._get_task_meta()

    @property
    def name(self) -> str | None:
        """Name of the task, if it was told."""
        return self._name

    @property
    def children(self) -> list[Any]:
        """Results of the tasks that it sent."""
        return self._children

    @property
    def supports_native_join(self) -> bool:
        """There is no store that several could be asked of together."""
        return False

    @property
    def finished(self) -> bool:
        """It has ended."""
        return True

    def ready(self) -> bool:
        """It has ended."""
        return True

    def exists(self) -> bool:
        """It is here."""
        return True

    def raise_known_failure(self) -> None:
        """Raise the exception that it failed with, if it did."""
        if self._state in PROPAGATE_STATES:
            raise exception_of(self.meta(), self._frames)

    @overload  # type: ignore[override]  # Celery's arguments
    def get(self, timeout: Seconds = None, *, model: Literal[True], **kwargs: Any) -> R: ...
    @overload
    def get(self, timeout: Seconds = None, *, model: type[M], **kwargs: Any) -> M: ...
    @overload
    def get(self, timeout: Seconds = None, *, model: object, **kwargs: Any) -> Any: ...
    @overload
    def get(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        disable_sync_subtasks: bool = True,
        callback: Callable[[str, R], object] | None = None,
        **kwargs: Any,
    ) -> R: ...

    def get(
        self,
        timeout: Seconds = None,  # noqa: ARG002 - nobody waits
        propagate: bool = True,
        disable_sync_subtasks: bool = True,
        callback: Callable[[str, R], object] | None = None,
        *,
        model: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return what the task returned. ``None`` if it was ignored or rejected.

        Args:
            timeout: Accepted so that a program need not know whether it runs eagerly: nobody waits.
            propagate: Raise the task's own exception here; otherwise return it.
            disable_sync_subtasks: Refuse inside a task, where the result of a task that was sent would be refused, too.
            callback: Called with id and value.
            model: As in ``AsyncResult.get``.
            kwargs: The other arguments of ``AsyncResult.get``; they concern the wait.

        Raises:
            RuntimeError: called inside a task that a worker runs, see above.
            TypeError: an argument that ``AsyncResult.get`` does not have either.
        """
        if unknown := kwargs.keys() - _OF_A_WAIT:
            raise TypeError(f"get() has no argument {', '.join(map(repr, sorted(unknown)))}")
        if disable_sync_subtasks:
            assert_will_not_block()
        value: Any = None
        if self._state in PROPAGATE_STATES:
            if propagate:
                raise exception_of(self.meta(), self._frames)
            value = self._result
        elif self._state == SUCCESS:
            value = self._result
        if callback is not None:
            callback(self.id, value)
        return value if model is None else as_model(self, value, model)

    wait = get  # type: ignore[assignment]

    async def aget(self, timeout: Seconds = None, propagate: bool = True, **kwargs: Any) -> Any:  # type: ignore[override]  # noqa: ASYNC109 - Celery's argument
        """The twin of ``get`` for event loops."""
        return self.get(timeout, propagate, **{**kwargs, "disable_sync_subtasks": False})

    def forget(self) -> None:
        """Nothing is stored: nothing is forgotten."""

    def revoke(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """It has run already. From now on it shows what the result of a revoked task shows, as in Celery."""
        self._state, self._result, self._traceback = REVOKED, TaskRevokedError("revoked"), None

    def __copy__(self) -> EagerResult[R]:
        return EagerResult(self.id, self._result, self._state, self._traceback, self._name, app=self.app, children=self._children)

    def __reduce__(self) -> tuple[Any, ...]:
        return EagerResult, (self.id, self._result, self._state, self._traceback, self._name)
