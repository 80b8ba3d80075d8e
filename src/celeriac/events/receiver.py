"""Receiver: hear events, and hand each to whoever wants its type.

In an event's life: Broadcast.listen -> **capture** -> handlers, such as ``State.event``. What is heard waits in a bounded queue
until the thread that captures comes to it, so that a slow handler never holds up the store. A connection that broke is renewed by
the store; what was said meanwhile is lost. Times are left as their senders wrote them: seconds since 1970 know no zone. Names and
meanings: Celery's reference of ``EventReceiver``. Does not know: the app.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from queue import Empty, Full, Queue
from typing import Any, Final

from celeriac.abc import Broadcast, Runtime
from celeriac.core.lamport import BY_THE_DAY, LamportClock
from celeriac.core.message import Rejected
from celeriac.core.notice import Notice
from celeriac.events import wire
from celeriac.events.types import Event

log = logging.getLogger("celeriac.events")

Handler = Callable[[Event], object]
MOST: Final = 10_000
"""Notices that were heard and not handled yet; later ones are lost."""
_LOOK_S: Final = 0.5
"""How often a capture that hears nothing looks whether it should stop."""


class Receiver:
    """Hears the events of one exchange."""

    def __init__(
        self,
        broadcast: Callable[[], Broadcast],
        handlers: Mapping[str, Handler] | None = None,
        *,
        routing_key: str = "#",
        exchange: str = "celeryev",
        accept: frozenset[str],
        clock: LamportClock,
        runtime: Runtime,
    ) -> None:
        """Be ready to hear.

        Args:
            broadcast: Where.
            handlers: Type -> what is called with each event of it; ``"*"``: with those that have no handler of their own.
            routing_key: Pattern of what is heard: ``worker.#``. Tasks of a worker come in batches, under ``task.multi``.
            exchange: ``event_exchange``.
            accept: Content types that are read.
            clock: Moves beyond the numbers that are heard.
            runtime: Clocks.
        """
        self._broadcast, self._exchange, self._content_types, self._runtime = broadcast, exchange, accept, runtime
        self.handlers = {} if handlers is None else handlers
        self.routing_key, self.clock = routing_key, clock
        self.should_stop = False
        """Set it in a handler, or another thread: the capture ends soon."""
        self.lost = 0
        """Notices that came faster than they were handled, or were no events."""
        self._heard: Queue[Notice] = Queue(MOST)

    def capture(self, limit: int | None = None, timeout: float | None = None, wakeup: bool = True) -> None:
        """Hear events and call their handlers in this thread, until ``limit`` notices were heard, or ``should_stop``.

        Args:
            limit: Notices; of which one may hold many events. ``None``: no bound.
            timeout: Seconds to wait for the next one. ``None``: for ever.
            wakeup: Ask all nodes for a sign of life at once.

        Raises:
            TimeoutError: nothing was heard for ``timeout``.
            OperationalError: the broker was not reached.
        """
        for _ in self.itercapture(limit, timeout, wakeup):
            pass

    def itercapture(self, limit: int | None = None, timeout: float | None = None, wakeup: bool = True) -> Iterator[None]:
        """Do what ``capture`` does, and yield after each notice."""
        ear = self._broadcast().listen(self._exchange, [self.routing_key], self._hear)
        try:
            if wakeup:
                self.wakeup_workers()
            heard = 0
            while not self.should_stop and (limit is None or heard < limit):
                self.receive(self._next(timeout))
                heard += 1
                yield
        except _Stopped:
            return
        finally:
            ear.close()

    def wakeup_workers(self, channel: Any = None) -> None:
        """Ask all nodes for a sign of life: they answer by an event. Whoever can steer nodes puts it here."""

    def _hear(self, notice: Notice) -> None:
        try:
            self._heard.put_nowait(notice)
        except Full:
            self._count_lost("more events than are handled: some are lost")

    def _next(self, timeout: float | None) -> Notice:
        waited = 0.0
        while not self.should_stop:
            wait_s = _LOOK_S if timeout is None else max(0.0, min(_LOOK_S, timeout - waited))
            began = self._runtime.monotonic()
            try:
                return self._heard.get(timeout=wait_s or 0.001)
            except Empty:
                waited += max(self._runtime.monotonic() - began, 0.001)
                if timeout is not None and waited >= timeout:
                    raise TimeoutError(f"no event was heard for {timeout:g} s") from None
        raise _Stopped

    def receive(self, notice: Notice) -> None:
        """Hand the events of a notice to their handlers."""
        events = wire.read(notice, self._content_types)
        if isinstance(events, Rejected):
            self._count_lost(f"a notice that is no event: {events.reason}: {events.detail[:200]!r}")
            return
        for event in events:
            self.process(*self.event_from_message(event))

    def event_from_message(self, body: Event, localize: bool = True, now: Callable[[], float] | None = None) -> tuple[str, Event]:
        """Return the type of an event, and the event with its clock and with ``local_received``, the present moment.

        Args:
            body: The event; it is changed.
            localize: Accepted: a ``timestamp`` is the same moment in every zone.
            now: Asked for the present moment instead of this machine's clock.
        """
        del localize
        clock = body.get("clock")
        if clock is None:
            body["clock"] = self.clock.forward()
        elif body["type"] == "task-sent" and clock < BY_THE_DAY:
            # A client of Celery's hears nothing, so that its numbers, which count from 1, are far behind those of workers.
            body["clock"] = max(0, self.clock.value - 1)
        else:
            self.clock.adjust(clock)
        body["local_received"] = (now or self._runtime.time)()
        return body["type"], body

    def process(self, type: str, event: Event) -> None:
        """Call the handler of this type, or that of ``"*"``."""
        handler = self.handlers.get(type) or self.handlers.get("*")
        if handler is not None:
            handler(event)

    def _count_lost(self, why: str) -> None:
        if not self.lost:
            log.warning("%s (only the first is told)", why, extra={"event": "events-lost"})
        self.lost += 1


class _Stopped(Exception):
    """The capture is to end."""
