"""Entries as people see them.

In a program's life: ``app.schedules``, ``celeriac schedule list``. Does not know: stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from celeriac.app.periodic.entry import moment_of
from celeriac.app.periodic.stored import data_of, state_of
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.schedules.timetable import Record


class Scheduled(Struct, frozen=True, kw_only=True):
    """An entry as it is now."""

    name: str
    task: str
    schedule: str
    """As text: a line of cron, or ``every 30 s``."""
    next_run: datetime | None
    """UTC. ``None``: it is paused, or over, or never due."""
    last_run: datetime | None
    runs: int
    paused: bool
    settled: bool
    """It comes from ``beat_schedule``."""
    problem: str | None
    """Why its last tick could not be sent."""
    details: Mapping[str, Any]
    """All that is stored of it."""


def shown(record: Record) -> Scheduled:
    """Return a record as people see it; one that cannot be read says so."""
    try:
        said, state = data_of(record.name, record.entry), state_of(record.state)
    except ImproperlyConfigured as error:
        nothing: dict[str, Any] = {"last_run": None, "runs": 0, "paused": False, "settled": False, "details": {}}
        return Scheduled(name=record.name, task="?", schedule="?", next_run=None, problem=str(error), **nothing)
    return Scheduled(
        name=record.name,
        task=str(said.get("task")),
        schedule=in_words(said.get("schedule")),
        next_run=None if record.due is None else moment_of(record.due),
        last_run=None if state.last is None else moment_of(state.last),
        runs=state.runs,
        paused=state.paused,
        settled=bool(said.get("settled")),
        problem=state.problem,
        details=said,
    )


def in_words(schedule: Any) -> str:
    """Return a stored schedule as text."""
    match schedule:
        case {"crontab": line}:
            return str(line)
        case {"every": seconds, "relative": relative}:
            return f"every {seconds:g} s{' by the clock' if relative else ''}"
        case {"solar": event, "lat": lat, "lon": lon}:
            return f"{event} at {lat}, {lon}"
        case {"custom": text}:
            return str(text)
        case _:
            return "?"
