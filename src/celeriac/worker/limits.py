"""Decide whose time is over: soft limit, hard limit.

In a node's life: asked in each round of the supervisor for each run that is late. Pure: reads a seat, says what to do.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from celeriac.worker.slots import Seat, Seen

_AGAIN_S: Final = 1.0
"""A soft limit is told for so long, in each round: of a signal that comes just before a system call its handler hears when that
has returned. A run hears it once."""


class Verdict(Enum):
    """What a run deserves."""

    FINE = "fine"
    SOFT = "soft"
    """Tell the task: SoftTimeLimitExceeded."""
    HARD = "hard"
    """Replace the child."""


def judge(seat: Seat, now: float) -> tuple[Verdict, Seen | None]:
    """Return the verdict and the run that it concerns; ``None``: nothing runs.

    Args:
        seat: What the child wrote.
        now: Seconds of the monotonic clock.
    """
    run = seat.look()
    if run is None:
        return Verdict.FINE, None
    if run.hard_at and now >= run.hard_at:
        return Verdict.HARD, run
    if run.soft_at and now >= run.soft_at and (seat.soft_asked != run.tag or now < run.soft_at + _AGAIN_S):
        return Verdict.SOFT, run
    return Verdict.FINE, run
