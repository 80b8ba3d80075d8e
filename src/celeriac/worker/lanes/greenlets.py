"""The lane of greenlets: one thread, many tasks that let each other run while they wait (``-P gevent``, ``-P eventlet``).

Everything in such a child waits that way, fetching and settling included: its interpreter was patched before it imported
anything else. Coroutines run on a loop in a thread of the system. What a run is to hear is thrown into its greenlet where
that waits; into one that does not let the others run, from the signal handler. Does not know: which library.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from celeriac.abc import Runtime
from celeriac.app.execution import execute
from celeriac.core.outcome import Outcome
from celeriac.drivers import descriptors
from celeriac.worker.lanes import Finish
from celeriac.worker.lanes.asks import Ask, Asking
from celeriac.worker.lanes.ends import ended_by
from celeriac.worker.lanes.seats import Seats
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot

if TYPE_CHECKING:
    from celeriac.worker.lanes.loop import LoopThread

_PAUSE_S: Final = 0.02


class Greens(Protocol):
    """What the lane asks of gevent or eventlet. All in the one thread where everything runs."""

    def spawn(self, work: Callable[[], None]) -> None:
        """Start a greenlet."""

    def current(self) -> Any:
        """Return the greenlet that runs: something with ``throw``."""

    def soon(self, act: Callable[[], None]) -> None:
        """Call ``act`` in the hub, from where something may be thrown into a greenlet that waits."""

    def wait_until_readable(self, descriptor: int) -> None:
        """Let the others run until there is something to read."""

    def sleep(self, seconds: float) -> None:
        """Let the others run for so long."""


class GreenletLane:
    """``size`` slots, each a greenlet."""

    concurrent = True

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot, greens: Greens) -> None:
        self._monotonic, self._slot, self._greens = runtime.monotonic, slot, greens
        self._seats = Seats(size)
        self._inside: dict[int, Any] = {}
        """By tag: the greenlets in which code of a task runs or waits."""
        self._asking = Asking(slot)
        self._asks: list[Ask] = []
        """What nobody has heard yet. Another list with each change, so that a signal may come at any time."""
        self._ended: deque[threading.Event] = deque()
        """Waits for coroutines that have ended in the thread of their loop."""
        self._loop: LoopThread | None = None
        self._heard, self._bell = os.pipe()
        for descriptor in (self._heard, self._bell):
            os.set_blocking(descriptor, False)
        greens.spawn(self._attend)

    def free(self) -> int:
        """Slots without a task."""
        return self._seats.free()

    def wait_for_room(self, seconds: float) -> None:
        """Wait until a greenlet has finished."""
        self._seats.wait(seconds)

    def run(self, request: Request, finish: Finish) -> None:
        """Hand it to a greenlet."""
        number = self._seats.take()
        self._slot.seat(number).begin(
            request.delivery.tag, request.message.id, self._monotonic(), request.soft_time_limit, request.time_limit
        )
        self._greens.spawn(partial(self._serve, number, request, finish))

    def idle(self) -> bool:
        """Whether no task runs."""
        return self._seats.idle()

    def wake(self) -> None:
        """End a wait for room."""
        self._seats.wake()

    def heed(self) -> None:
        """Raise what the running greenlet is to hear: a signal handler runs in it. For the others, ring."""
        if asks := self._asking.new():
            self._asks = [ask for ask in (*self._asks, *asks) if not ask.is_moot]
            self._ring()
        current = self._greens.current()
        for ask in self._asks:
            if self._inside.get(ask.tag) is current and ask.claim():
                raise ask.error

    def close(self) -> None:
        """End the loop of the coroutines."""
        if self._loop is not None:
            self._loop.close()

    def _serve(self, number: int, request: Request, finish: Finish) -> None:
        began, tag = self._monotonic(), request.delivery.tag
        outcome: Outcome
        try:
            try:
                self._inside[tag] = self._greens.current()
                outcome = execute(request.task, request.context, partial(self._drive, tag))
            finally:
                self._inside.pop(tag, None)
        except BaseException as error:
            outcome = ended_by(error, self._slot.seat(number))
        finish(request, outcome, self._monotonic() - began)
        self._slot.seat(number).end()
        self._seats.leave(number)

    def _drive(self, tag: int, coroutine: Coroutine[Any, Any, Any]) -> Any:
        from celeriac.worker.lanes.loop import LoopThread  # late: most children never see a coroutine

        if self._loop is None:
            self._loop = LoopThread(self._wait)
        waits = self._inside.pop(tag)  # for the loop: what is thrown meanwhile goes there
        try:
            return self._loop.drive(tag, coroutine)
        finally:
            self._inside[tag] = waits

    def _wait(self, future: Future[Any]) -> None:
        done = threading.Event()  # of greenlets: only this thread may touch it

        def tell(_: Future[Any]) -> None:
            self._ended.append(done)
            self._ring()

        future.add_done_callback(tell)
        done.wait()

    # What others want of this thread.

    def _ring(self) -> None:
        """Wake the attendant. Safe in a signal handler, and in another thread."""
        with suppress(BlockingIOError):  # it rings already
            descriptors.write(self._bell, b"!")

    def _attend(self) -> None:
        while True:
            if self._asks:
                self._greens.sleep(_PAUSE_S)
            else:
                self._greens.wait_until_readable(self._heard)
            with suppress(BlockingIOError):
                descriptors.read(self._heard, 4096)
            while self._ended:
                self._ended.popleft().set()
            for ask in self._asks:
                self._pass_on(ask)
                ask.times += 1
            self._asks = [ask for ask in self._asks if not ask.is_moot]

    def _pass_on(self, ask: Ask) -> None:
        if self._loop is not None and self._loop.is_on(ask.tag):
            self._loop.throw(ask)
        else:
            self._greens.soon(partial(self._throw, ask))

    def _throw(self, ask: Ask) -> None:
        # In the hub: nobody else runs, so what is inside now stays there until it hears.
        greenlet = self._inside.get(ask.tag)
        if greenlet is not None and not ask.is_moot and ask.claim():
            greenlet.throw(ask.error)
