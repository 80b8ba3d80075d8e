"""LamportClock: numbers that grow from cause to effect, so that monitors can put the news of many processes in order.

In an event's life: its sender takes the next number, whoever hears it moves his own clock beyond that. The numbers also grow with
the time of day, in milliseconds: processes that never hear of each other agree roughly nevertheless. Celery's clocks count from
1; one that hears ours goes on from there. Does not know: what happened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LATEST: Final = 1 << 53
"""Not every reader of JSON knows larger numbers; one who is told a larger one does not believe it."""

BY_THE_DAY: Final = 10**12
"""Numbers from here on grow with the time of day: whoever counts from 1 never comes so far."""


class LamportClock:
    """The clock of one process. Two threads that ask at once may get one number: nothing depends on its being unique."""

    def __init__(self, time: Callable[[], float]) -> None:
        """``time``: seconds since 1970."""
        self._time = time
        self.value = 0
        """The last number that was given or heard."""

    def forward(self) -> int:
        """Return the number of what happens now."""
        value, now = self.value + 1, int(self._time() * 1000)
        value = self.value = now if now > value else value
        return value

    def adjust(self, other: int) -> int:
        """Take note of the number of something that happened elsewhere; return one that is larger."""
        if 0 <= other < LATEST:
            self.value = max(self.value, other) + 1
        return self.value

    def __repr__(self) -> str:
        return f"<LamportClock: {self.value}>"
