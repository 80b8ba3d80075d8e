"""The threads lane: one child, many threads (``-P threads``). Coroutines run on one loop that all threads share.

A soft limit is an exception in the thread that runs the task; one that is in the middle of a blocking call hears it when the call
returns.
"""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from celeriac.abc import Runtime
from celeriac.app.execution import execute
from celeriac.core.outcome import Outcome
from celeriac.worker.lanes import Finish
from celeriac.worker.lanes.asks import Ask, Asker
from celeriac.worker.lanes.crew import Crew, throw_into
from celeriac.worker.lanes.ends import ended_by
from celeriac.worker.lanes.gate import Gate
from celeriac.worker.lanes.seats import Seats
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot

if TYPE_CHECKING:
    from celeriac.worker.lanes.loop import LoopThread


class ThreadsLane:
    """``size`` slots, each a thread."""

    concurrent = True

    def __init__(
        self, size: int, *, runtime: Runtime, slot: Slot, loop: LoopThread | None = None, most: int | None = None
    ) -> None:
        """Offer ``size`` slots.

        Args:
            size: How many.
            runtime: For the time.
            slot: Where the supervisor reads what runs.
            loop: For coroutines; by default one of its own, when the first one comes.
            most: Threads at most; by default one for each slot.
        """
        self._monotonic, self._slot = runtime.monotonic, slot
        self._seats, self._crew = Seats(size), Crew(most or size)
        self._inside: dict[int, Gate] = {}
        """By tag of what runs: the gate of its thread."""
        self._loop, self._loop_lock = loop, threading.Lock()
        self._asker = Asker(slot, self.throw)

    def free(self) -> int:
        """Slots without a task."""
        return self._seats.free()

    def wait_for_room(self, seconds: float) -> None:
        """Wait until a thread has finished."""
        self._seats.wait(seconds)

    def run(self, request: Request, finish: Finish) -> None:
        """Hand it to a thread."""
        number = self._begin(request)
        self._crew.do(partial(self._serve, number, request, finish))

    def idle(self) -> bool:
        """Whether no task runs."""
        return self._seats.idle()

    def wake(self) -> None:
        """End a wait for room."""
        self._seats.wake()

    def heed(self) -> None:
        """Have another thread look at the seats."""
        self._asker.heed()

    def close(self) -> None:
        """Let the threads end."""
        self._asker.close()
        self._crew.close()
        if self._loop is not None:
            self._loop.close()

    def throw(self, ask: Ask) -> None:
        """Interrupt a run."""
        if self._loop is not None and self._loop.is_on(ask.tag):
            self._loop.throw(ask)
        elif (gate := self._inside.get(ask.tag)) is not None:
            throw_into(gate, ask)

    def _begin(self, request: Request) -> int:
        """Take a seat, in the order of the tags: the watermark must not overtake one that has not begun."""
        number = self._seats.take()
        seat = self._slot.seat(number)
        seat.begin(request.delivery.tag, request.message.id, self._monotonic(), request.soft_time_limit, request.time_limit)
        return number

    def _end(self, number: int) -> None:
        self._slot.seat(number).end()
        self._seats.leave(number)

    def _serve(self, number: int, request: Request, finish: Finish, gate: Gate) -> None:
        began, tag = self._monotonic(), request.delivery.tag
        self._inside[tag] = gate
        outcome: Outcome
        try:
            # In a context of its own: should a run be interrupted where it leaves its context, the next one does not notice.
            own, drive = copy_context(), partial(self._drive, tag)
            outcome = gate.run(tag, lambda: own.run(execute, request.task, request.context, drive))
        except BaseException as error:
            outcome = ended_by(error, self._slot.seat(number))
        finally:
            del self._inside[tag]
        finish(request, outcome, self._monotonic() - began)
        self._end(number)

    def _drive(self, tag: int, coroutine: Coroutine[Any, Any, Any]) -> Any:
        from celeriac.worker.lanes.loop import LoopThread  # late: most children never see a coroutine

        with self._loop_lock:
            if self._loop is None:
                self._loop = LoopThread()
        return self._loop.drive(tag, coroutine)
