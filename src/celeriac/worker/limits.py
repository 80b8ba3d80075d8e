"""Decide whose time is over: soft limit, hard limit.

In a node's life: asked in each round of the supervisor for each child. Pure: reads a slot, says what to do.
"""

from __future__ import annotations

from enum import Enum

from celeriac.worker.slots import Slot


class Verdict(Enum):
    """What a slot deserves."""

    FINE = "fine"
    SOFT = "soft"
    """Tell the task: SoftTimeLimitExceeded."""
    HARD = "hard"
    """Replace the child."""


def judge(slot: Slot, now: float) -> tuple[Verdict, int]:
    """Return the verdict and the tag of the run that it concerns.

    Args:
        slot: What the child wrote.
        now: Seconds of the monotonic clock.
    """
    tag, soft_at, hard_at = slot.running, slot.soft_at, slot.hard_at
    if tag == 0 or slot.running != tag:  # it ended, or another began, while we read
        return Verdict.FINE, 0
    if hard_at and now >= hard_at:
        return Verdict.HARD, tag
    if soft_at and now >= soft_at and slot.soft_asked != tag:
        return Verdict.SOFT, tag
    return Verdict.FINE, tag
