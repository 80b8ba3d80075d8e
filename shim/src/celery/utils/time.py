"""Time zones, durations and rates, by Celery's names."""

from __future__ import annotations

import random
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from celeriac.app.parts.zones import zone_of
from celery.utils.iso8601 import parse_iso8601

ZERO: Final = timedelta()
DAYNAMES: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


class _Zone:
    """The zones that are asked for by name: ``timezone.utc``, ``timezone.local``, ``timezone.get_timezone(...)``."""

    utc: tzinfo = ZoneInfo("UTC")

    @property
    def local(self) -> tzinfo:
        """The zone of this machine."""
        return zone_of(None, enable_utc=False, now=datetime.now(UTC))

    def tz_or_local(self, tzinfo: tzinfo | str | None = None) -> tzinfo:
        """Return the zone, or that of this machine."""
        return self.local if tzinfo is None else self.get_timezone(tzinfo)

    def get_timezone(self, zone: tzinfo | str) -> tzinfo:
        """Return the zone of that name."""
        return ZoneInfo(zone) if isinstance(zone, str) else zone

    def to_local(self, dt: datetime, local: tzinfo | None = None, orig: tzinfo | None = None) -> datetime:
        """Return the moment in the local zone; without a zone it is meant in ``orig``, by default UTC."""
        return localize(make_aware(dt, orig or self.utc) if is_naive(dt) else dt, self.tz_or_local(local))

    def to_system(self, dt: datetime) -> datetime:
        """Return the moment in the zone of this machine."""
        return dt.astimezone()


timezone: Final = _Zone()


def is_naive(dt: datetime) -> bool:
    """Say whether it has no time zone."""
    return dt.utcoffset() is None


def make_aware(dt: datetime, tz: tzinfo) -> datetime:
    """Return the same reading of the clock, in this zone."""
    return dt.replace(tzinfo=tz)


def localize(dt: datetime, tz: tzinfo) -> datetime:
    """Return the same moment, in this zone."""
    return (make_aware(dt, tz) if is_naive(dt) else dt).astimezone(tz)


def to_utc(dt: datetime) -> datetime:
    """Return the moment in UTC; without a zone it is UTC."""
    return make_aware(dt, timezone.utc) if is_naive(dt) else dt.astimezone(timezone.utc)


def maybe_make_aware(dt: datetime, tz: tzinfo | None = None, naive_as_utc: bool = True) -> datetime:
    """Return the moment with a zone: its own, or ``tz``; one without is meant in UTC, or in ``tz`` itself."""
    if not is_naive(dt):
        return dt
    if naive_as_utc:
        dt = to_utc(dt)
    return localize(dt, timezone.utc if tz is None else timezone.tz_or_local(tz))


def maybe_iso8601(dt: datetime | str | None) -> datetime | None:
    """Return the moment that a text says; a moment, or nothing, as it is."""
    return parse_iso8601(dt) if isinstance(dt, str) else dt


def maybe_timedelta(delta: float | timedelta | None) -> timedelta | None:
    """Return a number as so many seconds; a duration, or nothing, as it is."""
    return timedelta(seconds=delta) if isinstance(delta, int | float) else delta


def delta_resolution(dt: datetime, delta: timedelta) -> datetime:
    """Return the moment without the units that are smaller than the biggest one of ``delta``."""
    seconds = max(delta.total_seconds(), 0)
    if seconds >= _SECONDS["h"] * 24:
        return datetime(dt.year, dt.month, dt.day, tzinfo=dt.tzinfo)
    if seconds >= _SECONDS["h"]:
        return dt.replace(minute=0, second=0, microsecond=0)
    if seconds >= _SECONDS["m"]:
        return dt.replace(second=0, microsecond=0)
    return dt


def remaining(start: datetime, ends_in: timedelta | Any, now: datetime | None = None, relative: bool = False) -> timedelta:
    """Return how long it is until ``start + ends_in``; negative: it is over.

    Args:
        start: When it began.
        ends_in: How long it takes, or an ``ffwd``.
        now: By default this moment.
        relative: The end is at a whole unit: whole days if it takes days, and so on.
    """
    now = now or datetime.now(UTC).astimezone(start.tzinfo if start.tzinfo else UTC)
    if start.tzinfo is None:
        now = now.replace(tzinfo=None)
    end: datetime = start + ends_in
    if relative:
        end = delta_resolution(end, ends_in)
    return end - now


def rate(r: str | float | None) -> float:
    """Return how many a second ``"10/m"`` means; nothing is 0."""
    if not isinstance(r, str):
        return r or 0
    number, _, unit = r.partition("/")
    return float(number) / _SECONDS[unit or "s"]


def weekday(name: str) -> int:
    """Return the number of a day of the week, Sunday being 0.

    Raises:
        KeyError: there is no such day.
    """
    try:
        return DAYNAMES.index(name[:3].lower())
    except ValueError:
        raise KeyError(name) from None


def humanize_seconds(secs: float, prefix: str = "", sep: str = "", now: str = "now", microseconds: bool = False) -> str:
    """Return a duration as a person would say it: in its biggest unit, with two digits."""
    for unit, size in _UNITS:
        if secs >= size:
            count = secs / size
            shown = f"{count:.2f}"
            return f"{prefix}{sep}{shown} {unit}{'' if shown == '1.00' else 's'}"
    if microseconds and secs > 0:
        return f"{prefix}{sep}{secs:.2f} seconds"
    return now


def utcoffset(time: Any = None, localtime: Any = None) -> int:
    """Return how many hours this machine's clock is behind UTC."""
    del time, localtime
    offset = datetime.now(UTC).astimezone().utcoffset() or ZERO
    return -int(offset.total_seconds()) // _SECONDS["h"]


def adjust_timestamp(ts: float, offset: int, here: Callable[[], int] = utcoffset) -> float:
    """Return a time stamp of a machine that is ``offset`` hours behind UTC, as one of this machine."""
    return ts - (offset - here()) * _SECONDS["h"]


def get_exponential_backoff_interval(factor: float, retries: int, maximum: float, full_jitter: bool = False) -> float:
    """Return seconds to wait: twice as many at each retry, ``maximum`` at most; anything up to that with ``full_jitter``."""
    countdown = min(maximum, factor * 2**retries)
    return max(0, random.randrange(int(countdown) + 1) if full_jitter else countdown)


class ffwd:  # noqa: N801 - Celery's name
    """A change of a moment that it is added to: ``hour=5`` puts it there, ``weeks=1`` moves on, ``weekday=0`` finds Monday."""

    def __init__(
        self,
        year: int | None = None,
        month: int | None = None,
        weeks: int = 0,
        weekday: int | None = None,
        day: int | None = None,
        hour: int | None = None,
        minute: int | None = None,
        second: int | None = None,
        microsecond: int | None = None,
    ) -> None:
        self.year, self.month, self.day = year, month, day
        self.hour, self.minute, self.second, self.microsecond = hour, minute, second, microsecond
        self.weeks, self.weekday, self.days = weeks, weekday, weeks * 7

    def __radd__(self, other: object) -> Any:
        if not isinstance(other, date):
            return NotImplemented
        year, month = self.year or other.year, self.month or other.month
        day = min(monthrange(year, month)[1], self.day or other.day)
        clock = {name: getattr(self, name) for name in ("hour", "minute", "second", "microsecond")}
        fields = {name: value for name, value in clock.items() if value is not None and isinstance(other, datetime)}
        moved = other.replace(year=year, month=month, day=day, **fields) + timedelta(days=self.days)
        if self.weekday is not None:
            moved += timedelta(days=(self.weekday - moved.weekday()) % 7)
        return moved

    def __repr__(self) -> str:
        given = {name: value for name, value in vars(self).items() if value and name != "days"}
        return f"ffwd({', '.join(f'{name}={value!r}' for name, value in given.items())})"
