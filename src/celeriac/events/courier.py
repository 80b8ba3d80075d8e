"""The thread that says events, many at a time: whoever has news puts it down and goes on.

In an event's life: put down by a task's process, a caller or a program -> **here** -> Broadcast.say. The thread begins with the
first event, gathers for some milliseconds, and belongs to one process. Monitors must not cost anybody their work: while the
broker is away the newest events are kept, up to a bound, and older ones are lost. Does not know: what an event means.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from threading import Event as Bell
from threading import Lock, Thread
from typing import Final

from celeriac.abc import Broadcast, Runtime
from celeriac.core.errors import CeleriacError, OperationalError
from celeriac.core.notice import Notice
from celeriac.events import wire
from celeriac.events.types import Told, group_of, key_of

log = logging.getLogger("celeriac.events")

GATHER_S: Final = 0.02
"""How long an event waits for others at most, while the broker answers."""
MOST: Final = 20_000
"""Events that wait to be said."""
A_NOTICE: Final = 100
"""Events in one notice."""
_NOTICES_AT_ONCE: Final = 10
_PAUSE_S: Final = 1.0
"""Between two tries while the broker does not answer."""


class Courier:
    """Says what was put down, in order. Any thread may put."""

    def __init__(
        self, broadcast: Callable[[], Broadcast], runtime: Runtime, *, exchange: str, serializer: str, hostname: str
    ) -> None:
        """``hostname``: of the headers, such as the name of the node."""
        self._broadcast, self._runtime = broadcast, runtime
        self._exchange, self._serializer, self._hostname = exchange, serializer, hostname
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._waiting: deque[Told] = deque(maxlen=MOST)
        self._bell, self._awake = Bell(), False
        self._one_at_a_time = Lock()
        self._thread: Thread | None = None
        self._closing = self._away = False

    def put(self, event: Told) -> None:
        """Take an event in; it is said soon."""
        self._waiting.append(event)
        if not self._awake:
            self._awake = True
            self._wake()

    def _wake(self) -> None:
        self._bell.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = Thread(target=self._work, name="celeriac-courier", daemon=True)
                    self._thread.start()

    def close(self, patience_s: float = 2.0) -> None:
        """Say what is there, and end the thread; but do not wait for ever. The next event starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closing = thread is not None
        if thread is not None:
            self._bell.set()
            thread.join(patience_s)
        self._closing = self._awake = False

    def abandon(self) -> None:
        """Forget the thread and what waits: they belong to the process that forked this one."""
        self._lock = Lock()
        self._forget()

    def _work(self) -> None:
        going = True
        while going:
            self._bell.wait()
            self._bell.clear()
            going = not self._closing
            if going:
                self._runtime.sleep(GATHER_S)
            self._awake = False  # what comes from here on rings again
            try:
                self.say_all()
            except OperationalError as error:
                if not self._away:
                    log.warning("%s; the newest %d events are kept until it does", error, MOST, extra={"event": "events-kept"})
                self._away = True
                if going:
                    self._runtime.sleep(_PAUSE_S)
                    self._bell.set()
            except Exception:
                log.exception("events could not be said; others will be")

    def say_all(self) -> None:
        """Say what waits, here and now.

        Raises:
            OperationalError: the broker does not answer; what was not said is kept.
        """
        with self._one_at_a_time:
            while batch := self._take(A_NOTICE * _NOTICES_AT_ONCE):
                try:
                    self._broadcast().say(self._notices(batch))
                except OperationalError:
                    room = MOST - len(self._waiting)
                    self._waiting.extendleft(reversed(batch[-room:] if room else ()))
                    raise
                if self._away:
                    self._away = False
                    log.info("events are said again", extra={"event": "events-said"})

    def _take(self, limit: int) -> list[Told]:
        batch: list[Told] = []
        while len(batch) < limit:
            try:
                batch.append(self._waiting.popleft())
            except IndexError:
                break
        return batch

    def _notices(self, events: Sequence[Told]) -> list[Notice]:
        notices: list[Notice] = []
        for group, some in groupby(events, key=_group):
            alike = list(some)
            for start in range(0, len(alike), A_NOTICE):
                notices.extend(self._notice(group, alike[start : start + A_NOTICE]))
        return notices

    def _notice(self, group: str, events: Sequence[Told]) -> list[Notice]:
        key = f"{group}.multi" if len(events) > 1 else key_of(type_of(events[0]))
        try:
            return [
                wire.write(
                    events,
                    exchange=self._exchange,
                    routing_key=key,
                    hostname=self._hostname,
                    serializer=self._serializer,
                    many=len(events) > 1,
                )
            ]
        except CeleriacError as error:
            if len(events) == 1:
                log.warning("an event cannot be written: %s", error)
                return []
            return [notice for event in events for notice in self._notice(group, [event])]


def type_of(event: Told) -> str:
    """Return its type, such as ``task-sent``."""
    tag = type(event).__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _group(event: Told) -> str:
    return group_of(type_of(event))
