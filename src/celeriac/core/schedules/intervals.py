"""Every so often: when is the next run, counted from the last one or by the clock on the wall?

In a program's life: asked after each run, for the run after it. An interval counts real time: an hour is 3600 seconds on the day
when clocks change, too. By the clock (``relative``) it ends at a full second, minute, hour or midnight, whichever its length
reaches; days are then days of the calendar.
Source: Celery's guide, "Periodic Tasks" (``relative``). Does not know: clocks, what was run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_SECOND: Final = timedelta(seconds=1)
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def next_after(last: datetime, every: timedelta, *, relative: bool = False) -> datetime:
    """Return when the run after that of ``last`` is to be, in the zone of ``last``.

    Args:
        last: With a time zone: whose clock ``relative`` means.
        every: How long after it. Nothing, or less: at once.
        relative: By the clock: the last full unit until then that is later than ``last``. Below a second it means nothing.
    """
    zone = last.tzinfo
    start = last.astimezone(UTC)
    end = (start + every).astimezone(zone)
    unit = _unit(every)
    if not relative or unit is None:
        return end
    if unit == _DAY:
        midnight = (last.replace(tzinfo=None, fold=0) + every).replace(hour=0, minute=0, second=0, microsecond=0)
        return min((at for at in _instants(midnight, last) if at > start), default=start + every).astimezone(zone)
    floor = _floor(end.replace(tzinfo=None, fold=0), unit)
    before = [at for at in _instants(floor, last) if start < at <= start + every]
    if before:
        return max(before).astimezone(zone)
    # A clock that jumps by half an hour may have no full hour in between: take the one that follows.
    after = [at for at in _instants(floor + unit, last) if at > start]
    return min(after, default=start + every).astimezone(zone)


def seconds_in_words(seconds: float) -> str:
    """Return a duration as ``1.50 hours``; nothing is ``now``. The form is Celery's."""
    for name, length in _UNITS:
        if round(seconds, 2) >= length:
            count = round(seconds, 2) / length
            return f"{count:.2f} {name}{'s' if count > 1 else ''}"
    return "now"


def _unit(every: timedelta) -> timedelta | None:
    return next((unit for unit in (_DAY, _HOUR, _MINUTE, _SECOND) if every >= unit), None)


def _floor(wall: datetime, unit: timedelta) -> datetime:
    whole = wall.replace(microsecond=0)
    if unit >= _MINUTE:
        whole = whole.replace(second=0)
    return whole.replace(minute=0) if unit >= _HOUR else whole


def _instants(wall: datetime, like: datetime) -> list[datetime]:
    """Return when a time on the wall really is, in UTC: twice where the clock goes back, as much later where it jumps over it."""
    first, second = (wall.replace(tzinfo=like.tzinfo, fold=fold).astimezone(UTC) for fold in (0, 1))
    return [first, second] if second > first else [first]
