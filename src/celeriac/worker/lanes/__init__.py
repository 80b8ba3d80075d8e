"""How user code runs inside a child: in the fetching thread, in threads, on an event loop.

One contract, ``Lane``, and one file for each way. ``-P`` picks the lane and the number of children.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from celeriac.core.outcome import Outcome
from celeriac.worker.request import Request

Finish = Callable[[Request, Outcome, float], None]
"""Called once for each run, in the thread that ran it: the request, how it ended, how many seconds it took."""


class Lane(Protocol):
    """Where admitted requests run."""

    concurrent: bool
    """``True``: ``run`` returns before the run has ended."""

    def free(self) -> int:
        """Return how many requests could start at once."""

    def wait_for_room(self, seconds: float) -> None:
        """Wait so long, or until a slot is free, or ``wake``."""

    def run(self, request: Request, finish: Finish) -> None:
        """Run a request; a slot must be free."""

    def idle(self) -> bool:
        """Return whether nothing runs."""

    def wake(self) -> None:
        """End a ``wait_for_room``. Safe in a signal handler."""

    def heed(self) -> None:
        """Look at what the supervisor has asked of the seats, and have the runs hear it. Called in a signal handler."""

    def close(self) -> None:
        """End the threads and loops; what still runs is left to the end of the process."""
