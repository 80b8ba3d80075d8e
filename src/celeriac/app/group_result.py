"""GroupResult: the results of several tasks, together.

In a job's life: what ``group(...).apply_async()`` returns. All members wait with one subscription, asked for in batches.
Names and meanings: Celery's reference of ``GroupResult``. Does not know: how the group was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from celeriac.app.current import current_app
from celeriac.app.home import Home
from celeriac.app.result import AsyncResult, Seconds, as_mapping, exception_of, refuse_inside_a_task, seconds_of
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.states import FAILURE, PROPAGATE_STATES, READY_STATES, SUCCESS
from celeriac.core.taskmeta import TaskMeta

R = TypeVar("R")


class GroupResult(Generic[R]):
    """Results in the order of the group's members."""

    def __init__(self, id: str, results: Iterable[AsyncResult[R]], *, app: Home | None = None, parent: Any = None) -> None:
        self.id = id
        self.results = list(results)
        """One AsyncResult for each member."""
        self.app = app if app is not None else current_app()
        self.parent = parent

    @property
    def children(self) -> list[AsyncResult[R]]:
        """The members again."""
        return self.results

    def get(
        self,
        timeout: Seconds = None,
        propagate: bool = True,
        interval: float | None = None,  # noqa: ARG002 - nobody polls here
        callback: Callable[[str, R], object] | None = None,
        on_message: Callable[[dict[str, Any]], object] | None = None,
        disable_sync_subtasks: bool = True,
    ) -> list[R]:
        """Wait until all have ended, and return what each returned, in order. Twin: ``aget``.

        Args:
            timeout: Give up after this long in all; a bare number is seconds.
            propagate: Raise the first failure as soon as it is seen; otherwise exceptions stand among the values.
            interval: Accepted for Celery's sake: there is none.
            callback: Called with id and value of each, in order, at the end.
            on_message: Called with each state that is seen.
            disable_sync_subtasks: Inside a task, refuse.

        Raises:
            TimeoutError, RuntimeError, ImproperlyConfigured: as ``AsyncResult.get``.
        """
        if disable_sync_subtasks:
            refuse_inside_a_task()
        waited = self._unfinished()
        if waited:
            for id, meta in self.app.results.wait(list(waited), timeout=seconds_of(timeout)):
                _seen(waited[id], meta, on_message, propagate)
        return self._values(propagate, callback)

    join = get
    join_native = get

    async def aget(
        self,
        timeout: Seconds = None,  # noqa: ASYNC109 - Celery's argument
        propagate: bool = True,
        callback: Callable[[str, R], object] | None = None,
        on_message: Callable[[dict[str, Any]], object] | None = None,
    ) -> list[R]:
        """The twin of ``get`` for event loops."""
        waited = self._unfinished()
        if waited:
            async with aclosing(self.app.results.await_(list(waited), timeout=seconds_of(timeout))) as states:
                async for id, meta in states:
                    _seen(waited[id], meta, on_message, propagate)
        return self._values(propagate, callback)

    def __await__(self) -> Generator[Any, None, list[R]]:
        return self.aget().__await__()

    def iter_native(self, timeout: Seconds = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield id and meta of each member as it ends, the first to end first."""
        refuse_inside_a_task()
        waited = self._unfinished()
        for result in self.results:
            if result.id not in waited:
                yield result.id, as_mapping(result.meta())
        if waited:
            for id, meta in self.app.results.wait(list(waited), timeout=seconds_of(timeout)):
                _seen(waited[id], meta, None, False)
                if meta.status in READY_STATES:
                    yield id, as_mapping(meta)

    def iterate(self, timeout: Seconds = None, propagate: bool = True) -> Iterator[R]:
        """Yield the value of each member as it ends, the first to end first."""
        for _, meta in self.iter_native(timeout):
            if propagate and meta["status"] in PROPAGATE_STATES:
                raise meta["result"]
            yield meta["result"]

    def _unfinished(self) -> dict[str, AsyncResult[R]]:
        return {result.id: result for result in self.results if not result.ignored and not result.finished}

    def _values(self, propagate: bool, callback: Callable[[str, R], object] | None) -> list[R]:
        return [result.get(propagate=propagate, callback=callback, disable_sync_subtasks=False) for result in self.results]

    def _metas(self) -> list[TaskMeta]:
        """Ask once for all that have not ended."""
        waited = self._unfinished()
        for result, meta in zip(waited.values(), self.app.results.metas(list(waited)), strict=True):
            if meta.status in READY_STATES:
                result.accept(meta)
        return [result.meta() for result in self.results if result.finished]

    def ready(self) -> bool:
        """Say whether all have ended."""
        return len(self._metas()) == len(self.results)

    def successful(self) -> bool:
        """Say whether all have ended well."""
        return self.completed_count() == len(self.results)

    def failed(self) -> bool:
        """Say whether any has failed."""
        return any(meta.status == FAILURE for meta in self._metas())

    def waiting(self) -> bool:
        """Say whether any has not ended."""
        return not self.ready()

    def completed_count(self) -> int:
        """Return how many have ended well."""
        return sum(meta.status == SUCCESS for meta in self._metas())

    def maybe_throw(self, propagate: bool = True) -> None:
        """Raise the first failure, if there is one by now."""
        for meta in self._metas():
            if propagate and meta.status in PROPAGATE_STATES:
                raise exception_of(meta)

    def forget(self) -> None:
        """Delete what is stored of every member."""
        self.app.results.forget([result.id for result in self.results])

    def revoke(self, terminate: bool = False, signal: str | None = None) -> None:
        """See to it that no member starts that has not started yet.

        Raises:
            ImproperlyConfigured: ``terminate`` was asked for.
        """
        if terminate or signal is not None:
            raise ImproperlyConfigured("revoke(terminate=True) needs remote control, which this version does not have yet")
        self.app.results.revoke([result.id for result in self.results])

    def as_tuple(self) -> tuple[Any, list[Any]]:
        """Return the stored form: ``((id, parent), [members])``."""
        return (self.id, self.parent and self.parent.as_tuple()), [result.as_tuple() for result in self.results]

    def __iter__(self) -> Iterator[AsyncResult[R]]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, index: int) -> AsyncResult[R]:
        return self.results[index]

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, GroupResult):
            return self.id == other.id and self.results == other.results
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<GroupResult: {self.id} [{len(self.results)} results]>"


def _seen(
    result: AsyncResult[Any], meta: TaskMeta, on_message: Callable[[dict[str, Any]], object] | None, propagate: bool
) -> None:
    if on_message is not None:
        on_message(as_mapping(meta))
    if meta.status in READY_STATES:
        result.accept(meta)
        if propagate and meta.status in PROPAGATE_STATES:
            raise exception_of(meta)
