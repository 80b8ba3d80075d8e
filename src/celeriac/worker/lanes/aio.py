"""The asyncio lane: one child, one event loop, many coroutines (``-P asyncio``). Plain functions go to threads.

The loop runs in a thread of its own; the main thread fetches. A request costs one hand-off to the loop.
"""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celeriac.abc import Runtime
from celeriac.app.execution import aexecute, execute, interrupted
from celeriac.core.outcome import Failure, Outcome
from celeriac.worker.lanes import Finish
from celeriac.worker.lanes.loop import run_on, start_loop
from celeriac.worker.lanes.seats import Seats
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot


class AsyncioLane:
    """``size`` slots on one loop."""

    concurrent = True

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot) -> None:
        self._monotonic, self._slot = runtime.monotonic, slot
        self._seats = Seats(size)
        self._running: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(min(size, 64), thread_name_prefix="celeriac-lane")
        self._loop = start_loop()

    def free(self) -> int:
        """Slots without a task."""
        return self._seats.free()

    def wait_for_room(self, seconds: float) -> None:
        """Wait until a run has ended."""
        self._seats.wait(seconds)

    def run(self, request: Request, finish: Finish) -> None:
        """Hand it to the loop."""
        number = self._seats.take()
        self._slot.seat(number).begin(request.delivery.tag, request.message.id, self._monotonic(), None, None)
        self._loop.call_soon_threadsafe(self._start, number, request, finish)

    def idle(self) -> bool:
        """Whether no task runs."""
        return self._seats.idle()

    def wake(self) -> None:
        """End a wait for room."""
        self._seats.wake()

    def close(self) -> None:
        """Stop the loop; what still runs there is left to the end of the process."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, number: int, request: Request, finish: Finish) -> None:
        task = self._loop.create_task(self._serve(number, request, finish))
        self._running.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._running.discard)

    async def _serve(self, number: int, request: Request, finish: Finish) -> None:
        began = self._monotonic()
        outcome: Outcome
        try:
            if inspect.iscoroutinefunction(request.task.run):
                outcome = await aexecute(request.task, request.context)
            else:
                outcome = await self._loop.run_in_executor(self._threads, execute, request.task, request.context, self._drive)
        except KeyboardInterrupt as error:
            outcome = interrupted(error)
        except BaseException as error:
            outcome = Failure(error)
        finish(request, outcome, self._monotonic() - began)
        self._slot.seat(number).end()
        self._seats.leave(number)

    def _drive(self, coroutine: Any) -> Any:
        """For a plain function that returned a coroutine: back to the loop, from a thread of the pool."""
        return run_on(self._loop, coroutine)
