"""The inline lane: a task runs in the thread that fetched it (``-P prefork``, ``-P solo``).

No hand-off between threads, which would cost more than fetching does. Coroutines run on a loop of the child's own.
Limits are watched from outside, by whoever reads the child's seat; what the run is to hear is raised by a signal handler.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from celeriac.abc import Runtime
from celeriac.app.context import enter
from celeriac.app.execution import execute
from celeriac.core.outcome import Outcome
from celeriac.worker.lanes import Finish
from celeriac.worker.lanes.asks import Asking
from celeriac.worker.lanes.ends import ended_by
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot

if TYPE_CHECKING:
    from celeriac.worker.lanes.coroutines import Errand


class InlineLane:
    """One slot: the caller's own thread."""

    concurrent = False

    def __init__(self, *, runtime: Runtime, slot: Slot) -> None:
        self._monotonic, self._seat = runtime.monotonic, slot.seat(0)
        self._asking = Asking(slot)
        self._runner: Any = None
        self._errand: Errand | None = None
        """The coroutine that is driven."""
        self._running = False
        """Whether something may be raised here: the code that runs is the task's."""

    def free(self) -> int:
        """One: whoever asks is not running a task."""
        return 1

    def wait_for_room(self, seconds: float) -> None:
        """There is always room."""

    def run(self, request: Request, finish: Finish) -> None:
        """Run it here and now."""
        seat, began = self._seat, self._monotonic()
        seat.begin(request.delivery.tag, request.message.id, began, request.soft_time_limit, request.time_limit)
        outcome: Outcome | None = None
        try:
            self._running = True
            outcome = execute(request.task, request.context, self._drive)
            self._running = False
        except BaseException as error:  # an interrupt of the task's own, or what a signal handler raised where no task was
            self._running = False
            if outcome is None:
                enter(None)  # it may have come between the task's end and the end of its context
                outcome = ended_by(error, seat)
        seat.end()
        finish(request, outcome, self._monotonic() - began)

    def idle(self) -> bool:
        """Whether no task runs."""
        return self._seat.tag == 0

    def wake(self) -> None:
        """Nobody waits."""

    def heed(self) -> None:
        """Raise what the run is to hear: a signal handler runs in its thread. A coroutine that waits is cancelled."""
        if self._running:
            for ask in self._asking.new():
                raise ask.error
        elif self._errand is not None and self._errand.task is not None:
            for ask in self._asking.new()[:1]:
                self._runner.get_loop().call_soon_threadsafe(self._errand.cancel, ask)  # which wakes the loop besides

    # As the door of a coroutine.

    def open(self, _tag: int) -> None:
        """The code of the task runs."""
        self._running = True

    def shut(self) -> None:
        """The loop waits for something."""
        self._running = False

    def close(self) -> None:
        """Close the loop, if a coroutine ever made one."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        from celeriac.worker.lanes.coroutines import Errand, interruptible  # late: most children never see a coroutine

        self._running = False
        if self._runner is None:
            import asyncio  # late: it costs 4 MB

            self._runner = asyncio.Runner()

        async def driven(errand: Errand) -> Any:
            return await interruptible(errand, coroutine, self)

        self._errand = Errand(self._seat.tag)
        try:
            # In the context of this run: the runner's own is that of the first one, whose request every coroutine would see.
            return self._runner.run(driven(self._errand), context=copy_context())
        finally:
            self._errand = None
            self._running = True
