"""Crontabs: what fields mean, and which moment is the next one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from celeriac.core.schedules.crontab import Crontab
from celeriac.core.schedules.fields import DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH_OF_YEAR, Field, ParseException

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE_LONG = timedelta(minutes=1)


def a_crontab(minute: Any = "*", hour: Any = "*", dow: Any = "*", dom: Any = "*", month: Any = "*") -> Crontab:
    return Crontab(
        minutes=tuple(sorted(MINUTE.read(minute))),
        hours=tuple(sorted(HOUR.read(hour))),
        days_of_week=tuple(sorted(DAY_OF_WEEK.read(dow))),
        days_of_month=tuple(sorted(DAY_OF_MONTH.read(dom))),
        months=tuple(sorted(MONTH_OF_YEAR.read(month))),
    )


def runs(crontab: Crontab, start: datetime, count: int) -> list[str]:
    """Return the next runs, as a clock on the wall shows them, with their offset from UTC."""
    found = []
    moment = start
    for _ in range(count):
        moment = crontab.next_after(moment)
        found.append(moment.strftime("%Y-%m-%d %H:%M %z"))
    return found


# ---- fields ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "given", "numbers"),
    [
        (HOUR, "*", set(range(24))),
        (HOUR, "*/6", {0, 6, 12, 18}),
        (HOUR, "8-17", set(range(8, 18))),
        (HOUR, "8-17/3", {8, 11, 14, 17}),
        (HOUR, "22-2", {22, 23, 0, 1, 2}),
        (HOUR, "22-4/2", {22, 0, 2, 4}),
        (HOUR, "0,8-10,*/12", {0, 8, 9, 10, 12}),
        (HOUR, " 1, 3-5 ", {1, 3, 4, 5}),
        (HOUR, 7, {7}),
        (HOUR, [7, 8], {7, 8}),
        (HOUR, {7, 9}, {7, 9}),
        (HOUR, range(3), {0, 1, 2}),
        (MINUTE, "1,13,30-32,50-59/3", {1, 13, 30, 31, 32, 50, 53, 56, 59}),
        (DAY_OF_WEEK, "sun", {0}),
        (DAY_OF_WEEK, "Mon-FRI", {1, 2, 3, 4, 5}),
        (DAY_OF_WEEK, "saturday,thurs", {4, 6}),
        (DAY_OF_WEEK, "fri-mon", {5, 6, 0, 1}),
        (DAY_OF_WEEK, "*/2", {0, 2, 4, 6}),
        (DAY_OF_MONTH, "*/10", {1, 11, 21, 31}),
        (MONTH_OF_YEAR, "jan,June-Sept", {1, 6, 7, 8, 9}),
        (MONTH_OF_YEAR, "2-12/2", {2, 4, 6, 8, 10, 12}),
    ],
)
def test_a_field_means_these_numbers(field: Field, given: Any, numbers: set[int]) -> None:
    assert field.read(given) == numbers


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        (MINUTE, "60", "minute = '60' cannot be read: 60 is not from 0 to 59"),
        (MINUTE, 60, "minute = 60 cannot be read: 60 is not from 0 to 59"),
        (MINUTE, [5, -1], "minute = [5, -1] cannot be read: -1 is not from 0 to 59"),
        (MINUTE, "-1", "minute = '-1' cannot be read: negative numbers mean nothing"),
        (MINUTE, "1,,2", "minute = '1,,2' cannot be read: a part of it is empty"),
        (MINUTE, "", "minute = '' cannot be read: a part of it is empty"),
        (MINUTE, "*/", "minute = '*/' cannot be read: the step '' is no number of 1 or more"),
        (MINUTE, "*/0", "minute = '*/0' cannot be read: the step '0' is no number of 1 or more"),
        (MINUTE, "*/x", "minute = '*/x' cannot be read: the step 'x' is no number of 1 or more"),
        (MINUTE, "5/10", "minute = '5/10' cannot be read: '5/10' has a step; that needs a range, or '*', before it"),
        (MINUTE, "1-5-9", "minute = '1-5-9' cannot be read: '1-5-9' is no number, range or '*'"),
        (MINUTE, "mon", "minute = 'mon' cannot be read: 'mon' is no number"),
        (MINUTE, [], "minute = [] cannot be read: it names no number"),
        (DAY_OF_WEEK, "mo", "day_of_week = 'mo' cannot be read: 'mo' is no number, nor a name such as 'sun'"),
        (DAY_OF_WEEK, "jan", "day_of_week = 'jan' cannot be read: 'jan' is no number, nor a name such as 'sun'"),
        (DAY_OF_WEEK, "7", "day_of_week = '7' cannot be read: 7 is not from 0 to 6"),
        (DAY_OF_MONTH, "0", "day_of_month = '0' cannot be read: 0 is not from 1 to 31"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_with_its_value_and_the_reason(field: Field, given: Any, message: str) -> None:
    with pytest.raises(ParseException) as caught:
        field.read(given)

    assert str(caught.value) == message


@pytest.mark.parametrize("given", [1.5, object, ["1", "2"], [1.0], None])
def test_what_is_no_field_at_all_is_a_type_error(given: Any) -> None:
    with pytest.raises(TypeError, match=r"^hour = .* is neither text, nor a number, nor an iterable of numbers$"):
        HOUR.read(given)


@pytest.mark.parametrize(("dom", "month"), [(31, 2), (30, "feb"), (31, "2,4,6,9,11"), ("30,31", [2])])
def test_a_date_that_never_comes_is_known_at_once(dom: Any, month: Any) -> None:
    crontab = a_crontab(dom=dom, month=month)

    assert crontab.never
    with pytest.raises(OverflowError, match=r"^no month of \[.*2.*\] has a day of \[3"):
        crontab.next_after(datetime(2026, 1, 1, tzinfo=UTC))


# ---- the next moment ---------------------------------------------------------------------------------------------


def test_the_next_run_is_later_than_the_moment_and_at_a_full_minute() -> None:
    moment = datetime(2026, 1, 31, 23, 45, 0, 1, tzinfo=UTC)

    assert a_crontab().next_after(moment) == datetime(2026, 1, 31, 23, 46, tzinfo=UTC)
    assert a_crontab(minute=45).next_after(moment) == datetime(2026, 2, 1, 0, 45, tzinfo=UTC)
    assert a_crontab(minute=45, hour=23).next_after(moment - timedelta(microseconds=2)) == datetime(
        2026, 1, 31, 23, 45, tzinfo=UTC
    )


def test_the_29th_of_february_waits_for_the_leap_year() -> None:
    crontab = a_crontab(0, 0, dom=29, month=2)

    assert runs(crontab, datetime(2026, 3, 1, tzinfo=UTC), 2) == ["2028-02-29 00:00 +0000", "2032-02-29 00:00 +0000"]
    assert runs(crontab, datetime(2096, 3, 1, tzinfo=UTC), 1) == ["2104-02-29 00:00 +0000"]
    assert runs(crontab, datetime(1999, 3, 1, tzinfo=UTC), 1) == ["2000-02-29 00:00 +0000"]


def test_the_29th_of_february_on_a_monday_waits_longer() -> None:
    assert runs(a_crontab(0, 0, dow="mon", dom=29, month=2), datetime(2026, 1, 1, tzinfo=UTC), 1) == ["2044-02-29 00:00 +0000"]


def test_months_without_a_31st_are_passed_over() -> None:
    assert runs(a_crontab(0, 0, dom=31), datetime(2026, 1, 31, tzinfo=UTC), 3) == [
        "2026-03-31 00:00 +0000", "2026-05-31 00:00 +0000", "2026-07-31 00:00 +0000",
    ]  # fmt: skip


def test_a_day_fits_day_of_week_and_day_of_month_both() -> None:
    first_and_third_monday = a_crontab(0, 9, dow=1, dom="1-7,15-21")

    assert runs(first_and_third_monday, datetime(2026, 6, 1, 12, tzinfo=UTC), 2) == [
        "2026-06-15 09:00 +0000", "2026-07-06 09:00 +0000",
    ]  # fmt: skip


def test_the_end_of_the_calendar_is_an_error_and_no_hang() -> None:
    with pytest.raises(OverflowError, match="before the year 10000"):
        a_crontab(0, 0, dom=29, month=2).next_after(datetime(9997, 1, 1, tzinfo=UTC))


# ---- clocks that jump --------------------------------------------------------------------------------------------


def test_a_daily_run_whose_time_is_skipped_comes_once_as_much_later() -> None:
    assert runs(a_crontab(30, 2), datetime(2026, 3, 28, 12, tzinfo=BERLIN), 2) == [
        "2026-03-29 03:30 +0200", "2026-03-30 02:30 +0200",
    ]  # fmt: skip


def test_a_daily_run_whose_time_happens_twice_comes_once_the_first_time() -> None:
    assert runs(a_crontab(30, 2), datetime(2026, 10, 24, 12, tzinfo=BERLIN), 2) == [
        "2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100",
    ]  # fmt: skip


def test_every_half_hour_stays_every_half_hour_while_the_clock_goes_back() -> None:
    assert runs(a_crontab("*/30"), datetime(2026, 10, 25, 1, 45, tzinfo=BERLIN), 5) == [
        "2026-10-25 02:00 +0200", "2026-10-25 02:30 +0200", "2026-10-25 02:00 +0100", "2026-10-25 02:30 +0100",
        "2026-10-25 03:00 +0100",
    ]  # fmt: skip


def test_every_half_hour_stays_every_half_hour_while_the_clock_jumps_ahead() -> None:
    assert runs(a_crontab("*/30"), datetime(2026, 3, 29, 1, 15, tzinfo=BERLIN), 3) == [
        "2026-03-29 01:30 +0100", "2026-03-29 03:00 +0200", "2026-03-29 03:30 +0200",
    ]  # fmt: skip


def test_two_times_that_fall_together_are_one_run() -> None:
    assert runs(a_crontab(30, "2,3"), datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN), 2) == [
        "2026-03-29 03:30 +0200", "2026-03-30 02:30 +0200",
    ]  # fmt: skip


def test_a_day_that_a_country_left_out_does_not_stop_its_schedules() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011

    assert runs(a_crontab(0, 10), datetime(2011, 12, 29, 12, tzinfo=apia), 2) == [
        "2011-12-31 10:00 +1400", "2012-01-01 10:00 +1400",
    ]  # fmt: skip


# ---- any crontab against a walk ------------------------------------------------------------------------------------


def numbers(lowest: int, highest: int) -> st.SearchStrategy[Any]:
    some = st.frozensets(st.integers(lowest, highest), min_size=1, max_size=3)
    return st.one_of(st.just("*"), some, st.integers(2, 9).map("*/{}".format))


def walk(crontab: Crontab, start: datetime, minutes: int) -> Iterator[datetime]:
    """Yield the runs of so many minutes by looking at each: does a clock on the wall show, or skip over, a time that fits?"""
    zone = start.tzinfo
    moment = start.astimezone(UTC).replace(second=0, microsecond=0)
    for _ in range(minutes):
        moment += MINUTE_LONG
        here = moment.astimezone(zone)
        shown = here.replace(tzinfo=None, fold=0)
        twice_and_every_hour = here.fold == 0 or len(crontab.hours) == 24
        if (fits(crontab, shown) and twice_and_every_hour) or any(fits(crontab, time) for time in skipped(here)):
            yield moment


def skipped(here: datetime) -> Iterator[datetime]:
    """Yield the time that no clock showed, and that counts as this moment."""
    for jump in (timedelta(minutes=30), timedelta(hours=1)):
        time = here.replace(tzinfo=None, fold=0) - jump
        meant = time.replace(tzinfo=here.tzinfo).astimezone(UTC)
        if meant == here.astimezone(UTC) and meant.astimezone(here.tzinfo).replace(tzinfo=None, fold=0) != time:
            yield time


def fits(crontab: Crontab, time: datetime) -> bool:
    return (
        time.minute in crontab.minutes
        and time.hour in crontab.hours
        and time.isoweekday() % 7 in crontab.days_of_week
        and time.day in crontab.days_of_month
        and time.month in crontab.months
    )


JUMPS = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "America/Sao_Paulo": (datetime(2018, 11, 4, 3, tzinfo=UTC), datetime(2019, 2, 17, 2, tzinfo=UTC)),  # at midnight
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),  # half an hour
}


@settings(max_examples=150, deadline=None)
@given(
    minute=numbers(0, 59),
    hour=numbers(0, 23),
    zone=st.sampled_from(sorted(JUMPS)),
    which=st.sampled_from([0, 1]),
    before_s=st.integers(0, 100_000),
)
def test_around_jumps_of_the_clock_the_runs_are_those_of_a_walk_minute_by_minute(
    minute: Any, hour: Any, zone: str, which: int, before_s: int
) -> None:
    crontab = a_crontab(minute, hour)
    start = (JUMPS[zone][which] - timedelta(seconds=before_s)).astimezone(ZoneInfo(zone))

    expected = next(walk(crontab, start, 60 * 60), None)

    assert expected is not None
    assert crontab.next_after(start).astimezone(UTC) == expected


@settings(max_examples=200, deadline=None)
@given(
    dow=numbers(0, 6),
    dom=numbers(1, 31),
    month=numbers(1, 12),
    start=st.datetimes(datetime(1999, 1, 1), datetime(2105, 1, 1), timezones=st.just(UTC)),
)
def test_across_months_and_leap_years_the_day_is_that_of_a_walk_day_by_day(
    dow: Any, dom: Any, month: Any, start: datetime
) -> None:
    crontab = a_crontab(0, 12, dow, dom, month)
    assume(not crontab.never)

    noon = start.replace(hour=12, minute=0, second=0, microsecond=0)
    days = (noon + timedelta(days=number) for number in range(366 * 41))
    expected = next(day for day in days if day > start and fits(crontab, day))

    assert crontab.next_after(start) == expected


@settings(max_examples=4, deadline=None)
@given(
    minute=st.frozensets(st.integers(0, 59), min_size=1, max_size=2),
    hour=st.frozensets(st.integers(0, 23), min_size=1, max_size=2),
    dow=numbers(0, 6),
)
def test_all_runs_of_two_years_are_those_of_a_walk_minute_by_minute(minute: Any, hour: Any, dow: Any) -> None:
    crontab = a_crontab(minute, hour, dow)
    start = datetime(2027, 12, 30, 5, 5, tzinfo=UTC)
    minutes = 2 * 366 * 24 * 60

    expected = list(walk_in_utc(crontab, start, minutes))

    found, moment = [], start
    while (moment := crontab.next_after(moment)) <= start + minutes * MINUTE_LONG:
        found.append(moment)
    assert found == expected


def walk_in_utc(crontab: Crontab, start: datetime, minutes: int) -> Iterator[datetime]:
    """Yield the runs of so many minutes where no clock jumps."""
    return (time for number in range(1, minutes + 1) if fits(crontab, time := start + number * MINUTE_LONG))
