"""Intervals: the next run after the last one, in real time or by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from celeriac.core.schedules.intervals import next_after, seconds_in_words
from celeriac.core.schedules.solar import EVENTS

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_an_interval_is_counted_from_the_last_run() -> None:
    last = datetime(2026, 5, 5, 10, 20, 30, 5, tzinfo=BERLIN)

    assert next_after(last, timedelta(minutes=90)) == datetime(2026, 5, 5, 11, 50, 30, 5, tzinfo=BERLIN)
    assert next_after(last, timedelta(minutes=90)).tzinfo is BERLIN


def test_a_day_has_24_hours_when_clocks_change_too() -> None:
    last = datetime(2026, 3, 28, 12, tzinfo=BERLIN)

    following = next_after(last, DAY)

    assert following.astimezone(UTC) - last.astimezone(UTC) == timedelta(hours=24)
    assert following.hour == 13


@pytest.mark.parametrize(
    ("every", "following"),
    [
        (timedelta(seconds=0.5), datetime(2026, 5, 5, 10, 20, 31, 200_000, tzinfo=BERLIN)),
        (timedelta(seconds=30), datetime(2026, 5, 5, 10, 21, 0, tzinfo=BERLIN)),
        (timedelta(minutes=15), datetime(2026, 5, 5, 10, 35, tzinfo=BERLIN)),
        (timedelta(hours=2), datetime(2026, 5, 5, 12, 0, tzinfo=BERLIN)),
        (timedelta(days=3), datetime(2026, 5, 8, 0, 0, tzinfo=BERLIN)),
    ],
)
def test_by_the_clock_an_interval_ends_at_a_full_unit_of_its_length(every: timedelta, following: datetime) -> None:
    last = datetime(2026, 5, 5, 10, 20, 30, 700_000, tzinfo=BERLIN)

    assert next_after(last, every, relative=True) == following


def test_by_the_clock_days_are_those_of_the_calendar() -> None:
    before_the_jump = datetime(2026, 3, 28, 0, 0, tzinfo=BERLIN)

    first = next_after(before_the_jump, DAY, relative=True)
    second = next_after(first, DAY, relative=True)

    assert [first, second] == [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 3, 30, tzinfo=BERLIN)]
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=23)


def test_by_the_clock_every_hour_goes_on_through_the_hour_that_happens_twice() -> None:
    moment = datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)
    found = []

    for _ in range(4):
        moment = next_after(moment, HOUR, relative=True)
        found.append(moment.strftime("%H:%M %z"))

    assert found == ["02:00 +0200", "02:00 +0100", "03:00 +0100", "04:00 +0100"]


def test_by_the_clock_every_hour_is_never_stuck_where_the_clock_goes_back_by_half_an_hour() -> None:
    moment = datetime(2026, 4, 5, 0, 0, tzinfo=LORD_HOWE)
    found = []

    for _ in range(3):
        moment = next_after(moment, HOUR, relative=True)
        found.append(moment.strftime("%H:%M %z"))

    assert found == ["01:00 +1100", "02:00 +1030", "03:00 +1030"]


def test_by_the_clock_a_midnight_that_is_skipped_comes_as_much_later() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")

    assert next_after(datetime(2018, 11, 3, 9, tzinfo=sao_paulo), DAY, relative=True).strftime("%d %H:%M") == "04 01:00"


@pytest.mark.parametrize("every", [timedelta(), timedelta(seconds=-5)])
def test_no_interval_at_all_is_over_at_once(every: timedelta) -> None:
    last = datetime(2026, 5, 5, tzinfo=UTC)

    assert next_after(last, every, relative=True) == last + every


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"), (0.5, "now"), (1, "1.00 second"), (1.5, "1.50 seconds"), (60, "1.00 minute"), (5400, "1.50 hours"),
        (86400, "1.00 day"), (1_000_000, "11.57 days"), (59.999, "1.00 minute"),
    ],
)  # fmt: skip
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words


def test_there_are_nine_things_that_the_sun_does() -> None:
    assert len(EVENTS) == 9
    assert {event.method for event in EVENTS.values()} == {"next_rising", "next_transit", "next_setting"}
