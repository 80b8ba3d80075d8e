"""The threads lane: one child, many threads (``-P threads``). Coroutines run on one loop that all threads share."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from queue import SimpleQueue
from typing import Any

from celeriac.abc import Runtime
from celeriac.app.execution import execute
from celeriac.core.outcome import Failure
from celeriac.worker.lanes import Finish
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot


class ThreadsLane:
    """``size`` slots, each a thread; threads start when they are first needed."""

    concurrent = True

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot) -> None:
        self._size, self._monotonic, self._slot = size, runtime.monotonic, slot
        self._work: SimpleQueue[tuple[Request, Finish] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._change = threading.Condition()
        self._woken = False
        self._loop: Any = None
        self._loop_lock = threading.Lock()

    def free(self) -> int:
        """Slots without a task."""
        return self._size - self._busy

    def wait_for_room(self, seconds: float) -> None:
        """Wait until a thread has finished."""
        with self._change:
            self._change.wait_for(lambda: self._busy < self._size or self._woken, timeout=seconds)

    def run(self, request: Request, finish: Finish) -> None:
        """Hand it to a thread."""
        with self._change:
            self._busy += 1
            if len(self._threads) < min(self._busy, self._size):
                thread = threading.Thread(target=self._serve, name=f"celeriac-lane-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        # Here, in the order of the tags: the watermark must not overtake one that has not begun.
        self._slot.begin(request.delivery.tag, self._monotonic(), None, None)
        self._work.put((request, finish))

    def idle(self) -> bool:
        """Whether no task runs."""
        return self._busy == 0

    def wake(self) -> None:
        """No lock here: a signal handler may have interrupted its holder. Waits end within their time."""
        self._woken = True

    def close(self) -> None:
        """Let the threads end."""
        for _ in self._threads:
            self._work.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _serve(self) -> None:
        while (job := self._work.get()) is not None:
            request, finish = job
            began = self._monotonic()
            try:
                outcome = execute(request.task, request.context, self._drive)
            except KeyboardInterrupt as error:  # raised by the task itself: signals go to the main thread
                outcome = Failure(error)
            finish(request, outcome, self._monotonic() - began)
            self._slot.end()
            with self._change:
                self._busy -= 1
                self._change.notify()

    def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        import asyncio  # late: most children never see a coroutine

        with self._loop_lock:
            if self._loop is None:
                from celeriac.worker.lanes.loop import start_loop  # late: the same

                self._loop = start_loop()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
