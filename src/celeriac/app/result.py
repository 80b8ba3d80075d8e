"""AsyncResult: what a caller holds of a task that was sent.

In a job's life: the end of it. Nothing is asked of the store until something is asked of the result; a final state is asked
for once. Names and meanings: Celery's reference of ``AsyncResult``. Does not know: how the waiting is done (``results.py``).
"""

# ruff: noqa: ASYNC109 - timeout is Celery's argument

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from contextlib import aclosing, closing
from functools import partial
from typing import Any, ClassVar, Generic, Literal, NoReturn, TypeVar, Unpack, overload
from uuid import UUID

from celeriac.app.checking.modelling import AwaitKeywords, WaitKeywords, as_model
from celeriac.app.context import current_context
from celeriac.app.current import get_current_app
from celeriac.app.home import Home
from celeriac.app.joining import assert_will_not_block
from celeriac.app.names import checked_id
from celeriac.app.results.arrivals import Patience, Seconds, seconds_of
from celeriac.app.results.backend_view import BackendView
from celeriac.app.results.before import Before
from celeriac.app.results.notebook import TaskShown
from celeriac.app.results.promise import OnError, Promise
from celeriac.app.results.result_graph import ResultGraph
from celeriac.app.results.result_identity import Identity
from celeriac.app.results.result_states import ResultStates, as_mapping, exception_of
from celeriac.app.results.results import Results
from celeriac.app.results.revoking import Revocable
from celeriac.app.twins import in_a_thread
from celeriac.core.errors import TimeoutError  # noqa: A004 - the builtin's subclass
from celeriac.core.message import Message
from celeriac.core.states import EXCEPTION_STATES, PROPAGATE_STATES, READY_STATES
from celeriac.core.taskmeta import TaskMeta

R = TypeVar("R")
M = TypeVar("M")
OnMessage = Callable[[dict[str, Any]], object]


class AsyncResult(Identity, ResultStates, ResultGraph, Revocable, TaskShown, Generic[R]):
    """The result of one task, by its id; it may be made for any id at any time.

    Example:
        >>> result = add.delay(2, 2)
        >>> result.get(timeout=1)
        4
    """

    TimeoutError: ClassVar[type[Exception]] = TimeoutError
    """What ``get`` raises when the result did not come in time."""
    _final: TaskMeta | None = None
    """The task meta of a task that is known to have ended."""
    _promise: Promise | None = None

    def __init__(
        self,
        id: str | UUID,
        backend: Any = None,
        task_name: str | None = None,
        app: Home | None = None,
        parent: Any = None,
        *,
        ignored: bool = False,
    ) -> None:
        """Hold the result of task ``id``.

        Args:
            id: Of the task; text, or a UUID.
            backend: Where its result is: a URL, or what ``app.backend`` or ``task.backend`` gave. ``None``: where the app's are.
            task_name: Name of the task, if it is known.
            app: ``None``: the current one.
            parent: Result of what went before it in a chain.
            ignored: The call said that its result is not stored: ``get`` returns ``None`` at once.
        """
        if not id:
            raise ValueError(f"AsyncResult needs the id of a task, not {id!r}")
        self.id = id if type(id) is str else checked_id(id)
        self.app = app if app is not None else get_current_app()
        self.parent = parent
        """Result of what went before it in a chain."""
        self.ignored = ignored
        """The call said that its result is not stored: ``get`` returns ``None`` at once."""
        self._place = backend
        self._name = task_name

    @property
    def task_id(self) -> str:
        """The id again."""
        return self.id

    @property
    def name(self) -> str | None:
        """Name of the task; of one that somebody else sent, only with ``result_extended``."""
        return self._name or self.meta().name

    @property
    def backend(self) -> BackendView:
        """Where the result is."""
        return self.app.backend_at(self._place)

    @property
    def place(self) -> Results:
        """Where it is, for us."""
        return self.app.results if self._place is None else self.app.results_at(self._place)

    @property
    def supports_native_join(self) -> bool:
        """Several results are waited for together: always so, with any backend."""
        return True

    # ---- waiting -----------------------------------------------------------------------------------------------

    @overload
    def get(self, timeout: Seconds = None, *, model: Literal[True], **options: Unpack[WaitKeywords]) -> R: ...
    @overload
    def get(self, timeout: Seconds = None, *, model: type[M], **options: Unpack[WaitKeywords]) -> M: ...
    @overload
    def get(self, timeout: Seconds = None, *, model: object, **options: Unpack[WaitKeywords]) -> Any: ...
    @overload
    def get(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        interval: float = 0.5,
        no_ack: bool = True,
        follow_parents: bool = True,
        callback: Callable[[str, R], object] | None = None,
        on_message: OnMessage | None = None,
        on_interval: Callable[[], object] | None = None,
        disable_sync_subtasks: bool = True,
        EXCEPTION_STATES: Collection[str] = EXCEPTION_STATES,  # noqa: N803 - Celery's name
        PROPAGATE_STATES: Collection[str] = PROPAGATE_STATES,  # noqa: N803 - Celery's name
    ) -> R: ...

    def get(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        interval: float = 0.5,
        no_ack: bool = True,  # noqa: ARG002 - see below
        follow_parents: bool = True,
        callback: Callable[[str, R], object] | None = None,
        on_message: OnMessage | None = None,
        on_interval: Callable[[], object] | None = None,
        disable_sync_subtasks: bool = True,
        EXCEPTION_STATES: Collection[str] = EXCEPTION_STATES,  # noqa: ARG002, N803 - see below
        PROPAGATE_STATES: Collection[str] = PROPAGATE_STATES,  # noqa: N803 - Celery's name
        *,
        model: Any = None,
    ) -> Any:
        """Wait until the task has ended, and return what it returned. Twin: ``aget``.

        Args:
            timeout: Give up after this long; a bare number is seconds, 0 does not wait. ``None``: wait for ever.
            propagate: Raise the task's own exception here; otherwise return it.
            interval: Seconds between two calls of ``on_interval``. Waiting is by announcement, nothing is asked for at intervals.
            no_ack: Without effect: no result is a message that could be acknowledged.
            follow_parents: Raise the exception of a task before this one in its chain: this one can never run then. Of a header
                of more than 1,000 members that is the ``ChordError`` of the body, when all of them have ended.
            callback: Called with id and value at the end.
            on_message: Called with each state that is seen, as Celery's mapping with ``status`` and ``result``.
            on_interval: Called, without arguments, every ``interval`` seconds while waiting. What it raises ends the wait.
            disable_sync_subtasks: Inside a task, refuse: it could wait for a task that waits for its slot.
            EXCEPTION_STATES: Without effect, as in Celery: how a result is read was decided when it was stored.
            PROPAGATE_STATES: States whose exception is raised.
            model: Return the value as a model: of this type, or with ``True`` of the one that the task says it returns.

        Raises:
            TimeoutError: nothing arrived in time. The task goes on.
            TaskRevokedError: the task was revoked before it could run.
            RuntimeError: called inside a task, see above.
            ImproperlyConfigured: the app has no result backend; a ``NotImplementedError``, too.
            InvalidResult: the value is not what ``model`` says.

        Source: Celery's reference of ``AsyncResult.get``.
        """
        if self.ignored:
            return None
        if disable_sync_subtasks:
            assert_will_not_block()
        if self._final is None:
            before = Before(self.parent if follow_parents and propagate else None)
            patience = Patience(seconds_of(timeout), interval if on_interval is not None else None, on_interval)
            with closing(self.place.wait([*before.ids, self.id], patience)) as states:
                for id, meta in states:
                    if self._seen(id, meta, before, on_message):
                        break
            if self._failed() and not before.all_known:
                before.look_back(self.place)
        return self._end(propagate, callback, PROPAGATE_STATES, model)

    wait = get

    @overload
    async def aget(self, timeout: Seconds = None, *, model: Literal[True], **options: Unpack[AwaitKeywords]) -> R: ...
    @overload
    async def aget(self, timeout: Seconds = None, *, model: type[M], **options: Unpack[AwaitKeywords]) -> M: ...
    @overload
    async def aget(self, timeout: Seconds = None, *, model: object, **options: Unpack[AwaitKeywords]) -> Any: ...
    @overload
    async def aget(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        follow_parents: bool = True,
        callback: Callable[[str, R], object] | None = None,
        on_message: OnMessage | None = None,
        *,
        disable_sync_subtasks: bool = True,
    ) -> R: ...

    async def aget(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        follow_parents: bool = True,
        callback: Callable[[str, R], object] | None = None,
        on_message: OnMessage | None = None,
        *,
        disable_sync_subtasks: bool = True,  # noqa: ARG002 - taken, as by ``get``
        model: Any = None,
    ) -> Any:
        """The twin of ``get`` for event loops. Inside a task, too: it blocks no slot; ``disable_sync_subtasks`` has no effect."""
        if self.ignored:
            return None
        if self._final is None:
            before = Before(self.parent if follow_parents and propagate else None)
            async with aclosing(self.place.await_([*before.ids, self.id], seconds_of(timeout))) as states:
                async for id, meta in states:
                    if self._seen(id, meta, before, on_message):
                        break
            if self._failed() and not before.all_known:
                await in_a_thread(partial(before.look_back, self.place)).awaited()
        return self._end(propagate, callback, PROPAGATE_STATES, model)

    def __await__(self) -> Generator[Any, None, R]:
        return self.aget().__await__()

    def raise_known_failure(self) -> None:
        """Raise the exception of the task if it is known here that it failed; the store is not asked."""
        if self._final is not None and self._failed():
            raise exception_of(self._final)

    def _failed(self) -> bool:
        return self._final is not None and self._final.status in PROPAGATE_STATES

    def _seen(self, id: str, meta: TaskMeta, before: Before, on_message: OnMessage | None) -> bool:
        """Take note of a state of this task, or of one before it; say whether this one has ended."""
        if id != self.id:
            before.saw(id, meta)
            return False
        if on_message is not None:
            on_message(as_mapping(meta))
        if meta.status in READY_STATES:
            self.accept(meta)
        return self._final is not None

    def _end(self, propagate: bool, callback: Callable[[str, R], object] | None, raised: Collection[str], model: Any) -> Any:
        meta = self._final
        assert meta is not None  # the wait has returned
        if propagate and meta.status in raised:
            raise exception_of(meta)
        if callback is not None:
            callback(self.id, meta.result)
        return meta.result if model is None else as_model(self, meta.result, model)

    @property
    def on_ready(self) -> Promise:
        """What is to be called when the task has ended: ``result.on_ready.then(callback)``."""
        return self._promised(weak=False)

    def then(self, callback: Callable[[AsyncResult[R]], object], on_error: OnError | None = None, weak: bool = False) -> Promise:
        """Call ``callback`` with this result when the task has ended, well or not. Returns at once.

        It is called in a thread of the app that makes all such calls, one after the other.

        Args:
            callback: What it raises is handed to ``on_error``, or logged.
            on_error: Called instead, with the exception, if the task failed or was revoked.
            weak: Do not keep this result alive: when nobody else holds it, nothing is called.
        """
        return self._promised(weak).then(callback, on_error)

    def _promised(self, weak: bool) -> Promise:
        if self._promise is None:
            self._promise = Promise()
            if self._final is not None:
                self._promise.keep(self)
            else:
                self.place.afterwards.tell(self, weak=weak)
        return self._promise

    def throw(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise an exception: ``throw(exc, tb=None)``."""
        Promise().throw(*args, **kwargs)

    # ---- looking -----------------------------------------------------------------------------------------------

    def meta(self) -> TaskMeta:
        """Return what is stored about the task now; a final state is not asked for again."""
        if self._final is not None:
            return self._final
        [meta] = self.place.metas([self.id])
        if meta.status in READY_STATES:
            self.accept(meta)
        return meta

    def accept(self, meta: TaskMeta) -> None:
        """Remember a final state that somebody has read."""
        self._final = meta
        if self._promise is not None:
            self._promise.keep(self)

    def unaccept(self) -> None:
        """Forget what is known here, not what is stored."""
        self._final = None

    @property
    def _cache(self) -> dict[str, Any] | None:
        return None if self._final is None else as_mapping(self._final)

    @property
    def finished(self) -> bool:
        """It is known here that the task has ended; the store is not asked."""
        return self._final is not None

    def exists(self) -> bool:
        """Say whether anything is stored: a task that has not begun and an id that nobody knows are both PENDING without."""
        return self.place.exist([self.id]) == [True]

    @property
    def children(self) -> list[Any]:
        """Results of the tasks that it sent; a group is one GroupResult."""
        return [self.app.result_from_tuple(child) for child in self.meta().children]

    # ---- acting ------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Delete what is stored, of this task and of those before it in its chain."""
        node: Any = self
        while isinstance(node, AsyncResult):  # a chain may have more steps than Python has levels
            node.unaccept()
            node.place.forget([node.id])
            node = node.parent
        if node is not None:
            node.forget()

    # ---- as data -----------------------------------------------------------------------------------------------

    def beside(self, id: str, app: Home | None) -> AsyncResult[Any]:
        """Return the result of another task that is where this one is, and is stored or ignored as this one."""
        return AsyncResult(id, self._place, app=app, ignored=self.ignored)

    def __copy__(self) -> AsyncResult[R]:
        return AsyncResult(self.id, self._place, self._name, self.app, self.parent, ignored=self.ignored)

    def __reduce__(self) -> tuple[Any, ...]:
        place = self._place.as_uri(include_password=True) if isinstance(self._place, BackendView) else self._place
        return _restore, (self.id, place, self._name, self.parent, self.ignored)


def _restore(id: str, backend: Any, task_name: str | None, parent: Any, ignored: bool) -> AsyncResult[Any]:
    return AsyncResult(id, backend, task_name, parent=parent, ignored=ignored)


def sent(app: Home, message: Message, *, remember: bool = True, backend: Any = None, kind: Any = None) -> AsyncResult[Any]:
    """Return the result of a message that was sent, of this kind; inside a task, remember it among the task's children."""
    told = message.id, backend, message.task, app
    result: AsyncResult[Any] = kind(*told) if kind else AsyncResult(*told, ignored=bool(message.ignore_result))
    context = current_context() if remember else None
    if context is not None and (running := context.of_worker) is not None:
        running.add_child(result)
    return result
