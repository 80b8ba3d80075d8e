"""Timeline: the events of tasks in their order, by the logical clocks of those who told them.

In an event's life: beside ``State``, which asks it which tasks were last heard of. Nearly every event is later than the one
before, so that it is put at the end; a late one is put where it belongs. Bounded: the oldest quarter makes room at once, which
costs each event next to nothing. Tasks are held weakly. Does not know: what happened.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple
from weakref import ref

from celeriac.events.tasks import Task

_ROOM: Final = 4
"""One part in so many is forgotten at once."""


class Moment(NamedTuple):
    """One event of one task. Which of two is earlier: by their clocks, if both have one, or else by their times."""

    clock: int
    timestamp: float
    id: str
    """Who told it: decides between equal clocks."""
    obj: ref[Task]

    def __lt__(self, other: tuple[object, ...]) -> bool:
        assert isinstance(other, Moment)
        if self.clock and other.clock:
            return (self.clock, self.id) < (other.clock, other.id)
        return self.timestamp < other.timestamp

    def __gt__(self, other: tuple[object, ...]) -> bool:
        assert isinstance(other, Moment)
        return other < self


class Timeline(list[Moment]):
    """The latest ``limit`` events, the oldest first."""

    def __init__(self, limit: int, moments: Iterable[Moment] = ()) -> None:
        super().__init__(moments)
        self.limit = limit

    def note(self, moment: Moment) -> None:
        """Put one event where it belongs."""
        if len(self) >= self.limit:
            del self[: max(1, self.limit // _ROOM)]
        if not self or moment > self[-1]:
            self.append(moment)
        else:
            insort(self, moment)

    def tasks(self, limit: int | None, *, latest_first: bool) -> Iterator[tuple[str, Task]]:
        """Yield up to ``limit`` tasks, each once."""
        return islice(self._each_once(latest_first), 0, limit)

    def _each_once(self, latest_first: bool) -> Iterator[tuple[str, Task]]:
        seen: set[str] = set()
        for moment in list(reversed(self) if latest_first else self):  # others may note some meanwhile
            task = moment.obj()
            if task is not None and task.uuid is not None and task.uuid not in seen:
                seen.add(task.uuid)
                yield task.uuid, task


def moment_of(task: Task) -> Moment:
    """Return the last moment of a task."""
    return Moment(task.clock, task.timestamp or 0.0, str(task.origin), ref(task))
