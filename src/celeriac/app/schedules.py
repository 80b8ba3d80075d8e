"""``schedule`` and ``crontab``: what a settings file says about periodic tasks, and when that is, by the app's clock.

In a program's life: made when settings are read. Beat takes from them when the next run is (``app/periodic``); a program may ask
``is_due(last_run_at)`` by itself. The clock is ``nowfun``, or the app's; the zone is the app's. Reckoned in ``core/schedules``.
Source: Celery's guide, "Periodic Tasks", and its reference of ``celery.schedules``. Does not know: what is to be sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, TypeVar, Unpack, cast, overload

from celeriac.app.clocked import Clocked, ClockKeywords, Now
from celeriac.app.current import get_current_app
from celeriac.app.parts.zones import zone_of
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.schedules import fields
from celeriac.core.schedules.crontab import Crontab, Doubled, Skipped
from celeriac.core.schedules.fields import ParseException
from celeriac.core.schedules.intervals import next_after, seconds_in_words

Cronspec = int | str | Iterable[int]
"""What a field of a crontab may be."""
Given = Cronspec | Callable[[], Cronspec] | None
"""What ``crontab`` takes for one."""
S = TypeVar("S")
_TINY = timedelta(microseconds=1)
log = logging.getLogger("celeriac.app")


class schedstate(NamedTuple):  # noqa: N801 - Celery's name
    """Whether it is time now, and after how many seconds to ask again."""

    is_due: bool
    next: float


class BaseSchedule:
    """When something is to be done. A schedule of your own overrides ``is_due`` and ``remaining_estimate``."""

    _tz: tzinfo | None = None  # of the class, since a subclass may set it before it calls our constructor

    def __init__(self, nowfun: Now | None = None, app: Clocked | None = None) -> None:
        self.nowfun = nowfun
        self._app = app

    def now(self) -> datetime:
        """Return the present moment: ``nowfun()``, or ``now()`` of the app."""
        return (self.nowfun or self.app.now)()

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        """Return how long it is from now to the run after that of ``last_run_at``; negative when that is overdue."""
        raise NotImplementedError(f"{type(self).__name__} does not say remaining_estimate(last_run_at)")

    def is_due(self, last_run_at: datetime) -> tuple[bool, float]:
        """Return whether it is time for the run after that of ``last_run_at``, and after how many seconds to ask again."""
        raise NotImplementedError(f"{type(self).__name__} does not say is_due(last_run_at)")

    def maybe_make_aware(self, dt: datetime, naive_as_utc: bool = True) -> datetime:
        """Return ``dt`` with a zone: its own, or, if it has none, this schedule's.

        Args:
            dt: A moment.
            naive_as_utc: Without a zone it is meant in UTC; otherwise it is a time on the clock of this schedule's zone.
        """
        if dt.utcoffset() is not None:
            return dt
        return dt.replace(tzinfo=UTC).astimezone(self.tz) if naive_as_utc else dt.replace(tzinfo=self.tz)

    @property
    def app(self) -> Clocked:
        """The app whose clock, zone and settings hold: the one that was handed in, or the current one."""
        return self._app or cast("Clocked", get_current_app())

    @app.setter
    def app(self, app: Clocked | None) -> None:
        self._app = app

    @property
    def tz(self) -> tzinfo:
        """Whose clock is meant: the app's zone. A subclass may set another."""
        return self._tz or self.app.timezone

    @tz.setter
    def tz(self, tz: tzinfo | None) -> None:
        self._tz = tz

    @property
    def utc_enabled(self) -> bool:
        """The setting ``enable_utc``."""
        return bool(self.app.conf.enable_utc)

    def to_local(self, dt: datetime) -> datetime:
        """Return ``dt`` as it is; with ``enable_utc`` off, on the clock of this machine."""
        return dt if self.utc_enabled else dt.astimezone()

    def __eq__(self, other: object) -> bool:
        return other.nowfun == self.nowfun if isinstance(other, BaseSchedule) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self.nowfun))

    def _here(self, moment: datetime) -> datetime:
        return self.maybe_make_aware(moment).astimezone(self.tz)

    def _until(self, moment: datetime) -> timedelta:
        return moment.astimezone(UTC) - self.maybe_make_aware(self.now()).astimezone(UTC)

    def _in_turn(self, last_run_at: datetime) -> schedstate:
        """Say whether it is time; if so, what counts next is the run after now."""
        remaining = self.remaining_estimate(last_run_at).total_seconds()
        if remaining > 0:
            return schedstate(False, remaining)
        return schedstate(True, max(self.remaining_estimate(self.now()).total_seconds(), 0))


class schedule(BaseSchedule):  # noqa: N801 - Celery's name
    """Every so often.

    Args:
        run_every: How often: seconds, or a ``timedelta``.
        relative: By the clock: at full seconds, minutes, hours or midnights, as its length goes.
        nowfun: Returns the present moment. ``None``: the app's clock.
        app: Whose clock and zone hold. ``None``: the current one's.

    Raises:
        ImproperlyConfigured: ``run_every`` is no duration.
    """

    relative: bool = False

    def __init__(
        self,
        run_every: float | timedelta | None = None,
        relative: bool = False,
        nowfun: Now | None = None,
        app: Clocked | None = None,
    ) -> None:
        self.run_every = None if run_every is None else _duration(run_every)
        self.relative = relative
        super().__init__(nowfun=nowfun, app=app)

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        """Return how long it is from now to the run after that of ``last_run_at``; negative when that is overdue."""
        return self._until(next_after(self._here(last_run_at), self._every, relative=self.relative))

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Return whether it is time for the run after that of ``last_run_at``, and after how many seconds to ask again."""
        remaining = self.remaining_estimate(last_run_at).total_seconds()
        if remaining > 0:
            return schedstate(False, remaining)
        following = self.remaining_estimate(self.now()).total_seconds() if self.relative else 0
        return schedstate(True, following if following > 0 else self.seconds)

    @property
    def seconds(self) -> float:
        """``run_every`` in seconds, 0 or more."""
        return max(self._every.total_seconds(), 0)

    @property
    def human_seconds(self) -> str:
        """The same in words: ``1.50 hours``."""
        return seconds_in_words(self.seconds)

    @property
    def _every(self) -> timedelta:
        if self.run_every is None:
            raise ImproperlyConfigured("a schedule has no run_every: say schedule(30.0), or schedule(timedelta(...))")
        return self.run_every

    def __repr__(self) -> str:
        return f"<freq: {self.human_seconds}>"

    def __eq__(self, other: object) -> bool:
        return bool(self.run_every == (other.run_every if isinstance(other, schedule) else other))

    def __hash__(self) -> int:
        return hash(self.run_every)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.run_every, self.relative, self.nowfun)


class crontab(BaseSchedule):  # noqa: N801 - Celery's name
    """As cron has it: at these minutes of these hours, on days that fit all three of day of week, day of month and month.

    Each is a number, an iterable of numbers, or text: ``"*"``, ``"*/15"``, ``"1,13,30-45,50-59/2"``, ``"mon-fri"``.

    Args:
        minute: 0 to 59.
        hour: 0 to 23.
        day_of_week: 0 (Sunday) to 6, or names.
        day_of_month: 1 to 31.
        month_of_year: 1 to 12, or names.
        nowfun: Returns the present moment. ``None``: the app's clock.
        app: Whose clock and zone hold. ``None``: the current one's.

    Each may be a function as well, which is called once, here. If no day fits, as with 31 February, a warning says so, and it is
    never due.

    Raises:
        ParseException: a field cannot be read. It is a ``ValueError``.
        TypeError: a field is neither text, nor a number, nor an iterable of numbers.
    """

    def __init__(
        self,
        minute: Given = "*",
        hour: Given = "*",
        day_of_week: Given = "*",
        day_of_month: Given = "*",
        month_of_year: Given = "*",
        **kwargs: Unpack[ClockKeywords],
    ) -> None:
        self._orig_minute = _as_written(minute)
        self._orig_hour = _as_written(hour)
        self._orig_day_of_week = _as_written(day_of_week)
        self._orig_day_of_month = _as_written(day_of_month)
        self._orig_month_of_year = _as_written(month_of_year)
        self._orig_kwargs = kwargs
        self.minute = set(fields.MINUTE.read(self._orig_minute))
        self.hour = set(fields.HOUR.read(self._orig_hour))
        self.day_of_week = set(fields.DAY_OF_WEEK.read(self._orig_day_of_week))
        self.day_of_month = set(fields.DAY_OF_MONTH.read(self._orig_day_of_month))
        self.month_of_year = set(fields.MONTH_OF_YEAR.read(self._orig_month_of_year))
        if self.fields().never:
            months, days = sorted(self.month_of_year), sorted(self.day_of_month)
            log.warning("%r never runs: no month_of_year of %s has a day_of_month of %s", self, months, days)
        super().__init__(**kwargs)

    @classmethod
    def from_string(cls, crontab: str) -> crontab:
        """Return the crontab of a line as cron has it: minute, hour, day of month, month, day of week.

        Raises:
            ParseException: these are not five fields, or one cannot be read.
        """
        words = crontab.split()
        if len(words) != len(("minute", "hour", "day of month", "month", "day of week")):
            raise ParseException(
                f"{crontab!r} has {len(words)} fields, not five: minute hour day_of_month month_of_year day_of_week"
            )
        minute, hour, day_of_month, month_of_year, day_of_week = words
        return cls(minute, hour, day_of_week, day_of_month, month_of_year)

    def remaining_delta(
        self, last_run_at: datetime, tz: str | tzinfo | None = None, ffwd: Any = None
    ) -> tuple[datetime, Any, datetime]:
        """Return the last run, how far it is from there to the next, and now, all by the clock of ``tz``.

        Args:
            last_run_at: The last run.
            tz: A zone, or its name. ``None``: the schedule's.
            ffwd: Makes the distance, from year, month, day, hour and so on of the next run. ``None``: it is a ``timedelta``
                of real time.
        """
        present = self.maybe_make_aware(self.now())
        zone = zone_of(tz, enable_utc=True, now=present) if tz else self.tz
        last = self.maybe_make_aware(last_run_at).astimezone(zone)
        if self.fields().never:
            return last, timedelta.max, present.astimezone(zone)
        following = self.fields().next_after(last)
        delta = following.astimezone(UTC) - last.astimezone(UTC)
        if ffwd is not None:
            day = {"year": following.year, "month": following.month, "day": following.day}
            delta = ffwd(**day, hour=following.hour, minute=following.minute, second=0, microsecond=0)
        return last, delta, present.astimezone(zone)

    def remaining_estimate(self, last_run_at: datetime, ffwd: Any = None) -> timedelta:
        """Return how long it is from now to the run after that of ``last_run_at``; negative when that is overdue.

        ``ffwd`` is as in ``remaining_delta``.
        """
        last, delta, now = self.remaining_delta(last_run_at, ffwd=ffwd)
        if delta == timedelta.max:
            return timedelta.max  # never
        following = last.astimezone(UTC) + delta if isinstance(delta, timedelta) else (last + delta).astimezone(UTC)
        return cast("timedelta", following - now.astimezone(UTC))

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Return whether it is time for the run after that of ``last_run_at``, and after how many seconds to ask again.

        A run that was missed by more than the setting ``beat_cron_starting_deadline`` is left out.
        """
        state = self._in_turn(last_run_at)
        deadline_s = self.app.conf.beat_cron_starting_deadline
        if not state.is_due or deadline_s is None or self.remaining_estimate(last_run_at) == timedelta():
            return state
        bound = self._here(self.now()).astimezone(UTC) - timedelta(seconds=deadline_s) - _TINY
        return state._replace(is_due=self.remaining_estimate(bound) <= timedelta())

    def fields(self, skipped: Skipped = "later", doubled: Doubled = "rhythm") -> Crontab:
        """Return the numbers of the fields, with what is to be done where the clock jumps."""
        return Crontab(
            minutes=tuple(sorted(self.minute)),
            hours=tuple(sorted(self.hour)),
            days_of_week=tuple(sorted(self.day_of_week)),
            days_of_month=tuple(sorted(self.day_of_month)),
            months=tuple(sorted(self.month_of_year)),
            skipped=skipped,
            doubled=doubled,
        )

    def as_line(self) -> str:
        """Return it as cron has it, for ``from_string``: minute, hour, day of month, month, day of week."""
        numbers = (self.minute, self.hour, self.day_of_month, self.month_of_year, self.day_of_week)
        known = (fields.MINUTE, fields.HOUR, fields.DAY_OF_MONTH, fields.MONTH_OF_YEAR, fields.DAY_OF_WEEK)
        words = []
        for field, written, meant in zip(known, map(_in_a_line, self._written), numbers, strict=True):
            # A program may have changed the numbers since.
            words.append(written if field.parse(written) == meant else _in_a_line(meant))
        return " ".join(words)

    @property
    def _written(self) -> tuple[Cronspec, ...]:
        return self._orig_minute, self._orig_hour, self._orig_day_of_month, self._orig_month_of_year, self._orig_day_of_week

    def __repr__(self) -> str:
        return f"<crontab: {' '.join(map(str, self._written))} (m/h/dM/MY/d)>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, crontab):
            return NotImplemented
        return self.fields() == other.fields() and super().__eq__(other)

    def __hash__(self) -> int:
        return hash((self.fields(), self.nowfun))

    def __reduce__(self) -> tuple[Any, ...]:
        written = (self._orig_minute, self._orig_hour, self._orig_day_of_week, self._orig_day_of_month, self._orig_month_of_year)
        return type(self), written, self._orig_kwargs

    def __setstate__(self, state: ClockKeywords) -> None:
        super().__init__(**state)
        self._orig_kwargs = state


@overload
def maybe_schedule(s: float | timedelta, relative: bool = False, app: Clocked | None = None) -> schedule: ...
@overload
def maybe_schedule(s: S, relative: bool = False, app: Clocked | None = None) -> S: ...


def maybe_schedule(s: Any, relative: bool = False, app: Clocked | None = None) -> Any:
    """Return a schedule: of seconds or a ``timedelta`` one is made; one that is there is handed the app; ``None`` stays.

    Args:
        s: Seconds, a ``timedelta``, a schedule, or ``None``.
        relative: By the clock; counts for durations only.
        app: Whose clock and zone hold. ``None``: the current one's.

    Raises:
        ImproperlyConfigured: it is none of these.
    """
    if s is None:
        return None
    if isinstance(s, int | float | timedelta):
        return schedule(s, relative, app=app)
    if not callable(getattr(s, "is_due", None)):
        raise ImproperlyConfigured(f"{s!r} is no schedule: give seconds, a timedelta, crontab(...), or an object with is_due()")
    s.app = app
    return s


def _duration(given: Any) -> timedelta:
    if isinstance(given, timedelta):
        return given
    try:
        return timedelta(seconds=given)
    except (TypeError, ValueError, OverflowError) as error:
        raise ImproperlyConfigured(f"run_every = {given!r} is no duration: give seconds, or a timedelta ({error})") from None


def _as_written(given: Given) -> Cronspec:
    """Return a field as it was written; nothing is ``*``. What can be read only once is read once."""
    if callable(given):
        given = given()
    if given is None:
        return "*"
    return list(given) if isinstance(given, Iterator) else given


def _in_a_line(written: Cronspec) -> str:
    if isinstance(written, str | int):
        return str(written).replace(" ", "")
    return ",".join(map(str, sorted(written)))
