"""What an app knows of its results: read them, wait for them, forget them, revoke their tasks.

In a job's life: settlement stores a task meta, ``AsyncResult`` reads it through here. This is the part that talks to the store;
``result.py`` is what users hold. Does not know: tasks, how they are sent.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Final

from celeriac.abc import Runtime, Store
from celeriac.app.waiting import Waiting
from celeriac.config.sections import ResultSettings
from celeriac.core import taskmeta
from celeriac.core.errors import TimeoutError  # noqa: A004 - the builtin's subclass
from celeriac.core.message import Message
from celeriac.core.settlement import StoredResult
from celeriac.core.states import PENDING, READY_STATES
from celeriac.core.taskmeta import TaskMeta

BATCH: Final = 1000
"""Ids in one call to the store."""


class Results:
    """The results of one app."""

    def __init__(self, store: Callable[[], Store], *, runtime: Runtime, settings: Callable[[], ResultSettings]) -> None:
        """``store`` opens at the first use; ``settings`` are asked for at each use."""
        self._store, self._runtime, self._settings = store, runtime, settings
        self._waiting = Waiting(store)

    def metas(self, ids: Sequence[str]) -> list[TaskMeta]:
        """Return what is stored about each task; PENDING where nothing is."""
        found: list[TaskMeta] = []
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            bodies = self._store().load(batch)
            found.extend(self._read(id, body) for id, body in zip(batch, bodies, strict=True))
        return found

    def _read(self, id: str, body: bytes | None) -> TaskMeta:
        if body is None:
            return TaskMeta(status=PENDING, task_id=id)
        return taskmeta.decode(body, self._settings().serializer)

    def wait(self, ids: Sequence[str], *, timeout: float | None = None) -> Iterator[tuple[str, TaskMeta]]:
        """Yield each state of these tasks as it comes, until all of them have ended.

        Raises:
            TimeoutError: ``timeout`` seconds have passed since the first was asked for.
        """
        arrived: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        arrivals = _Arrivals(ids, self._read)
        until = None if timeout is None else self._runtime.monotonic() + timeout

        def receive(id: str, body: bytes) -> None:
            arrived.put((id, body))

        try:
            self._waiting.begin(ids, receive)
            while arrivals.open:
                try:
                    id, body = arrived.get(timeout=self._left(until))
                except Empty:
                    raise gave_up(arrivals.open) from None
                meta = arrivals.take(id, body)
                if meta is not None:
                    yield id, meta
        finally:
            self._waiting.end(ids, receive)

    def _left(self, until: float | None) -> float | None:
        return None if until is None else max(0.0, until - self._runtime.monotonic())

    async def await_(
        self,
        ids: Sequence[str],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as its twin
    ) -> AsyncGenerator[tuple[str, TaskMeta], None]:
        """Do what ``wait`` does without blocking the event loop."""
        import asyncio  # late: costs 40 ms; whoever runs a coroutine has paid them

        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[tuple[str, bytes] | Exception] = asyncio.Queue()
        arrivals = _Arrivals(ids, self._read)
        until = None if timeout is None else self._runtime.monotonic() + timeout

        def hand_over(item: tuple[str, bytes] | Exception) -> None:
            try:
                loop.call_soon_threadsafe(arrived.put_nowait, item)
            except RuntimeError:  # the loop has been closed: nobody waits any more
                return

        def receive(id: str, body: bytes) -> None:
            hand_over((id, body))

        request = self._waiting.begin_later(ids, receive, hand_over)
        try:
            while arrivals.open:
                try:
                    async with asyncio.timeout(self._left(until)):
                        item = await arrived.get()
                except builtins.TimeoutError:
                    raise gave_up(arrivals.open) from None
                if isinstance(item, Exception):
                    raise item
                meta = arrivals.take(*item)
                if meta is not None:
                    yield item[0], meta
        finally:
            self._waiting.end_later(request)

    def store_state(self, id: str, state: str, value: Any, message: Message | None) -> None:
        """Store and announce a state that a task made up."""
        settings = self._settings()
        meta = TaskMeta(
            task_id=id,
            status=state,
            result=value,
            date_done=self._runtime.now() if state in READY_STATES else None,
            group_id=message.group if message is not None else None,
            parent_id=message.parent_id if message is not None else None,
        )
        body = taskmeta.encode(meta, settings.serializer, compression=settings.compression)
        self._store().store_results([StoredResult(id, state, body, settings.ttl_s)])

    def forget(self, ids: Sequence[str]) -> None:
        """Delete what is stored about these tasks."""
        self._store().forget(ids)

    def revoke(self, ids: Sequence[str]) -> None:
        """See to it that these tasks do not start; one that runs goes on."""
        self._store().revoke(ids)

    def close(self) -> None:
        """End the threads that wait."""
        self._waiting.close()

    def abandon(self) -> None:
        """Forget the threads that wait: they did not survive the fork."""
        self._waiting.abandon()


class _Arrivals:
    """What one wait has seen so far: a store may tell one state twice, the waiter hears it once."""

    def __init__(self, ids: Sequence[str], read: Callable[[str, bytes], TaskMeta]) -> None:
        self.open = set(ids)
        """Tasks that have not ended."""
        self._read = read
        self._last: dict[str, bytes] = {}

    def take(self, id: str, body: bytes) -> TaskMeta | None:
        """Return what has become of a task; ``None``: nothing new."""
        if id not in self.open or self._last.get(id) == body:
            return None
        meta = self._read(id, body)
        if meta.status in READY_STATES:
            self.open.discard(id)
            self._last.pop(id, None)
        else:
            self._last[id] = body
        return meta


def gave_up(ids: set[str]) -> TimeoutError:
    """Return the error of a wait that took too long."""
    first = next(iter(ids))
    rest = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
    return TimeoutError(f"no result of task {first}{rest} arrived in time; it may still come")
