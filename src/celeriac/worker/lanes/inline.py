"""The inline lane: a task runs in the thread that fetched it (``-P prefork``, ``-P solo``).

No hand-off between threads, which would cost more than fetching does. Coroutines run on a loop of the child's own.
Limits are watched from outside: by the supervisor, through the child's slot.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any

from celeriac.abc import Runtime
from celeriac.app.execution import execute, interrupted
from celeriac.core.outcome import Outcome
from celeriac.worker.lanes import Finish
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot


class InlineLane:
    """One slot: the caller's own thread."""

    concurrent = False

    def __init__(self, *, runtime: Runtime, slot: Slot) -> None:
        self._monotonic, self._seat = runtime.monotonic, slot.seat(0)
        self._loop: Any = None
        self._running = False

    def free(self) -> int:
        """One: whoever asks is not running a task."""
        return 1

    def wait_for_room(self, seconds: float) -> None:
        """There is always room."""

    def run(self, request: Request, finish: Finish) -> None:
        """Run it here and now."""
        seat, began = self._seat, self._monotonic()
        seat.begin(request.delivery.tag, request.message.id, began, request.soft_time_limit, request.time_limit)
        self._running = True
        outcome: Outcome
        try:
            outcome = execute(request.task, request.context, self._drive)
        except KeyboardInterrupt as error:  # raised by the task itself: a child does not hear the keyboard
            outcome = interrupted(error)
        finally:
            seat.end()
            self._running = False
        finish(request, outcome, self._monotonic() - began)

    def idle(self) -> bool:
        """Whether no task runs."""
        return not self._running

    def wake(self) -> None:
        """Nobody waits."""

    def close(self) -> None:
        """Close the loop, if a coroutine ever made one."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def _drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        if self._loop is None:
            import asyncio  # late: most children never see a coroutine, and it costs 4 MB

            self._loop = asyncio.Runner()
        # In the context of this run: the runner's own is that of the first one, whose request every coroutine would see.
        return self._loop.run(coroutine, context=copy_context())
