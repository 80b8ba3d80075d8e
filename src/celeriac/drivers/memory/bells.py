"""Wake those who wait: one bell for each waiting call.

In a job's life: a fetch that finds nothing hangs up a bell, the publish of the next message rings one of them. Under the
store's lock, all but ``Bell.wait``. Does not know: messages, only the names of queues.

A bell is a ``SimpleQueue`` because its ``put`` may interrupt itself: ``interrupt`` is called in signal handlers, and an
``Event`` deadlocks when the handler strikes while the same thread is inside of ``wait`` or ``set``.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from enum import Enum
from queue import Empty, SimpleQueue


class Ring(Enum):
    """Why a wait ended."""

    CALLED = "called"
    """There may be something for this waiter."""
    INTERRUPTED = "interrupted"
    TIMED_OUT = "timed out"


class Bell:
    """What one call waits for."""

    def __init__(self, queues: Collection[str], *, alarm: bool) -> None:
        self.queues = frozenset(queues)
        self.alarm = alarm
        """Rung when the schedule has a new first date."""
        self._rings: SimpleQueue[Ring] = SimpleQueue()

    def ring(self, ring: Ring) -> None:
        """End the wait. May be called in a signal handler."""
        self._rings.put(ring)

    def wait(self, seconds: float) -> Ring:
        """Wait for the first ring, without the store's lock."""
        try:
            return self._rings.get(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))
        except Empty:
            return Ring.TIMED_OUT


class Bells:
    """The bells that hang, the longest waiting first. One that was rung is taken down, so one message rings one."""

    def __init__(self) -> None:
        self._hanging: list[Bell] = []
        self._interrupted = False
        self._alarmed = False

    def hang(self, queues: Collection[str] = (), *, alarm: bool = False) -> Bell:
        """Return a bell for a call that is about to wait. What nobody heard so far rings it at once."""
        bell = Bell(queues, alarm=alarm)
        # Hang first, look then: a signal handler that strikes in between finds either the bell or no waiter.
        self._hanging.append(bell)
        if self._interrupted:
            self._interrupted = False
            bell.ring(Ring.INTERRUPTED)
        elif alarm and self._alarmed:
            self._alarmed = False
            bell.ring(Ring.CALLED)
        return bell

    def take_down(self, bell: Bell) -> None:
        """Take ``bell`` down, if it hangs still."""
        if bell in self._hanging:
            self._hanging.remove(bell)

    def call(self, queue: str, count: int) -> None:
        """Ring for ``count`` messages in ``queue``: each wakes one."""
        for bell in [bell for bell in self._hanging if queue in bell.queues][:count]:
            self._hanging.remove(bell)
            bell.ring(Ring.CALLED)

    def alarm(self) -> None:
        """Ring for a new first date in the schedule."""
        dozing = [bell for bell in self._hanging if bell.alarm]
        self._alarmed = not dozing
        for bell in dozing:
            self._hanging.remove(bell)
            bell.ring(Ring.CALLED)

    def hush(self) -> None:
        """Forget an alarm that nobody has heard: somebody has read the schedule since."""
        self._alarmed = False

    def interrupt(self) -> None:
        """End every wait, or the next one. May be called in a signal handler."""
        hanging = tuple(self._hanging)
        self._interrupted = not hanging
        for bell in hanging:
            self.take_down(bell)
            bell.ring(Ring.INTERRUPTED)
