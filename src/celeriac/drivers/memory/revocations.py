"""Which tasks must not start: ids with an end, and a revision that grows with each change.

Plain data under the store's lock. Does not know: clocks (it is told what time it is).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

KEPT = 50_000
"""So many of the newest are remembered."""


class Revocations:
    """Revoked ids, the newest last. That one ends by itself is no new revision: forbidding it longer harms nobody."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self.revision = 0

    def add(self, ids: Sequence[str], *, until: float) -> None:
        """Forbid these ids until ``until`` (seconds of the clock that ``current`` is asked with)."""
        for id in ids:
            self._ends.pop(id, None)
            self._ends[id] = until
        for id in list(islice(self._ends, max(0, len(self._ends) - KEPT))):
            del self._ends[id]
        self.revision += 1

    def current(self, now: float) -> frozenset[str]:
        """Return the ids that are forbidden now."""
        for id in [id for id, end in self._ends.items() if end <= now]:
            del self._ends[id]
        return frozenset(self._ends)
