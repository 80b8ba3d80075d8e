"""What is not due yet: letters in the order of their dates.

In a job's life: publish (with an eta) -> here -> queues, when ``keep`` finds it due. Plain data under the store's lock.
Does not know: clocks; it is told what time it is.
"""

from __future__ import annotations

from collections.abc import Collection
from heapq import heapify, heappop, heappush
from itertools import count

from celeriac.drivers.memory.queues import Letter


class Schedule:
    """A heap of letters by due time; of one moment, the first that came is the first to go."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Letter]] = []
        self._arrivals = count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: float, letter: Letter) -> bool:
        """Keep ``letter`` until ``due`` (seconds since 1970); say whether it is due before all others."""
        earliest = not self._heap or due < self._heap[0][0]
        heappush(self._heap, (due, next(self._arrivals), letter))
        return earliest

    def take_due(self, now: float) -> list[Letter]:
        """Remove and return what is due."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heappop(self._heap)[2])
        return due

    def take(self, queues: Collection[str], limit: int) -> list[Letter]:
        """Remove and return the first that are meant for ``queues``, due or not."""
        taken = sorted(item for item in self._heap if item[2].queue in queues)[:limit]
        gone = {number for _, number, _ in taken}
        self._heap = [item for item in self._heap if item[1] not in gone]
        heapify(self._heap)
        return [letter for _, _, letter in taken]

    def dates(self) -> list[tuple[float, Letter]]:
        """Return everything that is not due yet, by its date."""
        return [(due, letter) for due, _, letter in sorted(self._heap, key=lambda item: item[:2])]

    def letters(self) -> list[Letter]:
        """Return everything that is not due yet."""
        return [letter for _, _, letter in self._heap]

    def next_due(self) -> float | None:
        """Return the earliest due time, or ``None``."""
        return self._heap[0][0] if self._heap else None

    def last_due(self) -> float | None:
        """Return the latest due time, or ``None``."""
        return max(due for due, _, _ in self._heap) if self._heap else None

    def drop(self, queues: Collection[str]) -> int:
        """Forget what is meant for ``queues``; return how many letters that were."""
        kept = [item for item in self._heap if item[2].queue not in queues]
        dropped = len(self._heap) - len(kept)
        heapify(kept)
        self._heap = kept
        return dropped
