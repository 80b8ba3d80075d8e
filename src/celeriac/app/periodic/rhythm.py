"""From a schedule to its moments: which is the next one, and which have passed since?

In a tick's life: entry -> **rhythm** -> ``beat/scheduler.py``. Pure: moments come in, moments go out, all with a time zone; a
schedule is asked for its numbers, never for the time. A schedule whose class says by itself when it is due (Celery's interface,
``is_due``), or that has a clock of its own, has no rhythm: it must be asked each time.
Does not know: entries, clocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, Protocol

from msgspec import Struct

from celeriac.app.schedules import BaseSchedule, crontab, schedule
from celeriac.app.solar import solar
from celeriac.core.schedules.crontab import Crontab, Doubled, Skipped
from celeriac.core.schedules.intervals import next_after as next_by_the_clock

SHORTEST: Final = timedelta(milliseconds=1)
"""Timetables keep no shorter time."""
_DAY: Final = timedelta(days=1)


class Rhythm(Protocol):
    """The moments of a schedule."""

    @property
    def steady(self) -> bool:
        """Whether it goes on through whatever the clock on the wall does, rather than at hours that it names."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first moment that is later than ``moment``. ``None``: there is none."""

    def latest(self, first: datetime, now: datetime, count: int) -> list[datetime]:
        """Return up to ``count`` moments from ``first``, which is one, to ``now``: the latest of them, in order."""


class Every(Struct, frozen=True):
    """So long after the one before, in real time."""

    every: timedelta
    steady: bool = True

    def next_after(self, moment: datetime) -> datetime | None:
        """See ``Rhythm``."""
        try:
            return moment.astimezone(UTC) + max(self.every, SHORTEST)
        except OverflowError:  # after the last day of the calendar
            return None

    def latest(self, first: datetime, now: datetime, count: int) -> list[datetime]:
        """See ``Rhythm``."""
        every = max(self.every, SHORTEST)
        last = (now - first) // every
        return [first + number * every for number in range(max(0, last - count + 1), last + 1)]


class ByTheClock(Struct, frozen=True):
    """So long after the one before, at full seconds, minutes, hours or midnights."""

    every: timedelta
    zone: tzinfo
    steady: bool = True

    def next_after(self, moment: datetime) -> datetime | None:
        """See ``Rhythm``."""
        try:
            return next_by_the_clock(moment.astimezone(self.zone), self.every, relative=True).astimezone(UTC)
        except OverflowError:
            return None

    def latest(self, first: datetime, now: datetime, count: int) -> list[datetime]:
        """See ``Rhythm``."""
        # Days are few and are counted from the first; of shorter ones each is a full unit, wherever one begins to count.
        return _latest(self.next_after, first, now, count, look_back=now - first if self.every >= _DAY else timedelta(hours=1))


class Cron(Struct, frozen=True):
    """At times on the wall."""

    crontab: Crontab
    zone: tzinfo

    @property
    def steady(self) -> bool:
        """See ``Rhythm``."""
        return self.crontab.is_rhythm

    def next_after(self, moment: datetime) -> datetime | None:
        """See ``Rhythm``."""
        try:
            return self.crontab.next_after(moment.astimezone(self.zone)).astimezone(UTC)
        except OverflowError:
            return None

    def latest(self, first: datetime, now: datetime, count: int) -> list[datetime]:
        """See ``Rhythm``."""
        return _latest(self.next_after, first, now, count)


class Sun(Struct, frozen=True):
    """When the sun does something."""

    event: solar
    steady: bool = False

    def next_after(self, moment: datetime) -> datetime | None:
        """See ``Rhythm``."""
        # The astronomer's clock has full seconds in it and finds the same event again a moment later.
        return self.event.next_after(moment.astimezone(UTC) + timedelta(seconds=60))

    def latest(self, first: datetime, now: datetime, count: int) -> list[datetime]:
        """See ``Rhythm``."""
        return _latest(self.next_after, first, now, count, look_back=_DAY)


def rhythm_of(when: Any, zone: tzinfo | None = None, skipped: Skipped = "later", doubled: Doubled = "rhythm") -> Rhythm | None:
    """Return the rhythm of a schedule. ``None``: it must be asked each time.

    Args:
        when: The schedule.
        zone: Whose clock it goes by. ``None``: that of the schedule, which is its app's.
        skipped: Of crontabs: what becomes of a time that the clock jumps over.
        doubled: Of crontabs: which one counts of a time that happens twice.
    """
    if not isinstance(when, BaseSchedule) or when.nowfun is not None:
        return None
    kind = type(when)
    if isinstance(when, crontab) and _unchanged(kind, crontab):
        return Cron(when.fields(skipped, doubled), zone or when.tz)
    if isinstance(when, schedule) and _unchanged(kind, schedule) and when.run_every is not None:
        return ByTheClock(when.run_every, zone or when.tz) if when.relative else Every(when.run_every)
    if isinstance(when, solar) and _unchanged(kind, solar):
        return Sun(when)
    return None


def _unchanged(kind: type, ours: type) -> bool:
    return all(getattr(kind, name) is getattr(ours, name) for name in ("is_due", "remaining_estimate", "now"))


def _latest(
    next_after: Callable[[datetime], datetime | None],
    first: datetime,
    now: datetime,
    count: int,
    *,
    look_back: timedelta = timedelta(hours=1),
) -> list[datetime]:
    """Look back farther and farther until there are enough: after a year of silence nobody wants to walk through its minutes."""
    while True:
        start = max(first, now - look_back)
        found: deque[datetime] = deque([first] if start == first else [], maxlen=count)
        moment = next_after(start)
        while moment is not None and moment <= now:
            found.append(moment)
            moment = next_after(moment)
        if start == first or len(found) == count:
            return list(found)
        look_back *= 4
