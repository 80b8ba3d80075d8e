"""Decide whether to linger before the next fetch: at a high rate of short tasks, a moment's patience saves a round trip each.

In a job's life: asked before each fetch. Pure: times and counts come in, seconds come out.

Without it a child that is faster than its messages fetches and settles them one by one, at the cost of a round trip and a wake-up
each, and takes the processor away from the very producers it waits for. Whoever calls and waits for each result in turn never
meets it: then messages come one at a time.
"""

from __future__ import annotations

LINGER_S = 0.002
"""At a high rate, fetches are at least so far apart."""
HIGH_RATE = 1500.0
"""Messages a second and child."""
_WINDOW_S = 0.01
_SEVERAL = 1.1
"""Messages in an average fetch: more than one sender is at work, or one that does not wait."""


class Pace:
    """The recent rate of arrivals in one child."""

    __slots__ = ("_at", "_each", "_rate")

    def __init__(self) -> None:
        self._at = 0.0
        self._rate = 0.0
        self._each = 1.0

    def saw(self, count: int, now: float) -> None:
        """``count`` messages came with a fetch that ended at ``now``, seconds of the monotonic clock."""
        gap = max(now - self._at, 1e-6)
        weight = min(1.0, gap / _WINDOW_S)
        self._rate += (count / gap - self._rate) * weight
        self._each += (count - self._each) * 0.1
        self._at = now

    def pause_s(self, now: float) -> float:
        """Return how many seconds to linger before the next fetch; mostly 0."""
        if self._rate < HIGH_RATE or self._each < _SEVERAL:
            return 0.0
        return max(0.0, LINGER_S - (now - self._at))
