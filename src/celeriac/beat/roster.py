"""Bring ``beat_schedule`` into the timetable, and tidy up after what happened while no beat ran.

In a beat's life: at its start, and when the settings of its app have changed. An entry that is as it was keeps its state: nothing
is missed or sent twice because a beat starts. One that left the settings leaves the timetable. One that somebody changed by hand
stays. Does not know: ticks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, json

from celeriac.abc import Timetable
from celeriac.app.periodic.entry import Entry, entry_from
from celeriac.app.periodic.place import zones_of
from celeriac.app.periodic.planning import CLOCK_STEP_S, begun
from celeriac.app.periodic.rhythm import Cron
from celeriac.app.periodic.stored import entry_bytes, entry_of, same_times, state_bytes, state_of
from celeriac.app.schedules import crontab
from celeriac.beat.scheduler import mended
from celeriac.core.errors import CeleriacError, ImproperlyConfigured
from celeriac.core.schedules.timetable import Change, Record

log = logging.getLogger("celeriac.beat")

_PAGE: Final = 1000
CLEANUP: Final = "celery.backend_cleanup"


class Here(Struct, frozen=True):
    """An entry of the settings, as this process has it."""

    entry: Entry
    stored: bytes
    """What its record says if it was made from the same."""


class _Glance(Struct, frozen=True):
    """What must be known of each of a million records."""

    settled: bool = False
    schedule: Mapping[str, Any] = {}


_glance: Final = json.Decoder(_Glance).decode


def entries_here(app: Any) -> dict[str, Here]:
    """Return the entries of ``beat_schedule``. One that is wrong is logged by its name and left out; so is what else is odd."""
    zones, found = zones_of(app), dict[str, Here]()
    for name, given in {**default_entries(app), **app.conf.beat_schedule}.items():
        try:
            entry = entry_from(name, dict(given), app=app, zone_of=zones, settled=True)
            if entry.overlap == "skip" and not app.keeps_results:
                raise ImproperlyConfigured(f"the entry {name!r} of the beat: overlap = 'skip' needs a result backend")
            found[name] = Here(entry, entry_bytes(entry))
        except Exception as error:  # such as a mapping that is none: the other entries run
            log.error("%s; it is not sent, the other entries are", _told(name, error))
            continue
        if entry.task not in app.tasks:
            log.warning("the entry %r of the beat: no task %r is registered here, so it is sent by its name", name, entry.task)
        if isinstance(entry.schedule, crontab) and entry.schedule.fields().never:
            log.warning("the entry %r of the beat is never due: %r", name, entry.schedule)
    return found


def _told(name: Any, error: Exception) -> str:
    return str(error) if isinstance(error, CeleriacError) else f"the entry {name!r} of the beat: {error!r}"


def default_entries(app: Any) -> dict[str, Any]:
    """Return the entry that tidies up a result backend which does not do so by itself.

    Source: Celery's guide, "Periodic Tasks", and its reference of the setting ``result_expires``.
    """
    if not app.keeps_results or not app.conf.result_expires or app.backend.supports_autoexpire:
        return {}
    return {CLEANUP: {"task": CLEANUP, "schedule": crontab("0", "4", "*"), "options": {"expires": 12 * 3600}}}


def enrol(timetable: Timetable, here: Mapping[str, Here], *, now: float) -> None:
    """Put the entries of the settings into the timetable where they are not there, or are there otherwise."""
    names = list(here)
    for first in range(0, len(names), _PAGE):
        batch = names[first : first + _PAGE]
        changes = [
            change
            for name, record in zip(batch, timetable.read(batch), strict=True)
            if (change := _brought_in(here[name], record, now)) is not None
        ]
        if changes:
            timetable.change(changes)  # what another beat has brought in meanwhile is the same


def _brought_in(one: Here, record: Record | None, now: float) -> Change | None:
    if record is None:
        state, due = begun(one.entry, now=now)
        return Change(name=one.entry.name, seen=0, entry=one.stored, state=state_bytes(state), due=due)
    if record.entry == one.stored:
        return _in_its_zone(one.entry, record, now)
    if not _glance(record.entry).settled:
        log.warning("the entry %r is as somebody changed it, not as beat_schedule has it, until it is removed", record.name)
        return None
    same = same_times(record.name, record.entry, one.stored)
    state, due = begun(one.entry, now=now, was=state_of(record.state), same_times=same)
    return Change(name=record.name, seen=record.revision, entry=one.stored, state=state_bytes(state), due=due)


def _in_its_zone(entry: Entry, record: Record, now: float) -> Change | None:
    """Let a crontab be due by the clock as it goes now: the app may have another zone, or a zone other rules, than it had."""
    state, rhythm = state_of(record.state), entry.rhythm
    if not isinstance(rhythm, Cron) or state.tick is None or state.tick <= now or entry.starts is not None:
        return None
    fresh, due = begun(entry, now=now, was=state)
    if fresh.tick == state.tick:
        return None
    log.warning("the entry %r is due at another moment now: its time zone is another one than it was", entry.name)
    return Change(name=record.name, seen=record.revision, state=state_bytes(fresh), due=due)


def tidy(app: Any, timetable: Timetable, here: Mapping[str, Here], *, now: float) -> None:
    """Go through all entries: drop those that left the settings, mend those that a clock which was set back left far ahead."""
    after = ""
    while page := timetable.page(after=after, limit=_PAGE):
        after = page[-1].name
        gone = [record.name for record in page if record.name not in here and _is_settled(record)]
        for name in gone:
            log.info("the entry %r has left beat_schedule: it is removed", name)
        if gone:
            timetable.remove(gone)
        if changes := list(_mendings(app, page, here, now)):
            log.warning("the clock was set back: %d entries count from now", len(changes))
            timetable.change(changes)


def _mendings(app: Any, page: Any, here: Mapping[str, Here], now: float) -> Iterator[Change]:
    zones = zones_of(app)
    for record in page:
        if record.due is None or record.due <= now + CLOCK_STEP_S or not _may_be_steady(record):
            continue
        try:
            known = here.get(record.name)
            same = known is not None and known.stored == record.entry
            entry = known.entry if known is not None and same else entry_of(record.name, record.entry, app=app, zone_of=zones)
            rhythm, state = entry.rhythm, state_of(record.state)
        except ImproperlyConfigured:
            continue  # told when it is due
        mending = None if rhythm is None else mended(entry, rhythm, state, record.due, now=now)
        if mending is not None:
            yield Change(name=record.name, seen=record.revision, state=state_bytes(mending.state), due=mending.due)


def _is_settled(record: Record) -> bool:
    try:
        return _glance(record.entry).settled
    except Exception:  # whatever it is, it is none of ours to remove
        return False


def _may_be_steady(record: Record) -> bool:
    """Say, without reading all of a record, whether its schedule may be one that goes on through whatever the clock does."""
    try:
        said = _glance(record.entry).schedule
    except Exception:
        return False
    line = said.get("crontab")
    return "every" in said or (isinstance(line, str) and line.split()[1:2] in (["*"], ["*/1"], ["0-23"]))
