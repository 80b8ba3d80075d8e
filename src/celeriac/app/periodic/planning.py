"""When an entry is next to be looked at: after it was added, changed or resumed, and after each tick.

In a tick's life: a decision ends here, with the moment that goes into the timetable. Pure: the present moment comes in.
Does not know: stores, what is sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from msgspec.structs import replace

from celeriac.app.periodic.entry import Entry, State, moment_of
from celeriac.app.periodic.rhythm import Every, Rhythm

_TINY = timedelta(microseconds=1)
_CHANCES = 1 << 32


def begun(entry: Entry, *, now: float, was: State | None = None) -> tuple[State, float | None]:
    """Return the state of an entry that is added, changed or resumed now, and when it is due.

    An interval counts from the last time that something was sent, everything else from now. What was missed before is left out.
    """
    state = replace(was, since=now, problem=None) if was is not None else State(since=now)
    if state.paused or is_over(entry, state):
        return replace(state, tick=None), None
    rhythm = entry.rhythm
    if rhythm is None:
        return replace(state, tick=None), max(now, entry.starts.timestamp() if entry.starts is not None else now)
    tick = _first(entry, rhythm, moment_of(now), None if state.last is None else moment_of(state.last))
    return onward(entry, state, tick)


def _first(entry: Entry, rhythm: Rhythm, now: datetime, last: datetime | None) -> datetime | None:
    if entry.starts is not None and entry.starts > now:
        # The clock's moments are what they are; an interval begins where it is told to.
        return entry.starts if isinstance(rhythm, Every) else rhythm.next_after(entry.starts - _TINY)
    return rhythm.next_after(last if last is not None and isinstance(rhythm, Every) else now)


def onward(entry: Entry, state: State, tick: datetime | None) -> tuple[State, float | None]:
    """Return the state with the next tick, and when the entry is due. ``None``, or what is past its end: never again."""
    if tick is None or (entry.ends is not None and tick > entry.ends) or is_over(entry, state):
        return replace(state, tick=None), None
    return replace(state, tick=tick.timestamp()), tick.timestamp() + delay_s(entry, tick)


def is_over(entry: Entry, state: State) -> bool:
    """Say whether it has been sent as often as it may."""
    return entry.max_runs is not None and state.runs >= entry.max_runs


def delay_s(entry: Entry, tick: datetime) -> float:
    """Return how late this tick is to be. It follows from entry and tick, so that every scheduler finds the same."""
    return entry.jitter * crc32(f"{entry.name}\n{tick.isoformat()}".encode()) / _CHANCES if entry.jitter else 0.0
