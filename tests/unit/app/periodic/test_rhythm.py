"""From schedules to moments: every zone and every change of clocks, crontabs against an independent reading, long silences."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim

from celeriac import Celery, crontab, schedule, solar
from celeriac.app.periodic.rhythm import Cron, rhythm_of
from celeriac.app.schedules import BaseSchedule

APP = Celery("rhythms", broker="memory://rhythms", set_as_current=False)
YEARS = range(2000, 2041)
MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def transitions(zone: ZoneInfo) -> Iterator[datetime]:
    """Yield each moment, in UTC, at which the clock of ``zone`` jumps, found by halving."""
    moment, end = datetime(YEARS.start, 1, 1, tzinfo=UTC), datetime(YEARS.stop, 1, 1, tzinfo=UTC)
    step = timedelta(days=5)  # two jumps are farther from each other, but for Ramadan in Morocco, which takes a month
    while moment < end:
        low, high = moment, moment + step
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield high.replace(microsecond=0)
        moment += step


def cron_in(zone: ZoneInfo, made: crontab, **policy: Any) -> Cron:
    rhythm = rhythm_of(made, zone, **policy)
    assert isinstance(rhythm, Cron)
    return rhythm


def runs_between(rhythm: Cron, start: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    moment = rhythm.next_after(start)
    while moment is not None and moment <= end:
        found.append(moment)
        moment = rhythm.next_after(moment)
    return found


def on_the_wall(found: list[datetime], zone: ZoneInfo) -> list[datetime]:
    return [moment.astimezone(zone).replace(tzinfo=None) for moment in found]


SPECIAL = ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Gaza", "America/Sao_Paulo")
"""An hour, half an hour, a month of Ramadan, a whole day skipped, jumps at midnight."""


@pytest.mark.parametrize("name", SPECIAL)
def test_around_changes_of_clocks_each_policy_does_what_it_says(name: str) -> None:
    zone = ZoneInfo(name)
    jumps = list(transitions(zone))
    assert len(jumps) > 1
    for jump in jumps[::4] + [jump for jump in jumps if jump.year == 2011]:
        check_jump(zone, jump)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_in_every_zone_around_every_change_of_clocks_each_policy_does_what_it_says() -> None:
    assert len(ZONES) > 400
    seen: set[tuple[object, ...]] = set()
    for name in ZONES:
        zone = ZoneInfo(name)
        for jump in transitions(zone):
            # Many zones are one under several names, or share a change.
            key = jump, *((jump + timedelta(days=days)).astimezone(zone).utcoffset() for days in (-1, 1))
            if key not in seen:
                seen.add(key)
                check_jump(zone, jump)
    assert len(seen) > 1000


def check_jump(zone: ZoneInfo, jump: datetime) -> None:
    """Ask every policy around one change of the clock, and compare it with a walk through the minutes of real time."""
    before, after = ((jump + each).astimezone(zone).utcoffset() for each in (timedelta(seconds=-1), timedelta(0)))
    assert before is not None
    assert after is not None
    size = after - before
    if before % MINUTE or after % MINUTE or not size:
        return  # a clock that is not at full minutes
    start, end = jump - timedelta(hours=26), jump + timedelta(hours=26)
    # A time in the middle of what is skipped or doubled.
    wall = ((jump + before).replace(tzinfo=None) + size / 2).replace(second=0)
    daily = crontab(wall.minute, wall.hour, app=APP)
    walls = {moment: moment.astimezone(zone).replace(tzinfo=None) for moment in walk(start, end)}
    once = [moment for moment, local in walls.items() if local == wall]
    others = [moment for moment, local in walls.items() if local.time() == wall.time() and local.date() != wall.date()]
    if size > timedelta(0):  # the clock goes forward: this time is nowhere on the wall
        assert once == [], (zone, jump)
        later = (wall - before).replace(tzinfo=UTC)
        assert runs_between(cron_in(zone, daily), start, end) == sorted({*others, later}), (zone, jump)
        assert runs_between(cron_in(zone, daily, skipped="never"), start, end) == others, (zone, jump)
    else:
        assert len(once) == 2, (zone, jump, wall)
        for policy, counts in {"rhythm": once[:1], "first": once[:1], "second": once[1:], "both": once}.items():
            found = runs_between(cron_in(zone, daily, doubled=policy), start, end)
            assert found == sorted([*others, *counts]), (zone, jump, policy)
    # A rhythm goes on: every ten minutes stays every ten minutes of real time, whatever the clock does.
    near = jump - timedelta(hours=1), jump + timedelta(hours=1)
    if size % timedelta(minutes=10) == timedelta(0) and before % timedelta(minutes=10) == timedelta(0):
        steady = runs_between(cron_in(zone, crontab("*/10", app=APP)), *near)
        assert steady == [moment for moment in walk(*near) if moment.minute % 10 == 0], (zone, jump)


def walk(start: datetime, end: datetime) -> list[datetime]:
    """Return the full minutes of real time between two moments."""
    first = start.replace(second=0, microsecond=0) + MINUTE
    return [first + number * MINUTE for number in range(int((end - first) / MINUTE) + 1)]


# ---- against another reading of cron -----------------------------------------------------------------------------


def a_field(chance: random.Random, lowest: int, highest: int) -> str:
    first, last = sorted(chance.randint(lowest, highest) for _ in range(2))
    some = ",".join(str(chance.randint(lowest, highest)) for _ in range(3))
    step = chance.randint(1, highest)
    # Of a range of one, with a step, cronsim makes one that has no end.
    stepped = f"{first}-{last}/{step}" if first < last else "*"
    return chance.choice(["*", "*", f"*/{step}", f"{first}-{last}", stepped, some, str(first)])


def compare(count: int, seed: int) -> None:
    """Compare runs with cronsim's, expression by expression.

    Celery's crontab wants day of month *and* day of week to fit, cron either: so one of them is free in each expression.
    """
    chance = random.Random(seed)
    for _ in range(count):
        minute, hour, month = (a_field(chance, *bounds) for bounds in ((0, 59), (0, 23), (1, 12)))
        by_week = chance.random() < 0.5
        day_of_month = "*" if by_week else a_field(chance, 1, 31)
        day_of_week = a_field(chance, 0, 6) if by_week else "*"
        line = f"{minute} {hour} {day_of_month} {month} {day_of_week}"
        start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(40 * 365 * 1440))
        made = crontab.from_string(line)
        rhythm = rhythm_of(made, UTC)
        assert rhythm is not None
        if made.fields().never:
            assert rhythm.next_after(start) is None
            continue
        theirs = CronSim(line, start)
        moment = rhythm.next_after(start)
        for _ in range(3):
            expected = next(theirs, None)  # it gives up after fifty years
            assert moment == expected or expected is None, (line, start)
            moment = rhythm.next_after(moment) if moment is not None else None


def test_a_few_thousand_random_lines_of_cron_mean_what_they_mean_elsewhere() -> None:
    compare(3_000, seed=11)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_a_hundred_thousand_random_lines_of_cron_mean_what_they_mean_elsewhere() -> None:
    compare(100_000, seed=12)


# ---- the latest of many ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when",
    [schedule(7), schedule(0.5), crontab("*/5"), crontab(0, 3), crontab(0, 12, day_of_week="mon"), schedule(3600, relative=True)],
    ids=repr,
)
def test_the_latest_moments_are_those_of_a_walk(when: Any) -> None:
    rhythm = rhythm_of(when, ZoneInfo("Europe/Berlin"))
    assert rhythm is not None
    first = rhythm.next_after(datetime(2026, 3, 20, tzinfo=UTC))
    assert first is not None
    for days, count in ((0.01, 3), (1, 5), (12, 20)):
        now = first + timedelta(days=days)
        walked = [first]
        while (moment := rhythm.next_after(walked[-1])) is not None and moment <= now:
            walked.append(moment)

        assert rhythm.latest(first, now, count) == walked[-count:]


def test_by_the_clock_days_keep_their_count_through_a_long_silence() -> None:
    rhythm = rhythm_of(schedule(timedelta(days=2), relative=True), UTC)
    assert rhythm is not None
    first = datetime(2026, 1, 1, tzinfo=UTC)

    assert rhythm.latest(first, first + timedelta(days=101), 2) == [first + timedelta(days=98), first + timedelta(days=100)]


def test_the_sun_rises_once_a_day() -> None:
    rhythm = rhythm_of(solar("sunrise", 52.52, 13.40, app=APP))
    assert rhythm is not None
    moments = [datetime(2026, 1, 1, tzinfo=UTC)]
    for _ in range(365):
        following = rhythm.next_after(moments[-1])
        assert following is not None
        moments.append(following)

    gaps = [later - earlier for earlier, later in pairwise(moments[1:])]
    assert all(abs(gap - timedelta(days=1)) < timedelta(minutes=5) for gap in gaps)


# ---- what has no rhythm ------------------------------------------------------------------------------------------


class Own(schedule):
    def is_due(self, last_run_at: datetime) -> Any:
        return super().is_due(last_run_at)


class Plain(BaseSchedule):
    pass


def test_what_says_by_itself_when_it_is_due_or_has_a_clock_of_its_own_is_asked() -> None:
    for when in (Own(5), Plain(), crontab(nowfun=lambda: datetime.now(UTC)), schedule(5, nowfun=datetime.now), object()):
        assert rhythm_of(when, UTC) is None


class Named(crontab):
    """Only another name."""


def test_a_subclass_that_changes_nothing_of_that_has_the_rhythm_of_its_class() -> None:
    assert rhythm_of(Named(0, 5, app=APP)) == rhythm_of(crontab(0, 5, app=APP))
