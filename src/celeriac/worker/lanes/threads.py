"""The threads lane: one child, many threads (``-P threads``). Coroutines run on one loop that all threads share."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from queue import SimpleQueue
from typing import Any

from celeriac.abc import Runtime
from celeriac.app.execution import execute, interrupted
from celeriac.core.outcome import Outcome
from celeriac.worker.lanes import Finish
from celeriac.worker.lanes.seats import Seats
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot


class ThreadsLane:
    """``size`` slots, each a thread; threads start when they are first needed."""

    concurrent = True

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot) -> None:
        self._monotonic, self._slot = runtime.monotonic, slot
        self._seats = Seats(size)
        self._work: SimpleQueue[tuple[int, Request, Finish] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loop: Any = None
        self._loop_lock = threading.Lock()

    def free(self) -> int:
        """Slots without a task."""
        return self._seats.free()

    def wait_for_room(self, seconds: float) -> None:
        """Wait until a thread has finished."""
        self._seats.wait(seconds)

    def run(self, request: Request, finish: Finish) -> None:
        """Hand it to a thread."""
        number = self._seats.take()
        if len(self._threads) <= number:
            thread = threading.Thread(target=self._serve, name=f"celeriac-lane-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        # Here, in the order of the tags: the watermark must not overtake one that has not begun.
        self._slot.seat(number).begin(request.delivery.tag, request.message.id, self._monotonic(), None, None)
        self._work.put((number, request, finish))

    def idle(self) -> bool:
        """Whether no task runs."""
        return self._seats.idle()

    def wake(self) -> None:
        """End a wait for room."""
        self._seats.wake()

    def close(self) -> None:
        """Let the threads end."""
        for _ in self._threads:
            self._work.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _serve(self) -> None:
        while (job := self._work.get()) is not None:
            number, request, finish = job
            began = self._monotonic()
            outcome: Outcome
            try:
                outcome = execute(request.task, request.context, self._drive)
            except KeyboardInterrupt as error:  # raised by the task itself: signals go to the main thread
                outcome = interrupted(error)
            finish(request, outcome, self._monotonic() - began)
            self._slot.seat(number).end()
            self._seats.leave(number)

    def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        from celeriac.worker.lanes.loop import run_on, start_loop  # late: most children never see a coroutine

        with self._loop_lock:
            if self._loop is None:
                self._loop = start_loop()
        return run_on(self._loop, coroutine)
