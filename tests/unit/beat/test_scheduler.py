"""What is sent of an entry that is due, and when it is due again: every policy, with nothing but numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celeriac import Celery, crontab, schedule
from celeriac.app.periodic.entry import Entry, State, entry_from
from celeriac.app.periodic.place import zones_of
from celeriac.app.periodic.planning import CLOCK_STEP_S, begun, delay_s
from celeriac.beat.scheduler import AT_ONCE, Decision, decide, mended

APP = Celery("deciding", broker="memory://deciding", set_as_current=False)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT_NOON = NOON.timestamp()
HOUR = 3600.0


def an_entry(when: Any = 3600, **policies: Any) -> Entry:
    return entry_from("e", {"task": "shop.report", "schedule": when, **policies}, app=APP, zone_of=zones_of(APP))


def due_at_noon(**state: Any) -> State:
    return State(since=AT_NOON - HOUR, tick=AT_NOON, **state)


def look(entry: Entry, now: float, state: State | None = None, **more: Any) -> Decision:
    rhythm = entry.rhythm
    assert rhythm is not None
    return decide(entry, rhythm, state or due_at_noon(), now=now, **more)


def hours(decision: Decision) -> list[float]:
    """Return how many hours after noon the ticks are that are sent."""
    return [(tick - NOON) / timedelta(hours=1) for tick in decision.ticks]


# ---- on time -----------------------------------------------------------------------------------------------------


def test_a_tick_that_is_due_is_sent_once_and_the_next_one_is_an_interval_later() -> None:
    decision = look(an_entry(), AT_NOON + 0.4)

    assert hours(decision) == [0]
    assert (decision.state.tick, decision.due, decision.state.runs) == (AT_NOON + HOUR, AT_NOON + HOUR, 1)


def test_the_grid_of_an_interval_does_not_drift_with_the_lateness_of_its_ticks() -> None:
    state, sent = due_at_noon(), list[datetime]()
    entry = an_entry(10)
    for _ in range(1000):
        assert state.tick is not None
        decision = look(entry, state.tick + 3.3, state)
        sent += decision.ticks
        state = decision.state

    assert sent == [NOON + timedelta(seconds=10 * number) for number in range(1000)]


def test_what_is_looked_at_too_early_waits() -> None:
    decision = look(an_entry(), AT_NOON - 1)

    assert (decision.ticks, decision.due, decision.state.runs) == ((), AT_NOON, 0)


def test_what_is_paused_is_never_due() -> None:
    decision = look(an_entry(), AT_NOON, due_at_noon(paused=True))

    assert (decision.ticks, decision.due) == ((), None)


# ---- down for three hours ----------------------------------------------------------------------------------------

THREE_HOURS_LATER = AT_NOON + 3 * HOUR + 60


@pytest.mark.parametrize(
    ("catch_up", "sent"),
    [("none", []), (0, []), ("last", [3]), (1, [3]), (2, [2, 3]), (3, [1, 2, 3]), (100, [0, 1, 2, 3])],
)
@pytest.mark.parametrize("when", [3600, "0 * * * *", schedule(3600, relative=True)], ids=["every", "cron", "by-the-clock"])
def test_after_three_hours_so_many_of_the_missed_ticks_are_sent(when: Any, catch_up: Any, sent: list[float]) -> None:
    decision = look(an_entry(when, catch_up=catch_up), THREE_HOURS_LATER)

    assert hours(decision) == sent
    assert decision.due == AT_NOON + 4 * HOUR
    assert decision.state.runs == len(sent)


def test_without_catching_up_a_tick_that_is_hardly_late_is_sent_all_the_same() -> None:
    entry = an_entry(1, catch_up="none")

    decision = look(entry, AT_NOON + 4.2)  # as long as a change of leaders

    assert [tick.timestamp() for tick in decision.ticks] == [AT_NOON + 4]
    assert decision.due == AT_NOON + 5


def test_of_crontabs_nothing_is_made_up_for_that_is_later_than_the_deadline() -> None:
    cron, every = an_entry("0 * * * *", catch_up=4), an_entry(3600, catch_up=4)

    assert hours(look(cron, THREE_HOURS_LATER, deadline_s=2 * HOUR)) == [2, 3]
    assert hours(look(cron, THREE_HOURS_LATER, deadline_s=30)) == []
    assert hours(look(every, THREE_HOURS_LATER, deadline_s=30)) == [0, 1, 2, 3]


def test_many_missed_ticks_are_sent_in_several_steps_each_of_them_once() -> None:
    entry, state, sent = an_entry(60, catch_up=350), due_at_noon(), list[datetime]()
    now = AT_NOON + 1000 * 60 + 30
    while state.tick is not None and state.tick <= now:
        decision = look(entry, now, state)
        assert len(decision.ticks) <= AT_ONCE
        sent += decision.ticks
        state = decision.state

    assert sent == [NOON + timedelta(minutes=minute) for minute in range(651, 1001)]


def test_after_years_of_silence_a_decision_is_quick_and_sends_one() -> None:
    for when in (0.001, 1, "* * * * *", schedule(1, relative=True), "0 0 29 2 *"):
        decision = look(an_entry(when), AT_NOON + 30 * 365 * 24 * HOUR)

        assert len(decision.ticks) == 1
        assert decision.due is not None
        assert decision.due > AT_NOON + 30 * 365 * 24 * HOUR


def test_a_clock_that_was_set_forward_an_hour_makes_no_burst() -> None:
    decision = look(an_entry(10), AT_NOON + HOUR)

    assert len(decision.ticks) == 1
    assert decision.due == AT_NOON + HOUR + 10


# ---- the other policies ------------------------------------------------------------------------------------------


def test_while_the_task_before_runs_a_tick_is_left_out() -> None:
    entry = an_entry(overlap="skip", catch_up=5)

    assert look(entry, AT_NOON, busy=True).ticks == []
    assert look(entry, AT_NOON, busy=True).due == AT_NOON + HOUR
    assert hours(look(entry, THREE_HOURS_LATER, busy=False)) == [3]  # not several beside each other
    assert hours(look(an_entry(), AT_NOON, busy=True)) == [0]


def test_after_so_many_runs_it_is_over() -> None:
    entry = an_entry(max_runs=3, catch_up=100)

    decision = look(entry, THREE_HOURS_LATER, due_at_noon(runs=1))
    assert hours(decision) == [0, 1]
    assert (decision.state.runs, decision.state.tick, decision.due) == (3, None, None)
    assert look(entry, THREE_HOURS_LATER, due_at_noon(runs=3)).ticks == ()


def test_nothing_is_sent_before_its_start_or_after_its_end() -> None:
    entry = an_entry("0 * * * *", starts="2026-06-01T14:30", ends=NOON + timedelta(hours=4))

    state, due = begun(entry, now=AT_NOON)
    assert due == AT_NOON + 3 * HOUR
    decision = look(entry, AT_NOON + 9 * HOUR, state)
    assert hours(decision) == [4]  # the last one before the end
    assert decision.due is None
    assert begun(entry, now=AT_NOON + 5 * HOUR)[1] is None


def test_an_interval_begins_at_its_start() -> None:
    _, due = begun(an_entry(3600, starts=NOON + timedelta(minutes=7)), now=AT_NOON)

    assert due == AT_NOON + 420


def test_by_chance_a_tick_is_late_by_less_than_its_jitter_and_for_every_scheduler_alike() -> None:
    entry = an_entry(jitter=100)
    delays = [delay_s(entry, NOON + timedelta(hours=number)) for number in range(1000)]

    assert delays == [delay_s(an_entry(jitter=100), NOON + timedelta(hours=number)) for number in range(1000)]
    assert 0 <= min(delays) < 5
    assert 95 < max(delays) < 100
    assert 40 < sum(delays) / 1000 < 60


@pytest.mark.parametrize("every", [1, 50, 3600])
def test_with_jitter_each_tick_is_sent_once_in_its_order_and_never_before_its_time(every: int) -> None:
    entry, state, sent = an_entry(every, jitter=100, catch_up=1000), due_at_noon(), list[datetime]()
    state, due = begun(entry, now=AT_NOON)
    while len(sent) < 200:
        assert due is not None
        now = due + 0.01
        decision = look(entry, now, state)
        assert all(tick.timestamp() + delay_s(entry, tick) <= now for tick in decision.ticks)
        sent += decision.ticks
        state, due = decision.state, decision.due

    assert sent[:200] == [NOON + timedelta(seconds=every * number) for number in range(1, 201)]


@given(
    every=st.sampled_from([1, 7, 60, 3600]),
    late=st.lists(st.floats(0, 20_000), min_size=1, max_size=30),
    catch_up=st.integers(0, 20),
    jitter=st.sampled_from([0, 5, 600]),
)
def test_whenever_it_is_looked_at_no_tick_is_sent_twice_or_too_early(
    every: int, late: list[float], catch_up: int, jitter: int
) -> None:
    entry = an_entry(every, catch_up=catch_up, jitter=jitter)
    state, due = begun(entry, now=AT_NOON)
    sent: list[datetime] = []
    now = AT_NOON
    for seconds in late:
        assert due is not None
        now = max(now, due) + seconds
        decision = look(entry, now, state)
        assert len(decision.ticks) <= max(catch_up, 1)
        assert all(tick.timestamp() <= now for tick in decision.ticks)
        sent += decision.ticks
        state, due = decision.state, decision.due

    assert sent == sorted(set(sent))


# ---- a clock that is set back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("when", "later_s"), [(30, 30), ("* * * * *", 60), (schedule(60, relative=True), 60)])
def test_after_the_clock_was_set_back_an_hour_a_rhythm_goes_on_from_now(when: Any, later_s: float) -> None:
    entry, now = an_entry(when), AT_NOON - HOUR
    rhythm = entry.rhythm
    assert rhythm is not None

    mending = mended(entry, rhythm, due_at_noon(last=AT_NOON - 1), AT_NOON, now=now)

    assert mending is not None
    assert mending.due is not None
    assert now < mending.due <= now + later_s


def test_a_clock_that_differs_a_little_from_anothers_is_no_clock_that_was_set_back() -> None:
    entry = an_entry(1)
    rhythm = entry.rhythm
    assert rhythm is not None

    assert mended(entry, rhythm, due_at_noon(), AT_NOON, now=AT_NOON - CLOCK_STEP_S) is None


def test_a_crontab_that_names_its_hours_does_not_repeat_what_it_has_sent() -> None:
    entry = an_entry(crontab(minute=0, hour="12,13"))
    rhythm = entry.rhythm
    assert rhythm is not None

    assert mended(entry, rhythm, State(since=0, tick=AT_NOON + HOUR), AT_NOON + HOUR, now=AT_NOON - HOUR) is None


# ---- added, changed, resumed -------------------------------------------------------------------------------------


def test_an_entry_counts_from_when_it_was_added() -> None:
    assert begun(an_entry(90), now=AT_NOON + 5)[1] == AT_NOON + 95
    assert begun(an_entry("0 * * * *"), now=AT_NOON + 5)[1] == AT_NOON + HOUR


def test_an_interval_that_is_changed_counts_from_its_last_run_and_a_crontab_from_now() -> None:
    was = State(since=0, last=AT_NOON - 600, runs=7, tick=AT_NOON + HOUR)

    state, due = begun(an_entry(900), now=AT_NOON, was=was)
    assert (due, state.runs) == (AT_NOON + 300, 7)
    assert begun(an_entry(60), now=AT_NOON, was=was)[1] == AT_NOON - 540
    assert begun(an_entry("55 * * * *"), now=AT_NOON, was=was)[1] == AT_NOON + 55 * 60


def test_a_date_that_never_comes_is_never_due() -> None:
    assert begun(an_entry(crontab(day_of_month=30, month_of_year=2)), now=AT_NOON)[1] is None
