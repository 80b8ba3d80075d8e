"""The timetables of the memory store: plain data under the store's lock.

In a tick's life: a scheduler attends -> decides -> ``change`` moves the entry and posts its messages in one step.
Clocks: dates by the wall clock, the leader's lease by the monotonic one.
Does not know: what an entry says.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

from celeriac.abc import Runtime
from celeriac.core.message import Outgoing
from celeriac.core.schedules.timetable import Agenda, Change, Record

Pack = Callable[[Sequence[Outgoing]], Any]
Post = Callable[[Any], None]


class MemoryTimetable:
    """One timetable in the memory of one process."""

    def __init__(self, *, locked: Callable[[], AbstractContextManager[Any]], pack: Pack, post: Post, runtime: Runtime) -> None:
        """``locked`` gives the store's lock, ``pack`` turns messages into letters without it, ``post`` posts them under it."""
        self._locked, self._pack, self._post, self._runtime = locked, pack, post, runtime
        self._records: dict[str, Record] = {}
        self._names: list[str] = []
        self._heap: list[tuple[float, int, str]] = []
        """Due, revision, name; what has another revision now is passed over."""
        self._revisions = count(1)
        self._leader, self._leads_until = "", 0.0

    def attend(self, who: str, *, lease_s: float, limit: int) -> Agenda:
        """See ``abc.Timetable.attend``."""
        with self._locked():
            clock, now = self._runtime.monotonic(), self._runtime.time()
            if self._leader not in {"", who} and clock < self._leads_until:
                return Agenda(now=now, leader=self._leader)
            self._leader, self._leads_until = who, clock + lease_s
            due = self._take_due(now, limit)
            next_due = self._first()
            for record in due:  # each stays due until somebody has changed it
                heappush(self._heap, (record.due or 0.0, record.revision, record.name))
            return Agenda(now=now, leader=who, records=due, next_due=next_due)

    def resign(self, who: str) -> None:
        """See ``abc.Timetable.resign``."""
        with self._locked():
            if self._leader == who:
                self._leader = ""

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        """See ``abc.Timetable.change``."""
        packed = [self._pack(change.messages) for change in changes]
        with self._locked():
            return [self._carry_out(change, letters) for change, letters in zip(changes, packed, strict=True)]

    def _carry_out(self, change: Change, letters: Any) -> bool:
        known = self._records.get(change.name)
        if (0 if known is None else known.revision) != change.seen:
            return False
        if known is None:
            insort(self._names, change.name)
        entry = change.entry if change.entry is not None else known.entry if known is not None else b""
        record = Record(name=change.name, revision=next(self._revisions), entry=entry, state=change.state, due=change.due)
        self._records[change.name] = record
        if record.due is not None:
            heappush(self._heap, (record.due, record.revision, record.name))
        self._post(letters)
        self._thin_out()
        return True

    def remove(self, names: Sequence[str]) -> int:
        """See ``abc.Timetable.remove``."""
        with self._locked():
            there = [name for name in dict.fromkeys(names) if self._records.pop(name, None) is not None]
            for name in there:
                del self._names[bisect_right(self._names, name) - 1]
            return len(there)

    def read(self, names: Sequence[str]) -> Sequence[Record | None]:
        """See ``abc.Timetable.read``."""
        with self._locked():
            return [self._records.get(name) for name in names]

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[Record]:
        """See ``abc.Timetable.page``."""
        with self._locked():
            first = bisect_right(self._names, after) if after else 0
            return [self._records[name] for name in self._names[first : first + limit]]

    def count(self) -> int:
        """See ``abc.Timetable.count``."""
        with self._locked():
            return len(self._names)

    # --- steps under the lock -------------------------------------------------------------------------------------

    def _take_due(self, now: float, limit: int) -> list[Record]:
        found: list[Record] = []
        while len(found) < limit and (first := self._first()) is not None and first <= now:
            found.append(self._records[heappop(self._heap)[2]])
        return found

    def _first(self) -> float | None:
        while self._heap and not self._holds(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _holds(self, item: tuple[float, int, str]) -> bool:
        record = self._records.get(item[2])
        return record is not None and record.revision == item[1]

    def _thin_out(self) -> None:
        """An entry that is moved again and again before it is due must not grow the heap."""
        if len(self._heap) > 2 * len(self._records) + 100:
            self._heap = [item for item in self._heap if self._holds(item)]
            heapify(self._heap)
