"""How much memory a child may hold before another takes its place.

In a node's life: a child looks between two batches, where the operator has set a bound. Celery's bound is of the largest size
that a process ever had, in KiB; here it is the size that it has now, so one that has given memory back lives on.
"""

from __future__ import annotations

import os
import sys
from typing import Final, Self

from msgspec import Struct

_PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") // 1024 if hasattr(os, "sysconf") else 4


class MemoryLimit(Struct, frozen=True):
    """A bound in KiB."""

    kib: int
    grown: bool = False
    """Of what it has grown by since it was ready, not of all that it holds."""

    @classmethod
    def parse(cls, text: int | str) -> Self:
        """Read ``250000`` or ``"+50000"``.

        Raises:
            ValueError: it is neither, or not more than 0.
        """
        digits = str(text).removeprefix("+")
        if not digits.isascii() or not digits.isdecimal() or int(digits) == 0:
            raise ValueError(f"{text!r} is no number of KiB, nor a plus and such a number")
        return cls(int(digits), grown=digits != str(text))


class MemoryBound:
    """The bound of this process, from now on."""

    def __init__(self, limit: MemoryLimit) -> None:
        self._bound = limit.kib + resident_kib() if limit.grown else limit.kib

    def is_reached(self) -> bool:
        """Whether this process holds more than it may."""
        return resident_kib() > self._bound


def resident_kib() -> int:
    """Return how much memory this process holds, KiB; where the system does not say, the most that it has ever held."""
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_KIB
    import resource  # late: only where it is needed

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
