"""One wait for some tasks: what has arrived so far, what is still open, when it is given up.

In a job's life: ``get()`` stands here until the states come that ``waiting.py`` hands over. The tasks of one wait may have their
results in several places. Does not know: who waits, what is done with a state.
"""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX
from typing import Protocol

from msgspec import Struct

from celeriac.app.results.waiting import CLOSED, Waiting
from celeriac.core.errors import OperationalError, TimeoutError  # noqa: A004 - the builtin's subclass
from celeriac.core.states import READY_STATES
from celeriac.core.taskmeta import TaskMeta

Seconds = float | timedelta | None


class Source(Protocol):
    """A place where results come from."""

    @property
    def waiting(self) -> Waiting:
        """Who waits there."""

    def read(self, id: str, body: bytes | None) -> TaskMeta:
        """Understand what is stored there."""

    def monotonic(self) -> float:
        """A clock that never steps, seconds."""


class Patience(Struct, frozen=True):
    """How long to wait, and what to do meanwhile."""

    timeout_s: float | None = None
    """In all. ``None``: no bound."""
    tick_s: float | None = None
    """Between two calls of ``on_tick``. ``None``: there are none."""
    on_tick: Callable[[], object] | None = None


FOR_EVER = Patience()
Parts = Sequence[tuple[Source, Sequence[str]]]
"""Ids, by the place where their results are."""
_Item = tuple[Source, str, bytes]


def wait_for(parts: Parts, patience: Patience = FOR_EVER) -> Generator[tuple[str, TaskMeta], None, None]:
    """Yield each state of these tasks as it comes, until all of them have ended.

    Raises:
        TimeoutError: it has taken too long since the first was asked for.
    """
    arrived: SimpleQueue[_Item] = SimpleQueue()
    arrivals = _Arrivals(parts)
    begun: list[tuple[Source, Sequence[str], Callable[[str, bytes], None]]] = []
    until = _end_of(parts, patience.timeout_s)
    try:
        for source, ids in parts:
            receive: Callable[[str, bytes], None] = partial(_put, arrived, source)
            begun.append((source, ids, receive))
            source.waiting.begin(ids, receive)
        while arrivals.open:
            left_s, tick_s = _left(parts, until), patience.tick_s
            ticks = tick_s is not None and (left_s is None or tick_s < left_s)
            try:
                item = arrived.get(timeout=tick_s if ticks else left_s)
            except Empty:
                if not ticks or patience.on_tick is None:
                    raise gave_up(arrivals.open) from None
                patience.on_tick()
                continue
            meta = arrivals.take(*item)
            if meta is not None:
                yield item[1], meta
    finally:
        for source, ids, receive in begun:
            source.waiting.end(ids, receive)


def _put(arrived: SimpleQueue[_Item], source: Source, id: str, body: bytes) -> None:
    arrived.put((source, id, body))


async def await_for(
    parts: Parts,
    timeout: float | None = None,  # noqa: ASYNC109 - as its twin
) -> AsyncGenerator[tuple[str, TaskMeta], None]:
    """Do what ``wait_for`` does without blocking the event loop."""
    import asyncio  # late: costs 40 ms; whoever runs a coroutine has paid them

    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[_Item | Exception] = asyncio.Queue()
    arrivals = _Arrivals(parts)
    until = _end_of(parts, timeout)

    def hand_over(item: _Item | Exception) -> None:
        try:
            loop.call_soon_threadsafe(arrived.put_nowait, item)
        except RuntimeError:  # the loop has been closed: nobody waits any more
            return

    def receive(source: Source, id: str, body: bytes) -> None:
        hand_over((source, id, body))

    requests = [(source, source.waiting.begin_later(ids, partial(receive, source), hand_over)) for source, ids in parts]
    try:
        while arrivals.open:
            try:
                async with asyncio.timeout(_left(parts, until)):
                    item = await arrived.get()
            except builtins.TimeoutError:
                raise gave_up(arrivals.open) from None
            if isinstance(item, Exception):
                raise item
            meta = arrivals.take(*item)
            if meta is not None:
                yield item[1], meta
    finally:
        for source, request in requests:
            source.waiting.end_later(request)


def _end_of(parts: Parts, timeout_s: float | None) -> float | None:
    # Beyond what threads can wait (292 years; infinity, too) Python refuses: that is for ever.
    return None if timeout_s is None or timeout_s >= TIMEOUT_MAX or not parts else parts[0][0].monotonic() + timeout_s


def _left(parts: Parts, until: float | None) -> float | None:
    return None if until is None else max(0.0, until - parts[0][0].monotonic())


class _Arrivals:
    """What one wait has seen so far: a store may tell one state twice, the waiter hears it once."""

    def __init__(self, parts: Parts) -> None:
        self.open = {id for _, ids in parts for id in ids}
        """Tasks that have not ended."""
        self._last: dict[str, bytes] = {}

    def take(self, source: Source, id: str, body: bytes) -> TaskMeta | None:
        """Return what has become of a task; ``None``: nothing new.

        Raises:
            OperationalError: the app was closed meanwhile.
        """
        if body == CLOSED:
            raise OperationalError(f"the app was closed while somebody waited for task {id}; its result may still come")
        if id not in self.open or self._last.get(id) == body:
            return None
        meta = source.read(id, body)
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


def seconds_of(timeout: Seconds) -> float | None:
    """Return a timeout in seconds."""
    if timeout is None or isinstance(timeout, int | float):
        return timeout
    if isinstance(timeout, timedelta):
        return timeout.total_seconds()
    raise TypeError(f"timeout={timeout!r}: it is a number of seconds, a timedelta, or None to wait for ever")
