"""Afterwards: call back when a task has ended, without anybody waiting.

In a job's life: after its end, for ``result.then(callback)``. One thread of the app reads what was announced and makes all the
calls, one after the other: the store's own thread must not be held up by a user's code. Who is called back holds no subscription
longer than the task takes. Does not know: what a result is, stores.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from celeriac.app.gathering import Gatherer
from celeriac.app.results.waiting import CLOSED, Request, Waiting
from celeriac.core.states import READY_STATES
from celeriac.core.taskmeta import TaskMeta

log = logging.getLogger("celeriac.results")

BATCH: Final = 1000


class Listener(Protocol):
    """A result that wants to know its task's end."""

    id: str

    def accept(self, meta: TaskMeta) -> None:
        """It has ended, like this."""


class Afterwards:
    """The calls that are to be made for the results of one store."""

    def __init__(self, waiting: Waiting, read: Callable[[str, bytes], TaskMeta]) -> None:
        """``read`` understands what ``waiting`` hands over."""
        self._waiting, self._read = waiting, read
        self._gatherer: Gatherer[Callable[[], None]] = Gatherer(self._work, name="celeriac-callbacks", limit=BATCH)

    def tell(self, listener: Listener, *, weak: bool = False) -> None:
        """Tell ``listener`` of its task's end.

        Args:
            listener: Is kept until then.
            weak: It is not: when nobody else holds it, the subscription ends.
        """
        call = _Call(listener, weak=weak)
        # All that happens to a call happens in our thread, so nothing can arrive before it has begun. That also has the thread
        # started: it could not be while the garbage collector runs.
        self._gatherer.put(lambda: self._begin(call))
        if weak:
            weakref.finalize(listener, self._gatherer.put, lambda: self._end(call)).atexit = False

    def _begin(self, call: _Call) -> None:
        def receive(id: str, body: bytes) -> None:
            self._gatherer.put(lambda: self._arrived(call, id, body))

        def fail(error: Exception) -> None:
            self._gatherer.put(lambda: self._failed(call, error))

        call.request = self._waiting.begin_later([call.id], receive, fail)

    def _end(self, call: _Call) -> None:
        call.over = True
        self._waiting.end_later(call.request)

    def _arrived(self, call: _Call, id: str, body: bytes) -> None:
        if call.over:
            return
        if body == CLOSED:
            self._failed(call, "the app was closed")
            return
        try:
            meta = self._read(id, body)
        except Exception as error:  # it cannot be decoded, and the next announcement will not be better
            self._failed(call, error)
            return
        if meta.status in READY_STATES:
            self._end(call)
            listener = call.listener()
            if listener is not None:
                listener.accept(meta)

    def _failed(self, call: _Call, error: Exception | str) -> None:
        self._end(call)
        log.error("nobody will be called back at the end of task %s: %s", call.id, error)

    def _work(self, calls: Sequence[Callable[[], None]]) -> None:
        for call in calls:
            try:
                call()
            except Exception:  # such as a store that does not answer an unsubscription: the next one is no part of that
                log.exception("a subscription to a result could not be begun or ended")

    def close(self) -> None:
        """Make the calls that are due, then end the thread."""
        self._gatherer.close()

    def abandon(self) -> None:
        """Forget the thread: it did not survive the fork."""
        self._gatherer.abandon()


class _Call:
    """One listener."""

    request: Request

    def __init__(self, listener: Listener, *, weak: bool) -> None:
        self.id = listener.id
        self.listener: Callable[[], Listener | None] = weakref.ref(listener) if weak else lambda: listener
        self.over = False
