"""Time limits of a node that has no processes but its own (``-P solo``): a thread that watches what the main one runs.

In a node's life: from its start to its end. A run past its hard limit is ended from inside, by an exception that its task should
not catch. If that does not end it, the process replaces itself, since nobody outside could: the task is settled, and the
program begins again. A call in C that does not let go of the interpreter holds up this thread as
well: its limit is enforced when it returns. Does not know: how a task is settled, how a program begins again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from celeriac.abc import Runtime
from celeriac.worker.limits import Verdict, judge
from celeriac.worker.slots import NO_SIGNAL, Seat, Seen

log = logging.getLogger("celeriac.worker")

ROUND_S: Final = 0.1
ENDS_WITHIN_S: Final = 0.25
"""A run past its hard limit may take so long to end from inside."""


class LoneLimits:
    """Enforces the limits of what runs in one seat."""

    def __init__(self, seat: Seat, *, runtime: Runtime, tell: Callable[[], None], give_up: Callable[[Seen], None]) -> None:
        """Watch ``seat``.

        Args:
            seat: Where the main thread says what it runs.
            runtime: For the time.
            tell: Has the main thread look at what its seat is asked.
            give_up: Settles a run that does not end, and does not return if it can help it.
        """
        self._seat, self._runtime, self._tell, self._give_up = seat, runtime, tell, give_up
        self._closed = threading.Event()
        self._asked: tuple[int, float] = (0, 0.0)
        """Which run was asked to end, and since when."""
        self._given_up = 0

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._watch, name="celeriac-limits", daemon=True).start()

    def close(self) -> None:
        """Enforce nothing more."""
        self._closed.set()

    def look(self, now: float) -> None:
        """Look once. ``now``: seconds of the monotonic clock."""
        verdict, run = judge(self._seat, now)
        if run is None:
            return
        if verdict is Verdict.SOFT:
            self._seat.ask_soft(run.tag)
            self._tell()
        elif verdict is Verdict.HARD:
            self._end(run, now)

    def _end(self, run: Seen, now: float) -> None:
        tag, since = self._asked
        if tag != run.tag:
            self._asked = run.tag, now
        if tag != run.tag or now - since < ENDS_WITHIN_S:
            self._seat.ask_end(run.tag, NO_SIGNAL)
            self._tell()
        elif self._given_up != run.tag:
            self._given_up = run.tag
            self._give_up(run)

    def _watch(self) -> None:
        while not self._closed.wait(ROUND_S):
            try:
                self.look(self._runtime.monotonic())
            except Exception:
                log.exception("the time limits of this node could not be looked after; that goes on")
