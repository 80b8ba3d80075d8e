"""A Runtime without chance: time passes when a test says so, ids and random numbers come from a seed.

Stands beside ``app.runtime``, which reads the machine's clock. Does not know: who asks.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime

BEGINNING = datetime(2030, 1, 1, tzinfo=UTC)
"""When every virtual program starts."""


class VirtualRuntime:
    """An ``abc.Runtime`` for tests and simulations. The same seed and the same calls give the same answers."""

    def __init__(self, seed: int = 0, *, start: datetime = BEGINNING) -> None:
        self._chance = random.Random(seed)
        self._wall = start.timestamp()
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The virtual wall clock: UTC with time zone."""
        return datetime.fromtimestamp(self._wall, UTC)

    def time(self) -> float:
        """The virtual wall clock as seconds since 1970."""
        return self._wall

    def monotonic(self) -> float:
        """Seconds since the start, never stepping."""
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Return at once; the clocks are later."""
        self.advance(seconds)

    def new_id(self) -> str:
        """The next UUID4 of this seed, as text."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def random(self) -> float:
        """The next number of this seed: at least 0, less than 1."""
        return self._chance.random()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._wall += seconds
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as an operator or a time server may; no time passes."""
        self._wall += seconds
