"""A lane of a user's own, as the guide shows one; and a pool as Celery has them."""

from __future__ import annotations

import asyncio
import threading

from celeriac.abc import Runtime
from celeriac.app.execution import execute
from celeriac.worker.lanes import Finish
from celeriac.worker.request import Request
from celeriac.worker.slots import Seat, Slot


class FreshThreads:
    """Each task in a thread that nobody uses again."""

    concurrent = True

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot) -> None:
        self._runtime, self._size = runtime, size
        self._free, self._change = [slot.seat(number) for number in range(size)], threading.Condition()

    def free(self) -> int:
        return len(self._free)

    def wait_for_room(self, seconds: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._free, seconds)

    def run(self, request: Request, finish: Finish) -> None:
        seat = self._free.pop()
        began = self._runtime.monotonic()
        seat.begin(request.delivery.tag, request.message.id, began, request.soft_time_limit, request.time_limit)
        threading.Thread(target=self._serve, args=(seat, request, finish)).start()

    def _serve(self, seat: Seat, request: Request, finish: Finish) -> None:
        began = self._runtime.monotonic()
        outcome = execute(request.task, request.context, asyncio.run)
        finish(request, outcome, self._runtime.monotonic() - began)
        seat.end()
        with self._change:
            self._free.append(seat)
            self._change.notify()

    def idle(self) -> bool:
        return len(self._free) == self._size

    def wake(self) -> None:
        pass

    def heed(self) -> None:
        pass

    def close(self) -> None:
        pass


class CeleryPool:
    """What a subclass of Celery's ``BasePool`` has."""

    def on_apply(self) -> None:
        pass

    def apply_async(self) -> None:
        pass
