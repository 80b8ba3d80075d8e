"""What operators have said: revoked ids and stamps, each with an end, and what is paused; one revision for all of it.

Plain data under the store's lock. Does not know: clocks (it is told what time it is), what waits or is parked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeVar

from celeriac.core.rules import REVOKED_AT_MOST, Rules

T = TypeVar("T")


class RuleBook:
    """Rules as they are written. That a revocation ends by itself is no new revision: forbidding it longer harms nobody."""

    def __init__(self) -> None:
        self._ids: dict[str, float] = {}
        self._stamps: dict[tuple[str, str], float] = {}
        self.paused_queues: frozenset[str] = frozenset()
        self.paused_tasks: frozenset[str] = frozenset()
        self.revision = 0

    def revoke(self, ids: Sequence[str], *, until: float, at_most: int = REVOKED_AT_MOST) -> None:
        """Forbid these ids until ``until`` (seconds of the clock that ``current`` is asked with)."""
        self._note(self._ids, ids, until, at_most)

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], *, until: float, at_most: int = REVOKED_AT_MOST) -> None:
        """Forbid what bears one of these stamps."""
        self._note(self._stamps, [(header, value) for header, values in stamps.items() for value in values], until, at_most)

    def pause(self, queues: Sequence[str], tasks: Sequence[str]) -> None:
        """Note that these are paused."""
        self._write(self.paused_queues.union(queues), self.paused_tasks.union(tasks))

    def resume(self, queues: Sequence[str], tasks: Sequence[str]) -> None:
        """Note that these are not paused."""
        self._write(self.paused_queues.difference(queues), self.paused_tasks.difference(tasks))

    def current(self, now: float) -> Rules:
        """Return what is in force now."""
        _drop_ended(self._ids, now)
        _drop_ended(self._stamps, now)
        stamps: dict[str, set[str]] = {}
        for header, value in self._stamps:
            stamps.setdefault(header, set()).add(value)
        frozen = {header: frozenset(values) for header, values in stamps.items()}
        return Rules(self.revision, frozenset(self._ids), frozen, self.paused_queues, self.paused_tasks)

    def _note(self, ends: dict[T, float], what: Sequence[T], until: float, at_most: int) -> None:
        if not what:
            return
        for one in what:
            ends.pop(one, None)  # the newest last
            ends[one] = until
        for one in list(islice(ends, max(0, len(ends) - at_most))):
            del ends[one]
        self.revision += 1

    def _write(self, queues: frozenset[str], tasks: frozenset[str]) -> None:
        if (queues, tasks) != (self.paused_queues, self.paused_tasks):
            self.paused_queues, self.paused_tasks = queues, tasks
            self.revision += 1


def _drop_ended(ends: dict[T, float], now: float) -> None:
    for one in [one for one, end in ends.items() if end <= now]:
        del ends[one]
