"""Entries and states as bytes, in the form in which a timetable keeps them: JSON.

In a tick's life: ``Record`` -> **here** -> ``Entry`` and ``State`` -> decision -> **here** -> ``Change``. No class is named in it
and none is built from a name. What JSON cannot hold (a schedule of a program's own, an argument that is an object) is only in
entries of ``beat_schedule``: of those the record holds a likeness to look at, and beat takes the entry from its own settings.
Does not know: stores, when something is due.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

from msgspec import json

from celeriac.app.periodic.entry import Entry, State, entry_from
from celeriac.app.schedules import crontab, schedule
from celeriac.app.solar import solar
from celeriac.core import typedjson
from celeriac.core.errors import CeleriacError, ImproperlyConfigured
from celeriac.core.representation import safe_repr

_FORM: Final = 1
_TIMES: Final = ("schedule", "timezone", "skipped", "doubled", "starts")
"""What of an entry says when it is due."""


def entry_bytes(entry: Entry) -> bytes:
    """Return an entry in its stored form.

    Raises:
        ImproperlyConfigured: it cannot be stored, and is none of ``beat_schedule``.
    """
    said: dict[str, Any] = {"form": _FORM, "task": entry.task, "schedule": schedule_as_data(entry.schedule)}
    said |= {"timezone": entry.timezone, "skipped": entry.skipped, "doubled": entry.doubled, "catch_up": entry.catch_up}
    said |= {"overlap": entry.overlap, "jitter": entry.jitter, "max_runs": entry.max_runs, "settled": entry.settled}
    said |= {"starts": entry.starts and entry.starts.isoformat(), "ends": entry.ends and entry.ends.isoformat()}
    said |= {"subtask_type": entry.subtask_type}
    call = {"args": list(entry.args), "kwargs": dict(entry.kwargs), "options": dict(entry.options)}
    said = {key: value for key, value in said.items() if value is not None}
    problem = "" if portable(entry.schedule) else f"a schedule such as {entry.schedule!r} cannot be stored"
    if not problem:
        try:
            return typedjson.dumps(said | call)
        except CeleriacError as error:
            problem = str(error)
    if not entry.settled:
        raise ImproperlyConfigured(f"the entry {entry.name!r} of the beat: {problem}; beat_schedule can have it")
    shown = {key: safe_repr(value) for key, value in call.items()}
    return typedjson.dumps(said | {"shown": shown, "here": problem})


def entry_of(name: str, stored: bytes, *, app: Any, zone_of: Callable[[str], tzinfo]) -> Entry:
    """Return the entry of a record.

    Raises:
        ImproperlyConfigured: it cannot be read, or cannot be had from the record alone.
    """
    said = data_of(name, stored)
    if (problem := said.pop("here", None)) is not None:
        raise ImproperlyConfigured(
            f"the entry {name!r} of the beat: {problem}; only a beat that has it in its settings can send it"
        )
    if said.pop("form", None) != _FORM:
        raise ImproperlyConfigured(f"the entry {name!r} of the beat has a form that this version does not know")
    settled = bool(said.pop("settled", False))
    said["schedule"] = _schedule(name, said.get("schedule"))
    return entry_from(name, said, app=app, zone_of=zone_of, settled=settled)


def data_of(name: str, stored: bytes) -> dict[str, Any]:
    """Return what a record says, for people.

    Raises:
        ImproperlyConfigured: it cannot be read.
    """
    try:
        said = typedjson.loads(stored)
    except CeleriacError as error:
        raise ImproperlyConfigured(f"the entry {name!r} of the beat cannot be read: {error}") from error
    if not isinstance(said, dict):
        raise ImproperlyConfigured(f"the entry {name!r} of the beat cannot be read: it is no mapping")
    return said


def same_times(name: str, stored: bytes, other: bytes) -> bool:
    """Say whether two forms of an entry are due at the same moments, as far as that can be read."""
    try:
        one, two = data_of(name, stored), data_of(name, other)
    except ImproperlyConfigured:
        return False
    return all(one.get(key) == two.get(key) for key in _TIMES)


def state_bytes(state: State) -> bytes:
    """Return a state in its stored form."""
    return json.encode(state)


def state_of(stored: bytes) -> State:
    """Return the state of a record.

    Raises:
        ImproperlyConfigured: it cannot be read.
    """
    try:
        return json.decode(stored, type=State)
    except Exception as error:
        raise ImproperlyConfigured(f"the state of an entry of the beat cannot be read: {error}") from error


def portable(when: Any) -> bool:
    """Say whether a schedule can be stored: one of ours, unchanged, by the app's clock."""
    return type(when) in {crontab, schedule, solar} and when.nowfun is None


def schedule_as_data(when: Any) -> dict[str, Any]:
    """Return a schedule as JSON has it; one that cannot be stored, as text to look at."""
    if not portable(when):
        return {"custom": safe_repr(when)}
    if isinstance(when, crontab):
        return {"crontab": when.as_line()}
    if isinstance(when, schedule):
        return {"every": when.seconds, "relative": when.relative}
    return {"solar": when.event, "lat": when.lat, "lon": when.lon}


def _schedule(name: str, said: Any) -> Any:
    match said:
        case {"crontab": str() as line}:
            return crontab.from_string(line)
        case {"every": float() | int() as seconds}:
            return schedule(seconds, bool(said.get("relative")))
        case {"solar": str() as event, "lat": lat, "lon": lon}:
            return solar(event, lat, lon)
        case _:
            raise ImproperlyConfigured(f"the entry {name!r} of the beat has no schedule that can be read: {said!r}")
