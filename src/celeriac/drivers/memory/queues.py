"""What waits: for each queue and priority a line of messages, as bytes.

In a job's life: publish -> here -> leases. Plain data under the store's lock. Does not know: clocks, leases, waiters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from msgspec import Struct

PRIORITIES = range(10)
"""0 is served first."""


class Letter(Struct, frozen=True):
    """One message with its address in this store."""

    queue: str
    priority: int
    """0 … 9."""
    raw: bytes
    """The envelope, or whatever a stranger put there."""
    joined: bool = False
    """As ``Delivery.joined``; of one that is held."""


class Queues:
    """Lines of letters. Of the queues together the lowest priority number comes first."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[deque[Letter], ...]] = {}

    def add_last(self, letter: Letter) -> None:
        """Put ``letter`` behind those of its priority."""
        self._line(letter).append(letter)

    def add_first(self, letter: Letter) -> None:
        """Put ``letter`` before those of its priority."""
        self._line(letter).appendleft(letter)

    def take(self, queues: Sequence[str], limit: int) -> list[Letter]:
        """Remove and return up to ``limit`` letters: by priority, then by the order of ``queues``, then by age."""
        lines = [self._lines[queue] for queue in queues if queue in self._lines]
        taken: list[Letter] = []
        for priority in PRIORITIES:
            for line in lines:
                while line[priority] and len(taken) < limit:
                    taken.append(line[priority].popleft())
        return taken

    def count(self, queue: str) -> int:
        """Return how many letters wait in ``queue``."""
        return sum(map(len, self._lines.get(queue, ())))

    def drop(self, queue: str) -> int:
        """Forget what waits in ``queue``; return how many letters that were."""
        dropped = self.count(queue)
        self._lines.pop(queue, None)
        return dropped

    def line(self, queue: str) -> list[Letter]:
        """Return what waits in ``queue``, the next to be served first."""
        return [letter for line in self._lines.get(queue, ()) for letter in line]

    def letters(self) -> list[Letter]:
        """Return everything that waits, in whatever queue."""
        return [letter for lines in self._lines.values() for line in lines for letter in line]

    def _line(self, letter: Letter) -> deque[Letter]:
        lines = self._lines.get(letter.queue)
        if lines is None:
            lines = self._lines[letter.queue] = tuple(deque() for _ in PRIORITIES)
        return lines[letter.priority]
