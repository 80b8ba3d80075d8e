"""An entry: which task is sent when, and what holds for its ticks. And its state: what has been sent so far.

In a tick's life: **entry** -> rhythm -> ``beat/scheduler.py`` -> messages. Both are frozen; people change the one, ticks the
other. Source: Celery's guide, "Periodic Tasks", for the names up to ``relative``; what follows them is ours.
Does not know: stores, clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from typing import Any, Final, Literal

from msgspec import Struct

from celeriac.app.periodic.rhythm import SHORTEST, Rhythm, rhythm_of
from celeriac.app.schedules import crontab, maybe_schedule, schedule
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.schedules.crontab import DOUBLED, SKIPPED, Doubled, Skipped
from celeriac.core.schedules.fields import ParseException

Overlap = Literal["allow", "skip"]
OVERLAP: Final = ("allow", "skip")
CATCH_UP: Final = {"none": 0, "last": 1}
MOST_CAUGHT_UP: Final = 10_000
LONGEST_NAME: Final = 1000
KEYS: Final = (
    "task", "schedule", "args", "kwargs", "options", "relative", "timezone", "skipped", "doubled", "catch_up", "overlap",
    "jitter", "starts", "ends", "max_runs", "subtask_type",
)  # fmt: skip
"""What an entry of ``beat_schedule`` may say."""
POLICIES: Final = KEYS[6:-1]
"""What ``app.schedules.add`` takes beside what is sent and when."""


class Entry(Struct, frozen=True, kw_only=True):
    """One line of a timetable."""

    name: str
    task: str
    """Name of the task, known here or not."""
    schedule: Any
    """Seconds have become a ``schedule``; anything else is as it was given."""
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    options: Mapping[str, Any] = {}
    """Of ``apply_async``."""
    subtask_type: str | None = None
    """Of a workflow, such as ``chain``; its tasks are in ``kwargs``."""
    timezone: str | None = None
    """Whose clock the schedule goes by. ``None``: the app's."""
    zone: tzinfo | None = None
    """The same as a zone."""
    skipped: Skipped = "later"
    doubled: Doubled = "rhythm"
    catch_up: int = 1
    """So many of the ticks that were missed are sent when somebody can; the latest."""
    overlap: Overlap = "allow"
    """``skip``: no tick is sent while the task of the one before it has not ended."""
    jitter: float = 0.0
    """Each tick is late by chance, by less than so many seconds."""
    starts: datetime | None = None
    """No tick before this moment."""
    ends: datetime | None = None
    """No tick after this moment."""
    max_runs: int | None = None
    """So many ticks in all."""
    settled: bool = False
    """It came from ``beat_schedule``: beats put it there and take it away. Otherwise somebody added or changed it by hand."""

    @property
    def rhythm(self) -> Rhythm | None:
        """Its moments. ``None``: the schedule must be asked."""
        return rhythm_of(self.schedule, self.zone, self.skipped, self.doubled)


OF_RHYTHMS: Final = ("jitter", "catch_up", "timezone", "skipped", "doubled")
"""What holds for schedules alone whose moments are known in advance."""
_PLAIN: Final = Entry(name="plain", task="plain", schedule=None)


class State(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has become of an entry so far. Moments are seconds since 1970."""

    since: float
    """When it was added, or its schedule was changed, or it was resumed: from then on ticks are counted."""
    tick: float | None = None
    """The moment of the schedule that is next. ``None``: there is none, or the schedule must be asked."""
    passed: float | None = None
    """The moment of the schedule that was last decided upon: neither it nor an earlier one comes again."""
    last: float | None = None
    """When something was sent last."""
    runs: int = 0
    """How often something was sent."""
    id: str | None = None
    """Of the task that was sent last; with ``overlap = "skip"``, of the one that the next tick waits for."""
    paused: bool = False
    problem: str | None = None
    """Why its last tick could not be sent."""


def moment_of(seconds: float) -> datetime:
    """Return seconds since 1970 as a date."""
    return datetime.fromtimestamp(seconds, UTC)


def entry_from(
    name: str, given: Mapping[str, Any], *, app: Any, zone_of: Callable[[str], tzinfo], settled: bool = False
) -> Entry:
    """Return the entry that a mapping of ``beat_schedule`` describes.

    Args:
        name: Of the entry.
        given: What it says.
        app: Whose clock its schedule goes by.
        zone_of: From the name of a zone to the zone.
        settled: It is one of ``beat_schedule``.

    Raises:
        ImproperlyConfigured: something in it is missing, unknown or wrong; the entry is named.
    """
    try:
        return _checked(_entry(_name(name), dict(given), app, zone_of, settled))
    except (ImproperlyConfigured, ParseException, TypeError, ValueError, OverflowError) as error:
        raise ImproperlyConfigured(f"the entry {name!r} of the beat: {error}") from error


def _entry(name: str, given: dict[str, Any], app: Any, zone_of: Callable[[str], tzinfo], settled: bool) -> Entry:
    for key in given:
        if key not in KEYS:
            near = get_close_matches(str(key), KEYS, n=1)
            raise ImproperlyConfigured(f"{key!r} means nothing" + (f": did you mean {near[0]!r}?" if near else ""))
    task = given.get("task")
    task = getattr(task, "name", task)
    if not isinstance(task, str) or not task:
        raise ImproperlyConfigured(f"task = {task!r} is no name of a task")
    zone = zone_of(given["timezone"]) if given.get("timezone") is not None else None
    return Entry(
        name=name,
        task=task,
        schedule=_schedule(given.get("schedule"), bool(given.get("relative")), app),
        args=_args(given.get("args")),
        kwargs=_mapping("kwargs", given.get("kwargs")),
        options=_mapping("options", given.get("options")),
        subtask_type=given.get("subtask_type"),
        timezone=None if zone is None else str(given["timezone"]),
        zone=zone,
        skipped=_one_of("skipped", given.get("skipped", "later"), SKIPPED),
        doubled=_one_of("doubled", given.get("doubled", "rhythm"), DOUBLED),
        catch_up=_catch_up(given.get("catch_up", "last")),
        overlap=_one_of("overlap", given.get("overlap", "allow"), OVERLAP),
        jitter=_jitter(given.get("jitter") or 0.0),
        starts=_date("starts", given.get("starts"), zone or app.timezone),
        ends=_date("ends", given.get("ends"), zone or app.timezone),
        max_runs=_max_runs(given.get("max_runs")),
        settled=settled,
    )


def _checked(entry: Entry) -> Entry:
    """Return it, if what it says goes together."""
    if entry.starts is not None and entry.ends is not None and entry.ends < entry.starts:
        raise ImproperlyConfigured(f"it ends ({entry.ends.isoformat()}) before it starts ({entry.starts.isoformat()})")
    if entry.rhythm is None:
        for key in OF_RHYTHMS:
            if getattr(entry, key) != getattr(_PLAIN, key):
                raise ImproperlyConfigured(f"{key} is not for a schedule that says by itself when it is due: {entry.schedule!r}")
    elif isinstance(entry.schedule, schedule) and entry.schedule.seconds < SHORTEST.total_seconds():
        raise ImproperlyConfigured(f"schedule = {entry.schedule.run_every} is shorter than a millisecond")
    return entry


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name or len(name) > LONGEST_NAME:
        raise ImproperlyConfigured(f"a name is text of 1 to {LONGEST_NAME} characters")
    name.encode()  # half of a surrogate pair is no text: a UnicodeError, which is a ValueError
    return name


def _schedule(given: Any, relative: bool, app: Any) -> Any:
    if given is None:
        raise ImproperlyConfigured("it has no schedule: give seconds, a timedelta, crontab(...), or a line such as '30 7 * * *'")
    if isinstance(given, str):
        made = crontab.from_string(given)
        made.app = app
        return made
    return maybe_schedule(given, relative, app=app)


def _args(given: Any) -> Sequence[Any]:
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        raise ImproperlyConfigured(f"args = {given!r} is no list")
    return tuple(given)


def _mapping(key: str, given: Any) -> Mapping[str, Any]:
    if given is None or given == ():
        return {}
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"{key} = {given!r} is no mapping")
    return dict(given)


def _one_of(key: str, given: Any, words: tuple[str, ...]) -> Any:
    if given not in words:
        raise ImproperlyConfigured(f"{key} = {given!r} is none of {', '.join(words)}")
    return given


def _catch_up(given: Any) -> int:
    number = CATCH_UP.get(given, given) if isinstance(given, str) else given
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST_CAUGHT_UP:
        raise ImproperlyConfigured(f"catch_up = {given!r} is neither none, nor last, nor a number up to {MOST_CAUGHT_UP}")
    return number


def _jitter(given: Any) -> float:
    seconds = given.total_seconds() if isinstance(given, timedelta) else given
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        raise ImproperlyConfigured(f"jitter = {given!r} is no number of seconds")
    return float(seconds)


def _date(key: str, given: Any, zone: tzinfo) -> datetime | None:
    if given is None:
        return None
    date = datetime.fromisoformat(given) if isinstance(given, str) else given
    if not isinstance(date, datetime):
        raise ImproperlyConfigured(f"{key} = {given!r} is no date")
    return (date if date.tzinfo is not None else date.replace(tzinfo=zone)).astimezone(UTC)


def _max_runs(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ImproperlyConfigured(f"max_runs = {given!r} is no number of 1 or more")
    return given
