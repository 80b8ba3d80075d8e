"""The asyncio lane: one child, one event loop, many coroutines (``-P asyncio``). Plain functions go to threads.

The loop runs in a thread of its own; the main thread fetches. A coroutine costs one hand-off to the loop, a plain
function one to a thread. A soft limit is a cancellation that is a ``SoftTimeLimitExceeded``, too.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Final

from msgspec.structs import replace

from celeriac.abc import Runtime
from celeriac.app.ended import RunEnded
from celeriac.app.execution import aexecute
from celeriac.core.outcome import Failure, Outcome
from celeriac.worker.lanes import Finish
from celeriac.worker.lanes.coroutines import Errand, alone
from celeriac.worker.lanes.ends import ended_by
from celeriac.worker.lanes.loop import LoopThread
from celeriac.worker.lanes.threads import ThreadsLane
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot

_MOST_THREADS: Final = 256
"""For plain functions: what has ten thousand slots for coroutines must not start as many threads."""


class AsyncioLane(ThreadsLane):
    """``size`` slots on one loop; what is no coroutine runs as in a lane of threads."""

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot) -> None:
        self._aio = LoopThread()
        super().__init__(size, runtime=runtime, slot=slot, loop=self._aio, most=min(size, _MOST_THREADS))

    def run(self, request: Request, finish: Finish) -> None:
        """Hand it to the loop, or to a thread."""
        if not inspect.iscoroutinefunction(request.task.run):
            return super().run(request, finish)
        number = self._begin(request)
        return self._aio.begin(request.delivery.tag, partial(self._aserve, number, request, finish))

    async def _aserve(self, number: int, request: Request, finish: Finish, errand: Errand) -> None:
        began = self._monotonic()
        outcome: Outcome
        try:
            outcome = await self._aio.interruptible(errand, aexecute(request.task, request.context))
            if errand.was_asked and isinstance(outcome, Failure):
                outcome = self._ungrouped(outcome, number)
        except BaseException as error:
            outcome = ended_by(error, self._slot.seat(number))
        self._aio.end(errand)
        finish(request, outcome, self._monotonic() - began)
        self._end(number)

    def _ungrouped(self, outcome: Failure, number: int) -> Outcome:
        error = alone(outcome.exception)
        return ended_by(error, self._slot.seat(number)) if isinstance(error, RunEnded) else replace(outcome, exception=error)
