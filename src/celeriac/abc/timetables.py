"""What a broker that keeps timetables must do: the entries of periodic tasks, and ticks that are one step with their messages.

Before a job's life. Does not know: when an entry is due next, who attends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from celeriac.core.schedules.timetable import Agenda, Change, Record


class Timetable(Protocol):
    """The entries of a beat, by name, for all its schedulers. They are in the broker: a tick and its message are one step."""

    def attend(self, who: str, *, lease_s: float, limit: int) -> Agenda:
        """Lead for ``lease_s`` seconds from now, unless another does; the leader reads up to ``limit`` entries that are due.

        That one leads saves work and proves nothing: a leader that was frozen may act after its lease, and ``change`` refuses it.
        """

    def resign(self, who: str) -> None:
        """Lead no more, if ``who`` does: another may at once."""

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Carry out each change, whole or not at all: the entry, and its messages as ``publish`` would; say which were.

        One whose entry is not in the revision that was ``seen`` changes nothing. So does one whose answer was lost and which is
        made again: whether it was carried out shows when the entry is read.

        Raises:
            BrokerUnreachable: no answer; some may have been carried out.
            StoreRefused: the server said no to one of them; others may have been carried out.
        """

    def remove(self, names: Sequence[str]) -> int:
        """Forget these entries; return how many there were."""

    def read(self, names: Sequence[str]) -> Sequence[Record | None]:
        """Return these entries; ``None`` for each that is not there."""

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[Record]:
        """Return up to ``limit`` entries by the order of their names, beginning after ``after``."""

    def count(self) -> int:
        """Return how many entries there are."""


class Timetables(Protocol):
    """A Broker that keeps timetables."""

    def timetable(self, name: str) -> Timetable:
        """Return the timetable of this name, empty if nobody has put anything there. Nothing is connected."""
