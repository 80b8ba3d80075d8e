"""Five fields of a crontab: which moment is the next one, in a time zone with all its jumps.

In a program's life: asked after each run, for the run after it. Fields mean the clock on the wall, in the zone of the moment that
comes in. Where that clock jumps:

    forward   a time that is skipped happens as much later as the clock jumps: 02:30 at 03:30. Nothing is left out.
    back      a time that happens twice counts once, the first time. But with every hour of the day (``hour="*"``) the rhythm
              goes on through both: every 15 minutes stays every 15 minutes. Celery pauses for that hour.

That is what a crontab does that says nothing else: ``skipped`` and ``doubled`` are for those that do.

Source: Celery's guide, "Periodic Tasks", and its reference of ``celery.schedules.crontab``.
Does not know: clocks, what was run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from typing import Final, Literal

from msgspec import Struct

from celeriac.core.errors import ImproperlyConfigured

_LONGEST_MONTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NEAR: Final = timedelta(hours=25)
"""No clock jumps farther than a day."""
_HOURS: Final = 24
_FEBRUARY: Final = 2


Skipped = Literal["later", "never"]
"""A time that the clock jumps over happens as much later, or is left out."""
Doubled = Literal["rhythm", "first", "second", "both"]
"""A time that happens twice counts the first time, the second time or both times. ``rhythm``: with every hour of the day both
times, otherwise the first time."""
SKIPPED: Final = ("later", "never")
DOUBLED: Final = ("rhythm", "first", "second", "both")


class Crontab(Struct, frozen=True, kw_only=True):
    """The numbers of all five fields, each sorted and not empty. A day must fit all three fields of days.

    Raises:
        ImproperlyConfigured: ``skipped`` or ``doubled`` is another word.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days_of_week: tuple[int, ...]
    """0 is Sunday."""
    days_of_month: tuple[int, ...]
    months: tuple[int, ...]
    skipped: Skipped = "later"
    doubled: Doubled = "rhythm"

    def __post_init__(self) -> None:
        for name, word, known in (("skipped", self.skipped, SKIPPED), ("doubled", self.doubled, DOUBLED)):
            if word not in known:
                raise ImproperlyConfigured(f"{name} = {word!r} is none of {', '.join(known)}")

    @property
    def never(self) -> bool:
        """Whether no month that it names has a day that it names, as with 31 February."""
        return not any(self.days_of_month[0] <= _LONGEST_MONTHS[month - 1] for month in self.months)

    @property
    def is_rhythm(self) -> bool:
        """Whether it names every hour of the day: it goes on through whatever the clock does."""
        return len(self.hours) == _HOURS

    def next_after(self, moment: datetime) -> datetime:
        """Return the first moment of the schedule that is later than ``moment``, in its zone.

        Args:
            moment: With a time zone: the one whose clock the fields mean.

        Raises:
            OverflowError: there is none before the year 10000.
        """
        if self.never:
            raise OverflowError(f"no month of {list(self.months)} has a day of {list(self.days_of_month)}")
        spread = _spread(moment)
        best: datetime | None = None
        last = datetime.max
        for wall in self._walls(moment.replace(tzinfo=None) - spread):
            if wall > last:
                break
            for instant in self._instants(wall, moment):
                if instant > moment.astimezone(UTC) and (best is None or instant < best):
                    best = instant
                    # Later on the wall may be sooner in truth, but only by as much as the clock jumps around here.
                    last = min(last, wall + _spread(instant.astimezone(moment.tzinfo)))
        if best is None:
            raise OverflowError(f"there is no run after {moment} and before the year {MAXYEAR + 1}")
        return best.astimezone(moment.tzinfo)

    def _instants(self, wall: datetime, moment: datetime) -> Iterator[datetime]:
        """Yield when a time on the wall really is, as far as it counts."""
        # For a time that is skipped, fold=0 counts on with the offset before the jump: as much later as the clock jumps.
        first = wall.replace(tzinfo=moment.tzinfo, fold=0).astimezone(UTC)
        second = wall.replace(tzinfo=moment.tzinfo, fold=1).astimezone(UTC)
        if second > first:
            if self.doubled != "second":
                yield first
            if self.doubled in {"second", "both"} or (self.doubled == "rhythm" and self.is_rhythm):
                yield second
        elif second == first or self.skipped == "later":
            yield first

    def _walls(self, after: datetime) -> Iterator[datetime]:
        """Yield times on the wall that fit, later than ``after``, in order."""
        for day in self._days(after.date()):
            start = after.time() if day == after.date() else None
            for hour in self.hours:
                if start is not None and hour < start.hour:
                    continue
                passed = start is not None and hour == start.hour
                for minute in self.minutes[bisect_right(self.minutes, after.minute) if passed else 0 :]:
                    yield datetime.combine(day, time(hour, minute))

    def _days(self, first: date) -> Iterator[date]:
        """Yield the days that fit, from ``first`` on."""
        for year in range(first.year, MAXYEAR + 1):
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for number in self.days_of_month:
                    if number > _length(year, month):
                        break
                    day = date(year, month, number)
                    if day >= first and day.isoweekday() % 7 in self.days_of_week:
                        yield day


def _length(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _LONGEST_MONTHS[month - 1] - (month == _FEBRUARY and not leap)


def _spread(moment: datetime) -> timedelta:
    """Return how far the clock jumps around this moment: nothing, on nearly all days."""
    offsets = [offset for near in _around(moment) if (offset := near.utcoffset()) is not None]
    return max(offsets) - min(offsets)


def _around(moment: datetime) -> Iterator[datetime]:
    yield moment
    utc = moment.astimezone(UTC)
    for distance in (-_NEAR, _NEAR):
        try:
            yield (utc + distance).astimezone(moment.tzinfo)
        except OverflowError:  # the ends of the calendar
            continue
