"""AsyncResult: what a caller holds of a task that was sent.

In a job's life: the end of it. Nothing is asked of the store until something is asked of the result; a final state is asked
for once. Names and meanings: Celery's reference of ``AsyncResult``. Does not know: how the waiting is done (``results.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from celeriac.app.context import current_context
from celeriac.app.current import current_app, joins_allowed
from celeriac.app.home import Home
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Message
from celeriac.core.states import FAILURE, PROPAGATE_STATES, READY_STATES, SUCCESS
from celeriac.core.taskmeta import TaskMeta

R = TypeVar("R")
Seconds = float | timedelta | None


class AsyncResult(Generic[R]):
    """The result of one task, by its id; it may be made for any id at any time.

    Example:
        >>> result = add.delay(2, 2)
        >>> result.get(timeout=1)
        4
    """

    def __init__(
        self,
        id: str,
        *,
        task_name: str | None = None,
        app: Home | None = None,
        parent: AsyncResult[Any] | None = None,
        ignored: bool = False,
    ) -> None:
        """Hold the result of task ``id``; without ``app``, of the current one."""
        if not id:
            raise ValueError(f"AsyncResult needs the id of a task, not {id!r}")
        self.id = id
        self.app = app if app is not None else current_app()
        self.parent = parent
        """Result of the task before it in a chain."""
        self.ignored = ignored
        """The call said that its result is not stored: ``get`` returns ``None`` at once."""
        self._name = task_name
        self._final: TaskMeta | None = None

    @property
    def task_id(self) -> str:
        """The id again."""
        return self.id

    def get(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        interval: float | None = None,  # noqa: ARG002 - nobody polls here
        on_message: Callable[[dict[str, Any]], object] | None = None,
        callback: Callable[[str, R], object] | None = None,
        disable_sync_subtasks: bool = True,
    ) -> R:
        """Wait until the task has ended, and return what it returned. Twin: ``aget``.

        Args:
            timeout: Give up after this long; a bare number is seconds. ``None``: wait for ever.
            propagate: Raise the task's own exception here; otherwise return it.
            interval: Accepted for Celery's sake: waiting is by announcement, there is no interval.
            on_message: Called with each state that is seen, as Celery's mapping with ``status`` and ``result``.
            callback: Called with id and value at the end.
            disable_sync_subtasks: Inside a task, refuse: it could wait for a task that waits for its slot.

        Raises:
            TimeoutError: nothing arrived in time. The task goes on.
            TaskRevokedError: the task was revoked before it could run.
            RuntimeError: called inside a task, see above.
            ImproperlyConfigured: the app has no result backend.

        Source: Celery's reference of ``AsyncResult.get``.
        """
        if self.ignored:
            return None  # type: ignore[return-value]
        if disable_sync_subtasks:
            refuse_inside_a_task()
        if self._final is None or on_message is not None:
            for _, meta in self.app.results.wait([self.id], timeout=seconds_of(timeout)):
                self._seen(meta, on_message)
        return self._end(propagate, callback)

    wait = get

    async def aget(
        self,
        timeout: Seconds = None,  # noqa: ASYNC109 - Celery's argument
        propagate: bool = True,
        on_message: Callable[[dict[str, Any]], object] | None = None,
        callback: Callable[[str, R], object] | None = None,
    ) -> R:
        """The twin of ``get`` for event loops. Inside an ``async def`` task, too: it blocks no slot of others."""
        if self.ignored:
            return None  # type: ignore[return-value]
        if self._final is None or on_message is not None:
            async with aclosing(self.app.results.await_([self.id], timeout=seconds_of(timeout))) as states:
                async for _, meta in states:
                    self._seen(meta, on_message)
        return self._end(propagate, callback)

    def __await__(self) -> Generator[Any, None, R]:
        return self.aget().__await__()

    def _seen(self, meta: TaskMeta, on_message: Callable[[dict[str, Any]], object] | None) -> None:
        if meta.status in READY_STATES:
            self._final = meta
        if on_message is not None:
            on_message(as_mapping(meta))

    def _end(self, propagate: bool, callback: Callable[[str, R], object] | None) -> R:
        meta = self._final
        assert meta is not None  # the wait has returned
        if propagate and meta.status in PROPAGATE_STATES:
            raise exception_of(meta)
        if callback is not None:
            callback(self.id, meta.result)
        value: R = meta.result
        return value

    def then(
        self, callback: Callable[[AsyncResult[R]], object], on_error: Callable[[Any], object] | None = None
    ) -> AsyncResult[R]:
        """Wait, then call ``callback`` with this result if the task succeeded, or ``on_error`` if it did not."""
        self.get(propagate=False)
        if self.successful():
            callback(self)
        elif on_error is not None:
            on_error(self)
        return self

    def meta(self) -> TaskMeta:
        """Return what is stored about the task now; a final state is not asked for again."""
        if self._final is not None:
            return self._final
        [meta] = self.app.results.metas([self.id])
        if meta.status in READY_STATES:
            self._final = meta
        return meta

    def accept(self, meta: TaskMeta) -> None:
        """Remember a final state that somebody else has read."""
        self._final = meta

    @property
    def finished(self) -> bool:
        """It is known here that the task has ended; the store is not asked."""
        return self._final is not None

    def ready(self) -> bool:
        """Say whether the task has ended."""
        return self.meta().status in READY_STATES

    def successful(self) -> bool:
        """Say whether it has ended well."""
        return self.meta().status == SUCCESS

    def failed(self) -> bool:
        """Say whether it has failed."""
        return self.meta().status == FAILURE

    @property
    def state(self) -> str:
        """PENDING (also of an id that nobody knows), STARTED, RETRY, SUCCESS, FAILURE, REVOKED, or one of the task's own."""
        return self.meta().status

    @property
    def status(self) -> str:
        """The state again."""
        return self.state

    @property
    def result(self) -> Any:
        """What it returned, the exception that it raised, or what ``update_state`` was given."""
        return self.meta().result

    @property
    def info(self) -> Any:
        """The result again."""
        return self.result

    @property
    def traceback(self) -> str | None:
        """The traceback of a task that failed, as text."""
        return self.meta().traceback

    @property
    def date_done(self) -> datetime | None:
        """When it ended, with time zone."""
        return self.meta().date_done

    @property
    def name(self) -> str | None:
        """Name of the task; of one that somebody else sent, only with ``result_extended``."""
        return self._name or self.meta().name

    @property
    def args(self) -> Any:
        """Its arguments; with ``result_extended``."""
        return self.meta().args

    @property
    def kwargs(self) -> Any:
        """Its keyword arguments; with ``result_extended``."""
        return self.meta().kwargs

    @property
    def worker(self) -> str | None:
        """Name of the node that ran it; with ``result_extended``."""
        return self.meta().worker

    @property
    def retries(self) -> int | None:
        """Its retries; with ``result_extended``."""
        return self.meta().retries

    @property
    def queue(self) -> str | None:
        """The queue that it came from; with ``result_extended``."""
        return self.meta().queue

    @property
    def children(self) -> list[AsyncResult[Any]]:
        """Results of the tasks that it sent; of a group, those of its members."""
        return [result for child in self.meta().children for result in results_from_stored(child, self.app)]

    def maybe_throw(self, propagate: bool = True, callback: Callable[[str, R], object] | None = None) -> Any:
        """Raise the exception of a task that failed; return the value of one that did not, whether it has ended or not."""
        meta = self.meta()
        if propagate and meta.status in PROPAGATE_STATES:
            raise exception_of(meta)
        if callback is not None:
            callback(self.id, meta.result)
        return meta.result

    def forget(self) -> None:
        """Delete what is stored, of this task and of those before it in its chain."""
        self._final = None
        if self.parent is not None:
            self.parent.forget()
        self.app.results.forget([self.id])

    def revoke(self, terminate: bool = False, signal: str | None = None) -> None:
        """See to it that the task does not start. One that runs already goes on.

        Args:
            terminate: Also end it when it runs: not in this version.
            signal: With ``terminate``.

        Raises:
            ImproperlyConfigured: ``terminate`` was asked for.
        """
        if terminate or signal is not None:
            raise ImproperlyConfigured("revoke(terminate=True) needs remote control, which this version does not have yet")
        self.app.results.revoke([self.id])

    def as_tuple(self) -> tuple[Any, None]:
        """Return the stored form: ``((id, parent), None)``."""
        return (self.id, self.parent and self.parent.as_tuple()), None

    def as_list(self) -> list[str]:
        """Return the ids of this task and of those before it in its chain."""
        return [self.id, *(self.parent.as_list() if self.parent is not None else ())]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AsyncResult):
            return self.id == other.id
        return self.id == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"<AsyncResult: {self.id}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.id, self._name, self.parent)


def _restore(id: str, task_name: str | None, parent: AsyncResult[Any] | None) -> AsyncResult[Any]:
    return AsyncResult(id, task_name=task_name, parent=parent)


def sent(app: Home, message: Message, *, remember: bool = True) -> AsyncResult[Any]:
    """Return the result of a message that was sent; inside a task, remember it among the task's children."""
    result: AsyncResult[Any] = AsyncResult(message.id, task_name=message.task, app=app, ignored=bool(message.ignore_result))
    context = current_context() if remember else None
    if context is not None and not context.called_directly:
        context.add_child(result)
    return result


def results_from_stored(stored: Any, app: Home) -> list[AsyncResult[Any]]:
    """Return the results that an element of a stored ``children`` describes: one, or the members of a group."""
    head, members = stored
    if members is not None:
        return [result for member in members for result in results_from_stored(member, app)]
    id, parent = head if isinstance(head, list | tuple) else (head, None)
    before = results_from_stored(parent, app) if parent else [None]
    return [AsyncResult(id, app=app, parent=before[0])]


def refuse_inside_a_task() -> None:
    """Raise if a task runs here: waiting for another one can block the worker for ever."""
    context = current_context()
    if context is None or context.called_directly or joins_allowed():
        return
    raise RuntimeError(
        "never wait for a result inside a task: the worker may have no slot left for the other one. "
        "Link the tasks instead, or use allow_join_result() if you know better"
    )


def exception_of(meta: TaskMeta) -> BaseException:
    """Return the exception that a failed or revoked task ended with."""
    if isinstance(meta.result, BaseException):
        return meta.result
    return RuntimeError(f"task {meta.task_id} ended as {meta.status}: {meta.result!r}")


def as_mapping(meta: TaskMeta) -> dict[str, Any]:
    """Return the mapping that Celery hands to ``on_message``."""
    return {
        "status": meta.status,
        "result": meta.result,
        "traceback": meta.traceback,
        "children": list(meta.children),
        "date_done": meta.date_done,
        "task_id": meta.task_id,
    }


def seconds_of(timeout: Seconds) -> float | None:
    """Return a timeout in seconds."""
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
