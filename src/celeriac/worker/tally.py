"""How many tasks of each name the children of a node have run, in memory that the supervisor can read.

In a job's life: its last moment. A child counts for itself and adds what it has counted before each fetch; the figures of a child
that ended stay. Words in one mapping, made before the first child: no system call, no lock. Does not know: messages.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Mapping

_WORD = 8


class Tally:
    """A row for each child that can be, a word for each task that is known when the node begins."""

    def __init__(self, names: Iterable[str], rooms: int, *, memory: mmap.mmap | None = None) -> None:
        """``memory``: of ``size_of`` bytes. ``None``: some that forked children share."""
        self._names = sorted(names)
        self._places = {name: place for place, name in enumerate(self._names)}
        self._width = max(1, len(self._names))
        memory = memory or mmap.mmap(-1, self.size_of(self._width, rooms))
        self._words: memoryview[int] = memoryview(memory).cast("Q")

    @staticmethod
    def size_of(names: int, rooms: int) -> int:
        """Return how many bytes it takes."""
        return max(1, names) * max(1, rooms) * _WORD

    def add(self, room: int, counts: Mapping[str, int]) -> None:
        """Add what was counted in a room; a name that was not known counts nowhere. Only its child may call."""
        first = room * self._width
        # A copy: another thread of the child may be counting.
        for name in list(counts):
            place = self._places.get(name)
            if place is not None:
                self._words[first + place] += counts[name]

    def totals(self) -> dict[str, int]:
        """Return how many of each were run in all rooms, of those that were."""
        sums = [sum(self._words[place :: self._width]) for place in range(len(self._names))]
        return {name: total for name, total in zip(self._names, sums, strict=True) if total}
