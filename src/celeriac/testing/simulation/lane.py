"""The lane of a world: a task runs in the frame that fetched it, and while it runs the world goes on.

Stands beside ``worker.lanes.inline``, whose order of steps it keeps: the slot is written, the function runs, the slot is
written, the end is told. A process that dies leaves its slot as it is, as a killed one does.
Does not know: stores, faults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

from celeriac.abc import Lessee, Runtime
from celeriac.app.execution import execute
from celeriac.testing.simulation.ledger import Ledger
from celeriac.worker.lanes import Finish
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot


class SimulatedLane:
    """One slot: the caller's own frame."""

    concurrent = False

    def __init__(
        self,
        *,
        lessee: Lessee,
        slot: Slot,
        ledger: Ledger,
        runtime: Runtime,
        while_it_runs: Callable[[Request, float], None],
    ) -> None:
        """``while_it_runs`` lets the virtual seconds of a run pass; it may not return."""
        self._lessee, self._seat, self._ledger = lessee, slot.seat(0), ledger
        self._runtime, self._while_it_runs = runtime, while_it_runs

    def free(self) -> int:
        """One: whoever asks is not running a task."""
        return 1

    def wait_for_room(self, seconds: float) -> None:
        """There is always room."""

    def run(self, request: Request, finish: Finish) -> None:
        """Run it here and now."""
        began = self._runtime.monotonic()
        self._seat.begin(request.delivery.tag, request.message.id, began, None, None)
        early = not request.task.acks_late
        self._ledger.started(self._lessee, request.delivery.tag, request.message, early=early, now=self._runtime.now())
        self._while_it_runs(request, _seconds_of(request))
        outcome = execute(request.task, request.context, _no_coroutines)
        self._seat.end()
        finish(request, outcome, self._runtime.monotonic() - began)

    def idle(self) -> bool:
        """Nothing runs when anybody asks."""
        return True

    def wake(self) -> None:
        """Nobody waits."""

    def heed(self) -> None:
        """Nobody asks."""

    def close(self) -> None:
        """There is nothing to close."""


def _seconds_of(request: Request) -> float:
    """How long a run takes; the engine's own tasks take no time."""
    return float(request.message.kwargs.get("seconds", 0.0))


def _no_coroutines(coroutine: Any) -> Never:
    raise TypeError(f"the tasks of a simulation are plain functions: {coroutine!r}")
