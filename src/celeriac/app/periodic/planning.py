"""When an entry is next to be looked at: after it was added, changed or resumed, and after each tick.

In a tick's life: a decision ends here, with the moment that goes into the timetable. Pure: the present moment comes in.
Does not know: stores, what is sent.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from celeriac.app.periodic.entry import Entry, State, moment_of
from celeriac.app.periodic.rhythm import Every, Rhythm

CLOCK_STEP_S: Final = 12.0
"""A clock that was set back by more than this is noticed; machines that differ by less do not notice each other."""
_LONGEST_STEP_S: Final = 86_400.0
_TINY = timedelta(microseconds=1)
_CHANCES = 1 << 32


def begun(
    entry: Entry, *, now: float, was: State | None = None, same_times: bool = False, from_now: bool = False
) -> tuple[State, float | None]:
    """Return the state of an entry that is added, changed or resumed now, and when it is due.

    An interval counts from the last time that something was sent, everything else from now. What was missed before is left out.

    Args:
        entry: As it is from now on.
        now: The present moment, by the clock of whoever changes it.
        was: Its state until now. ``None``: it is new.
        same_times: Its schedule is as it was: a tick that is due and not sent yet stays due, and an interval goes on.
        from_now: An interval counts from now, too.
    """
    state = replace(was, since=now, problem=None) if was is not None else State(since=now)
    if state.paused or is_over(entry, state):
        return replace(state, tick=None), None
    rhythm = entry.rhythm
    if rhythm is None:
        return replace(state, tick=None), max(now, entry.starts.timestamp() if entry.starts is not None else now)
    if same_times and state.tick is not None and (state.tick <= now or isinstance(rhythm, Every)):
        return onward(entry, state, moment_of(state.tick))
    last = None if state.last is None or from_now else state.last
    since = last if last is not None and isinstance(rhythm, Every) else _not_again(rhythm, now, state.passed)
    return onward(entry, state, _first(entry, rhythm, moment_of(now), moment_of(since)))


def _first(entry: Entry, rhythm: Rhythm, now: datetime, since: datetime) -> datetime | None:
    if entry.starts is not None and entry.starts > now:
        # The clock's moments are what they are; an interval begins where it is told to.
        return entry.starts if isinstance(rhythm, Every) else rhythm.next_after(max(entry.starts - _TINY, since))
    return rhythm.next_after(since)


def _not_again(rhythm: Rhythm, now: float, passed: float | None) -> float:
    """Return from when on moments of the clock count: what a clock that is ahead of this one has sent is not sent again."""
    if passed is None or isinstance(rhythm, Every):
        return now
    ahead_s = CLOCK_STEP_S if rhythm.steady else _LONGEST_STEP_S
    return passed if now < passed <= now + ahead_s else now


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
