"""``solar``: when the sun rises, sets or stands highest, at one place on earth.

In a program's life: as the other schedules (``schedules.py``). The library ``ephem`` knows the sky (extra ``celeriac[solar]``).
Source: Celery's guide, "Solar schedules", and its reference of ``celery.schedules.solar``. Does not know: what is to be sent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Unpack

from celeriac.app.clocked import ClockKeywords
from celeriac.app.schedules import BaseSchedule, schedstate
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.schedules.solar import EVENTS

_NORTH_POLE = 90
_DATE_LINE = 180


class solar(BaseSchedule):  # noqa: N801 - Celery's name
    """At something that the sun does, about once a day.

    Args:
        event: Such as ``"sunrise"``: one of ``core.schedules.solar.EVENTS``.
        lat: Degrees to the north of the equator, -90 to 90.
        lon: Degrees to the east of Greenwich, -180 to 180.
        nowfun: Returns the present moment. ``None``: the app's clock.
        app: Whose clock holds. ``None``: the current one's.

    Raises:
        ImproperlyConfigured: ``ephem`` is not installed.
        ValueError: there is no such event, or no such place.
    """

    max_search_days = 366
    """Near the poles an event may not happen for months: so many days are searched, then it is asked again."""

    def __init__(self, event: str, lat: float, lon: float, **kwargs: Unpack[ClockKeywords]) -> None:
        if event not in EVENTS:
            raise ValueError(f"event = {event!r} is nothing that the sun does: give one of {', '.join(sorted(EVENTS))}")
        if not -_NORTH_POLE <= lat <= _NORTH_POLE:
            raise ValueError(f"lat = {lat!r} is not from -90 to 90")
        if not -_DATE_LINE <= lon <= _DATE_LINE:
            raise ValueError(f"lon = {lon!r} is not from -180 to 180")
        self.ephem = _ephem()
        self.event = event
        self.lat = lat
        self.lon = lon
        self._orig_kwargs = kwargs
        super().__init__(**kwargs)
        self.cal = self.ephem.Observer()
        self.cal.lat, self.cal.lon = str(lat), str(lon)
        self.cal.elev = 0
        self.cal.pressure = 0  # the horizon's angle has the bending of light in it already
        self.cal.horizon = EVENTS[event].horizon
        self.method = EVENTS[event].method
        self.use_center = EVENTS[event].use_center

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        """Return how long it is from now to the first such event after ``last_run_at``; negative when that is overdue.

        If there is none within ``max_search_days``: to the end of the search, to be asked again.
        """
        return self._until(self.next_after(self.maybe_make_aware(last_run_at).astimezone(UTC)))

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Return whether the event has happened since ``last_run_at``, and after how many seconds to ask again."""
        return self._in_turn(last_run_at)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first such event after ``moment``; if there is none within ``max_search_days``, the end of the search."""
        sun = self.ephem.Sun()
        # Rising and setting are asked with the part of the disc that is meant; a transit knows no such thing.
        part = {"use_center": True} if self.use_center else {}
        start = self.ephem.Date(moment)
        for _ in range(self.max_search_days):
            try:
                start = getattr(self.cal, self.method)(sun, start=start, **part)
                break
            except self.ephem.CircumpolarError:  # not today: go on from the next midnight of the sun
                start = self.cal.next_antitransit(sun, start=start)
        found: datetime = start.datetime()
        return found.replace(tzinfo=UTC)

    def __repr__(self) -> str:
        return f"<solar: {self.event} at latitude {self.lat}, longitude: {self.lon}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, solar):
            return NotImplemented
        return (self.event, self.lat, self.lon) == (other.event, other.lat, other.lon)

    def __hash__(self) -> int:
        return hash((self.event, self.lat, self.lon))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.event, self.lat, self.lon), self._orig_kwargs

    def __setstate__(self, state: ClockKeywords) -> None:
        super().__init__(**state)
        self._orig_kwargs = state


def _ephem() -> Any:
    try:
        import ephem  # late: few programs look at the sun
    except ImportError:
        raise ImproperlyConfigured(
            "solar(...) needs the library ephem, which is not installed: pip install 'celeriac[solar]'"
        ) from None
    return ephem
