"""Choices from a seed.

Everything that a world leaves to chance is asked here, so that a seed is a world. Does not know: what is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from celeriac.abc import Runtime

T = TypeVar("T")


class Chance:
    """Choices by the random numbers of a Runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.random = runtime.random

    def happens(self, probability: float) -> bool:
        """Say yes so often."""
        return self.random() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number from ``low`` to ``high``."""
        return low + self.random() * (high - low)

    def index(self, count: int) -> int:
        """Return a whole number from 0, less than ``count``."""
        return int(self.random() * count)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of them."""
        return choices[self.index(len(choices))]
