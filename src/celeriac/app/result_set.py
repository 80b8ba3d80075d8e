"""ResultSet: the results of several tasks, together.

In a job's life: the end of several. All members wait with one subscription for each place where results are, asked for in
batches. Names and meanings: Celery's reference of ``ResultSet``. Does not know: how the tasks were sent.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import aclosing, closing
from typing import Any, Generic, TypeVar

from celeriac.app.current import get_current_app
from celeriac.app.home import Home
from celeriac.app.joining import assert_will_not_block
from celeriac.app.numbered import Numbered
from celeriac.app.result import AsyncResult, OnMessage
from celeriac.app.results.arrivals import Patience, Seconds, await_for, seconds_of, wait_for
from celeriac.app.results.backend_view import BackendView
from celeriac.app.results.notebook import SetShown
from celeriac.app.results.promise import OnError, Promise
from celeriac.app.results.result_states import as_mapping, exception_of
from celeriac.app.results.revoking import revoke_all, revoke_stamped, warn_of_many
from celeriac.app.results.set_states import SetStates, asked, by_place, leaves_of, unfinished
from celeriac.core.states import PROPAGATE_STATES, READY_STATES
from celeriac.core.taskmeta import TaskMeta

R = TypeVar("R")


class ResultSet(SetStates, SetShown, Generic[R]):
    """Results of several tasks, in an order; members may be groups."""

    _promise: Promise | None = None

    def __init__(
        self, results: Iterable[Any], app: Home | None = None, ready_barrier: Promise | None = None, **kwargs: Any
    ) -> None:
        """Hold several results.

        Args:
            results: AsyncResults, or sets of them.
            app: ``None``: that of the first member, or the current one.
            ready_barrier: What is to be called at the end, instead of one of its own.
            kwargs: There are none; Celery drops what it does not know.

        Raises:
            TypeError: ``kwargs`` were given.
        """
        if kwargs:
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(map(repr, sorted(kwargs)))}")
        self.results = results if isinstance(results, Numbered) else list(results)
        self._ended = {}
        self._app = app
        self._promise = ready_barrier

    @property
    def app(self) -> Home:
        """Whose they are."""
        if self._app is None:
            self._app = self.results[0].app if self.results else get_current_app()
        return self._app

    @app.setter
    def app(self, app: Home) -> None:
        self._app = app

    @property
    def backend(self) -> BackendView:
        """Where results of the app are; members may have another place."""
        return self.app.backend_at(None)

    @property
    def supports_native_join(self) -> bool:
        """Members are waited for together: always so, with any backend."""
        return True

    # ---- members -----------------------------------------------------------------------------------------------

    def add(self, result: Any) -> None:
        """Add a member, unless it is one."""
        if result not in self.results:
            self._as_list().append(result)
            if self._promise is not None and self._promise.ready:
                self._promise = None  # it was kept for those that were here; who asks from now on waits for this one, too

    def remove(self, result: Any) -> None:
        """Remove a member, or the one with this id.

        Raises:
            KeyError: it is none.
        """
        try:
            self._as_list().remove(result)
        except ValueError:
            raise KeyError(str(result)) from None

    def discard(self, result: Any) -> None:
        """Remove a member, or the one with this id, if it is one."""
        if result in self.results:
            self._as_list().remove(result)

    def update(self, results: Iterable[Any]) -> None:
        """Add several."""
        for result in results:
            self.add(result)

    def clear(self) -> None:
        """Remove all."""
        self.results, self._ended = [], {}

    def _as_list(self) -> list[Any]:
        """Return the members as a list that can be changed; of those that were a number each is made now."""
        members = list(self.results)
        self.results, self._ended = members, {}
        return members

    # ---- waiting -----------------------------------------------------------------------------------------------

    def get(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        interval: float = 0.5,
        callback: Callable[[str, R], object] | None = None,
        no_ack: bool = True,  # noqa: ARG002 - see below
        on_message: OnMessage | None = None,
        disable_sync_subtasks: bool = True,
        on_interval: Callable[[], object] | None = None,
    ) -> list[R]:
        """Wait until all have ended, and return what each returned, in order. Twin: ``aget``.

        Args:
            timeout: Give up after this long in all; a bare number is seconds. ``None``: wait for ever.
            propagate: Raise the first failure as soon as it is seen; otherwise exceptions stand among the values.
            interval: Seconds between two calls of ``on_interval``.
            callback: Called with id and value of each, in order, at the end. The values are returned nevertheless.
            no_ack: Without effect: no result is a message that could be acknowledged.
            on_message: Called with each state that is seen.
            disable_sync_subtasks: Inside a task, refuse.
            on_interval: Called, without arguments, every ``interval`` seconds while waiting.

        Of a group that was sent while it was generated 10,000 members are waited for together, then the next 10,000: of a
        million nothing but their values is here at once, and a failure is seen when its turn has come.

        Raises:
            TimeoutError, RuntimeError, ImproperlyConfigured: as ``AsyncResult.get``.

        Source: Celery's reference of ``ResultSet.join``.
        """
        if disable_sync_subtasks:
            assert_will_not_block()
        until, values = self._until(timeout), []
        for block in self._blocks():
            patience = Patience(self._left(until), interval if on_interval is not None else None, on_interval)
            waited = unfinished(leaves_of(block), propagate)
            if waited:
                with closing(wait_for(by_place(waited), patience)) as states:
                    for id, meta in states:
                        _seen(waited[id], meta, on_message, propagate)
            values += _values(block, propagate, callback)
        return values

    join = get

    def join_native(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        interval: float = 0.5,
        callback: Callable[[str, R], object] | None = None,
        no_ack: bool = True,
        on_message: OnMessage | None = None,
        on_interval: Callable[[], object] | None = None,
        disable_sync_subtasks: bool = True,
    ) -> list[R]:
        """Do what ``get`` does; there is one way to wait."""
        return self.get(timeout, propagate, interval, callback, no_ack, on_message, disable_sync_subtasks, on_interval)

    async def aget(
        self,
        timeout: Seconds = None,  # noqa: ASYNC109 - Celery's argument
        propagate: bool = True,
        callback: Callable[[str, R], object] | None = None,
        on_message: OnMessage | None = None,
        *,
        disable_sync_subtasks: bool = True,  # noqa: ARG002 - taken, as by ``get``
    ) -> list[R]:
        """The twin of ``get`` for event loops. ``disable_sync_subtasks`` has no effect: to await blocks no slot of others."""
        until, values = self._until(timeout), []
        for block in self._blocks():
            waited = unfinished(leaves_of(block), propagate)
            if waited:
                async with aclosing(await_for(by_place(waited), self._left(until))) as states:
                    async for id, meta in states:
                        _seen(waited[id], meta, on_message, propagate)
            values += _values(block, propagate, callback)
        return values

    def __await__(self) -> Generator[Any, None, list[R]]:
        return self.aget().__await__()

    def _until(self, timeout: Seconds) -> float | None:
        """Return when a wait that begins now is given up, by the clock that never steps."""
        seconds = seconds_of(timeout)
        return None if seconds is None else self.app.runtime.monotonic() + seconds

    def _left(self, until: float | None) -> float | None:
        return None if until is None else max(0.0, until - self.app.runtime.monotonic())

    def iter_native(
        self,
        timeout: Seconds = None,
        interval: float = 0.5,
        no_ack: bool = True,  # noqa: ARG002 - as ``get``
        on_message: OnMessage | None = None,
        on_interval: Callable[[], object] | None = None,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield id and meta of each task as it ends, the first to end first. Arguments and errors: as ``get``."""
        assert_will_not_block()
        until = self._until(timeout)
        for block in self._blocks():
            waited = unfinished(leaves_of(block))
            for result in leaves_of(block):
                if result.id not in waited and not result.ignored:
                    yield result.id, as_mapping(result.meta())
            if waited:
                patience = Patience(self._left(until), interval if on_interval is not None else None, on_interval)
                with closing(wait_for(by_place(waited), patience)) as states:
                    for id, meta in states:
                        _seen(waited[id], meta, on_message, False)
                        if meta.status in READY_STATES:
                            yield id, as_mapping(meta)

    def iterate(self, timeout: Seconds = None, propagate: bool = True) -> Iterator[R]:
        """Yield the value of each task as it ends, the first to end first (of each 10,000, where ``get`` waits for so many)."""
        for id, meta in self.iter_native(timeout):
            if propagate and meta["status"] in PROPAGATE_STATES:
                raise exception_of(TaskMeta(task_id=id, status=meta["status"], result=meta["result"]))
            yield meta["result"]

    @property
    def on_ready(self) -> Promise:
        """What is to be called when all have ended: ``results.on_ready.then(callback)``."""
        if self._promise is None:
            promise = self._promise = Promise()
            self._follow(promise, 0)
        return self._promise

    def _follow(self, promise: Promise, number: int) -> None:
        """Keep the promise when this block has ended, and those after it."""
        if number == self._block_count():
            promise.keep(self)
            return
        leaves = list(leaves_of(self._block(number)))
        missing = {result.id for result in leaves}

        def ended(result: AsyncResult[Any]) -> None:
            missing.discard(result.id)
            if not missing:
                self._follow(promise, number + 1)

        for result in leaves:
            result.then(ended)
        if not leaves:
            self._follow(promise, number + 1)

    def then(self, callback: Callable[[Any], object], on_error: OnError | None = None, weak: bool = False) -> Promise:
        """Call ``callback`` with this set when all have ended, well or not. Returns at once. See ``AsyncResult.then``.

        Args:
            callback: What it raises is handed to ``on_error``, or logged.
            on_error: Called instead, with the exception of the first that failed, if one did.
            weak: Without effect: members are kept until they have ended.
        """
        del weak
        return self.on_ready.then(callback, on_error)

    # ---- acting ------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Delete what is stored of every member."""
        self._ended = {}
        for block in self._blocks():
            leaves = list(leaves_of(block))
            for place, ids in by_place({result.id: [result] for result in leaves}):
                place.forget(ids)
            for result in leaves:
                result.unaccept()

    def revoke(
        self,
        connection: Any = None,
        terminate: bool = False,
        signal: str | None = None,
        wait: bool = False,
        timeout: float | None = None,
    ) -> None:
        """See to it that no member starts that has not started yet. Arguments and errors: as ``AsyncResult.revoke``.

        A store remembers 50,000 revoked tasks, the last that it was told of: of more members, those at the end.
        """
        how = {"connection": connection, "terminate": terminate, "signal": signal, "wait": wait, "timeout": timeout}
        warn_of_many(sum(1 for _ in self._leaves()) if isinstance(self.results, list) else len(self.results))
        for block in self._blocks():
            revoke_all(self.app, [result.id for result in leaves_of(block)], how)

    def revoke_by_stamped_headers(self, headers: Any, **options: Any) -> None:
        """Revoke all tasks with these stamps. See ``AsyncResult.revoke_by_stamped_headers``."""
        revoke_stamped(self.app, headers, options)

    def as_tuple(self) -> tuple[Any, list[Any]]:
        """Return the stored form: ``((id, parent), [members])``; a set has no id."""
        return (None, None), [result.as_tuple() for result in self.results]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: int) -> Any:
        return self.results[index]

    def __eq__(self, other: object) -> bool:
        return self.results == other.results if isinstance(other, ResultSet) else NotImplemented

    def __hash__(self) -> int:
        raise TypeError("a ResultSet cannot be hashed: members come and go")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: [{', '.join(map(str, self.results))}]>"


def _values(members: Iterable[Any], propagate: bool, callback: Callable[[str, Any], object] | None) -> list[Any]:
    """Return the values of members that have ended, those of a group as a list."""
    values: list[Any] = []
    for member in members:
        if isinstance(member, ResultSet):
            value: Any = [one for block in member._blocks() for one in _values(_met(member, block), propagate, None)]
            if callback is not None:
                callback(str(member), value)
        else:
            value = member.get(propagate=propagate, follow_parents=False, callback=callback, disable_sync_subtasks=False)
        values.append(value)
    return values


def _met(member: ResultSet[Any], block: Sequence[Any]) -> Sequence[Any]:
    """Return results that have been waited for with what is known of them: those that were made for the wait are gone."""
    if not isinstance(member.results, list):
        asked(block)
    return block


def _seen(results: list[AsyncResult[Any]], meta: TaskMeta, on_message: OnMessage | None, propagate: bool) -> None:
    if on_message is not None:
        on_message(as_mapping(meta))
    if meta.status in READY_STATES:
        for result in results:
            result.accept(meta)
        if propagate and meta.status in PROPAGATE_STATES:
            raise exception_of(meta)
