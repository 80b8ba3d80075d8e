"""Decide what is to be sent of an entry that is due, and when it is due again. Pure: state and the present moment come in.

In a tick's life: ``Timetable.attend`` -> **here** -> messages -> ``Timetable.change``.

A tick is (entry, moment of its schedule). What is late is caught up with as the entry says: of the ticks that have passed, the
latest so many are sent, the others are left out. With none at all, only a tick that is hardly late is sent: a change of leaders,
a moment of load must not cost one. Does not know: stores, clocks, messages, schedules that must be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.app.periodic.entry import Entry, State, moment_of
from celeriac.app.periodic.planning import CLOCK_STEP_S, begun, delay_s, is_over, onward
from celeriac.app.periodic.rhythm import Cron, Every, Rhythm

HARDLY_LATE: Final = timedelta(seconds=15)
"""So late a tick may be that is not to be caught up with."""
AT_ONCE: Final = 100
"""So many ticks of one entry are sent in one step; the others in the next."""


class Decision(Struct, frozen=True):
    """What becomes of an entry that was due."""

    ticks: Sequence[datetime]
    """Moments of its schedule that are to be sent now, the oldest first."""
    state: State
    """The state with which its next tick begins. ``last`` and ``id`` are for whoever sends."""
    due: float | None
    """When to look at it again."""


def decide(
    entry: Entry, rhythm: Rhythm, state: State, *, now: float, deadline_s: float | None = None, busy: bool = False
) -> Decision:
    """Say which ticks are to be sent now.

    Args:
        entry: What it is.
        rhythm: Its moments.
        state: What has been sent.
        now: The present moment, seconds since 1970.
        deadline_s: Of crontabs: what is later than so many seconds is not sent. ``None``: whatever the entry says.
        busy: The task of the tick before has not ended.
    """
    if state.paused or state.tick is None or is_over(entry, state):
        return Decision((), replace(state, tick=None), None)
    passed, following = _passed(entry, rhythm, moment_of(state.tick), moment_of(now))
    if not passed:
        return Decision((), *onward(entry, state, following))
    wanted = _wanted(entry, rhythm, passed, moment_of(now), deadline_s)
    if entry.overlap == "skip":
        wanted = [] if busy else wanted[-1:]
    if entry.max_runs is not None:
        wanted = wanted[: entry.max_runs - state.runs]
    sent, left = wanted[:AT_ONCE], wanted[AT_ONCE:]
    reached = sent[-1] if left else passed[-1]
    state = replace(state, runs=state.runs + len(sent), passed=reached.timestamp(), problem=None)
    return Decision(sent, *onward(entry, state, left[0] if left else following))


def _passed(entry: Entry, rhythm: Rhythm, first: datetime, now: datetime) -> tuple[list[datetime], datetime | None]:
    """Return the latest ticks whose time has come, and the one after them.

    One that has to wait a little by chance (``jitter``) keeps those after it waiting, too: ticks are sent in their order.
    """
    until = now if entry.ends is None else min(now, entry.ends)
    surely = min(until, now - timedelta(seconds=entry.jitter))
    passed = rhythm.latest(first, surely, max(entry.catch_up, 1)) if first <= surely else []
    following = rhythm.next_after(passed[-1]) if passed else first
    while following is not None and following <= until and following.timestamp() + delay_s(entry, following) <= now.timestamp():
        passed.append(following)
        following = rhythm.next_after(following)
    return passed, following


def _wanted(
    entry: Entry, rhythm: Rhythm, passed: Sequence[datetime], now: datetime, deadline_s: float | None
) -> Sequence[datetime]:
    """Return those of the ticks that have passed that are sent all the same."""
    if entry.catch_up == 0:
        return [tick for tick in passed[-1:] if now - tick - timedelta(seconds=entry.jitter) <= HARDLY_LATE]
    wanted = passed[-entry.catch_up :]
    if deadline_s is not None and isinstance(rhythm, Cron):
        wanted = [tick for tick in wanted if now - tick <= timedelta(seconds=deadline_s)]
    return wanted


def mended(entry: Entry, rhythm: Rhythm, state: State, due: float | None, *, now: float) -> Decision | None:
    """Return what becomes of an entry whose next tick lies too far ahead: the clock was set back. ``None``: it does not.

    Without this, silence would last as long as the step was. A crontab that names its hours does not repeat what it has sent.
    """
    if (
        due is None
        or state.paused
        or state.tick is None
        or not rhythm.steady
        or (entry.starts and entry.starts.timestamp() > now)
    ):
        return None
    # Another machine, whose clock is ahead by less than a step, may have sent what is still to come here.
    farthest, following = rhythm.next_after(moment_of(now + CLOCK_STEP_S)), rhythm.next_after(moment_of(now))
    if farthest is None or following is None or state.tick <= farthest.timestamp():
        return None
    if isinstance(rhythm, Every):
        return Decision((), *begun(entry, now=now, was=replace(state, last=None)))
    return Decision((), *onward(entry, state, following))
