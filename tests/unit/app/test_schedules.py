"""``schedule``, ``crontab`` and ``solar`` as programs and schedulers use them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from celeriac import Celery, crontab, schedule, solar
from celeriac.app.crontab_parser import crontab_parser
from celeriac.app.schedules import BaseSchedule, maybe_schedule, schedstate
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.schedules.fields import ParseException

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # a Monday
BERLIN = ZoneInfo("Europe/Berlin")


def at(moment: datetime) -> Callable[[], datetime]:
    """Return a clock that stands still."""
    return lambda: moment


def noon() -> datetime:
    return NOON


@pytest.fixture
def app() -> Iterator[Celery]:
    with Celery("schedules", broker="memory://schedules") as app:
        yield app


# ---- every so often ----------------------------------------------------------------------------------------------


def test_an_interval_is_due_when_it_is_over_and_says_when_to_ask_again(app: Celery) -> None:
    every = schedule(30, nowfun=noon, app=app)

    assert every.is_due(NOON - timedelta(seconds=30)) == (True, 30)
    assert every.is_due(NOON - timedelta(seconds=10)) == (False, 20)
    assert every.is_due(NOON - timedelta(days=9)) == schedstate(is_due=True, next=30)


def test_by_the_clock_what_counts_next_is_the_full_unit_after_now(app: Celery) -> None:
    hourly = schedule(timedelta(hours=1), relative=True, nowfun=at(NOON + timedelta(minutes=20)), app=app)

    assert hourly.is_due(NOON - timedelta(minutes=1)) == (True, 40 * 60)
    assert hourly.is_due(NOON) == (False, 40 * 60)


def test_by_the_clock_means_the_clock_of_the_apps_zone(app: Celery) -> None:
    app.conf.timezone = "Europe/Berlin"
    daily = schedule(timedelta(days=1), relative=True, nowfun=noon, app=app)

    assert daily.remaining_estimate(NOON) == timedelta(hours=10)


def test_a_moment_without_zone_is_meant_in_utc(app: Celery) -> None:
    app.conf.timezone = "Europe/Berlin"
    every = schedule(60, nowfun=at(NOON.replace(tzinfo=None)), app=app)

    assert every.remaining_estimate(NOON.replace(tzinfo=None)) == timedelta(seconds=60)
    assert every.maybe_make_aware(NOON.replace(tzinfo=None)) == NOON
    assert every.maybe_make_aware(NOON.replace(tzinfo=None), naive_as_utc=False) == NOON - timedelta(hours=2)


def test_without_a_clock_of_its_own_a_schedule_goes_by_the_apps(app: Celery) -> None:
    [before, moment, after] = [app.now(), schedule(60, app=app).now(), app.now()]

    assert before <= moment <= after


def test_an_interval_is_told_in_words_compared_and_pickled() -> None:
    every = schedule(5400.0, relative=True, nowfun=noon)

    again = pickle.loads(pickle.dumps(every))

    assert (repr(every), every.human_seconds, every.seconds) == ("<freq: 1.50 hours>", "1.50 hours", 5400)
    assert (again.run_every, again.relative, again.nowfun) == (timedelta(hours=1.5), True, noon)
    assert again == every == timedelta(hours=1.5)
    assert every != schedule(5)
    assert len({every, again, schedule(5)}) == 2


@pytest.mark.parametrize("wrong", ["30", float("inf"), float("nan"), object()])
def test_what_is_no_duration_is_told(wrong: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^run_every = .* is no duration: give seconds, or a timedelta"):
        schedule(wrong)


def test_an_interval_without_length_is_told_when_it_is_asked() -> None:
    with pytest.raises(ImproperlyConfigured, match="has no run_every"):
        schedule().is_due(NOON)


def test_seconds_and_timedeltas_become_schedules_and_schedules_are_handed_the_app(app: Celery) -> None:
    nightly = crontab(0, 0)

    assert maybe_schedule(10, relative=True, app=app) == timedelta(seconds=10)
    assert maybe_schedule(10, relative=True, app=app).relative
    assert maybe_schedule(timedelta(1), app=app).app is app
    assert maybe_schedule(nightly, app=app) is nightly
    assert nightly.app is app
    assert maybe_schedule(None) is None


def test_what_is_no_schedule_is_told() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"'daily' is no schedule: give seconds, a timedelta, crontab"):
        maybe_schedule("daily")


# ---- crontab -----------------------------------------------------------------------------------------------------


def test_a_crontab_has_its_fields_as_numbers_and_as_they_were_written() -> None:
    weekdays = crontab(minute="*/30", hour=[7, 8], day_of_week="mon-fri", day_of_month=iter([1, 2]), month_of_year=None)

    assert (weekdays.minute, weekdays.hour, weekdays.day_of_week) == ({0, 30}, {7, 8}, {1, 2, 3, 4, 5})
    assert (weekdays.day_of_month, weekdays.month_of_year) == ({1, 2}, set(range(1, 13)))
    assert repr(weekdays) == "<crontab: */30 [7, 8] [1, 2] * mon-fri (m/h/dM/MY/d)>"


def test_a_crontab_is_due_after_its_minute_and_says_when_to_ask_again(app: Celery) -> None:
    quarterly = crontab("*/15", nowfun=at(NOON + timedelta(minutes=5)), app=app)

    assert quarterly.is_due(NOON) == (False, 600)
    assert quarterly.is_due(NOON - timedelta(minutes=1)) == (True, 600)


def test_the_hours_of_a_crontab_are_those_of_the_apps_zone(app: Celery) -> None:
    app.conf.timezone = "Europe/Berlin"
    nightly = crontab(0, 0, nowfun=noon, app=app)

    assert nightly.remaining_estimate(NOON) == timedelta(hours=10)
    assert nightly.remaining_estimate(NOON.astimezone(ZoneInfo("Asia/Tokyo"))) == timedelta(hours=10)


def test_a_subclass_may_have_a_zone_of_its_own(app: Celery) -> None:
    class InZone(crontab):
        def __init__(self, *fields: Any, tz: tzinfo, **clock: Any) -> None:
            self.tz = tz
            super().__init__(*fields, **clock)

    nightly = InZone(0, 0, tz=BERLIN, nowfun=noon, app=app)

    assert nightly.remaining_estimate(NOON) == timedelta(hours=10)


def test_a_run_that_was_missed_by_more_than_the_deadline_is_left_out(app: Celery) -> None:
    hourly = crontab(0, nowfun=at(NOON + timedelta(minutes=10)), app=app)
    last = NOON - timedelta(minutes=90)

    app.conf.beat_cron_starting_deadline = 600
    in_time = hourly.is_due(last)
    app.conf.beat_cron_starting_deadline = 599
    too_late = hourly.is_due(last)

    assert (in_time, too_late) == ((True, 3000), (False, 3000))


def test_the_distance_to_the_next_run_comes_in_parts(app: Celery) -> None:
    nightly = crontab(30, 0, nowfun=noon, app=app)

    last, delta, now = nightly.remaining_delta(NOON, tz="Europe/Berlin")

    assert (last, delta, now) == (NOON, timedelta(hours=10.5), NOON)
    assert (str(last.tzinfo), str(now.tzinfo)) == ("Europe/Berlin", "Europe/Berlin")


def test_the_distance_to_the_next_run_can_be_of_a_class_of_the_callers(app: Celery) -> None:
    class Until:
        def __init__(self, **fields: int) -> None:
            self.fields = fields

        def __radd__(self, start: datetime) -> datetime:
            return start.replace(**self.fields)  # type: ignore[arg-type]

    nightly = crontab(30, 0, nowfun=noon, app=app)

    assert nightly.remaining_delta(NOON, ffwd=Until)[1].fields == {
        "year": 2026, "month": 6, "day": 2, "hour": 0, "minute": 30, "second": 0, "microsecond": 0,
    }  # fmt: skip
    assert nightly.remaining_estimate(NOON, ffwd=Until) == timedelta(hours=12.5)


def test_a_crontab_survives_pickling_and_copying_with_its_clock(app: Celery) -> None:
    nightly = crontab(0, {0, 12}, day_of_week="sun", nowfun=noon)

    for again in (pickle.loads(pickle.dumps(nightly)), deepcopy(nightly)):
        assert again == nightly
        assert (repr(again), again.now(), again.hour) == (repr(nightly), NOON, {0, 12})


def test_crontabs_are_equal_that_mean_the_same_by_the_same_clock() -> None:
    assert crontab("*/20") == crontab([0, 20, 40])
    assert hash(crontab("*/20")) == hash(crontab([0, 20, 40]))
    assert crontab("*/20") != crontab("*/20", nowfun=noon)
    assert crontab("*/20") != crontab("*/30")
    assert crontab("*/20") != schedule(20)


def test_a_line_of_cron_is_read_in_crons_order() -> None:
    assert crontab.from_string("5 4 3 2  mon") == crontab(minute=5, hour=4, day_of_month=3, month_of_year=2, day_of_week=1)
    with pytest.raises(
        ParseException, match=r"^'@daily' has 1 fields, not five: minute hour day_of_month month_of_year day_of_week$"
    ):
        crontab.from_string("@daily")


def test_a_wrong_crontab_is_told_where_it_is_made() -> None:
    with pytest.raises(ParseException, match=r"^hour = '25' cannot be read: 25 is not from 0 to 23$"):
        crontab(hour="25")
    with pytest.raises(TypeError, match="unexpected keyword argument 'tz'"):
        crontab(tz=UTC)  # type: ignore[call-arg]


def test_a_date_that_never_comes_is_warned_of_and_never_due(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    never = crontab(0, 12, day_of_month=30, month_of_year="feb", nowfun=noon, app=app)

    assert "never runs: no month_of_year of [2] has a day_of_month of [30]" in caplog.text
    assert never.remaining_estimate(NOON - timedelta(days=900)) == timedelta.max
    due, again_s = never.is_due(NOON - timedelta(days=900))
    assert not due
    assert again_s > 1e9


def test_a_field_may_be_a_function_that_is_asked_once(app: Celery) -> None:
    asked: list[int] = []

    def minutes() -> str:
        asked.append(1)
        return "*/20"

    made = crontab(minute=minutes, hour=lambda: [1, 2], app=app)

    assert made == crontab("*/20", "1,2", app=app)
    assert pickle.loads(pickle.dumps(crontab(minutes))) == crontab("*/20")
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("parser", "spec", "numbers"),
    [
        (crontab_parser(), "*/15", {0, 15, 30, 45}),
        (crontab_parser(7), "sun,fri", {0, 5}),
        (crontab_parser(12, 1), "2-12/2,jan", {1, 2, 4, 6, 8, 10, 12}),
        (crontab_parser(31, 1), "*/10", {1, 11, 21, 31}),
    ],
)
def test_a_parser_reads_one_field(parser: crontab_parser, spec: str, numbers: set[int]) -> None:
    assert parser.parse(spec) == numbers
    with pytest.raises(parser.ParseException, match=r"^spec = '99' cannot be read"):
        parser.parse("99")


def test_a_schedule_of_ones_own_says_what_it_lacks() -> None:
    class Never(BaseSchedule):
        pass

    with pytest.raises(NotImplementedError, match=r"^Never does not say is_due\(last_run_at\)$"):
        Never().is_due(NOON)
    with pytest.raises(NotImplementedError, match=r"^Never does not say remaining_estimate\(last_run_at\)$"):
        Never().remaining_estimate(NOON)
    assert Never() == Never()
    assert Never() != Never(nowfun=noon)


def test_the_clock_of_the_machine_counts_when_utc_is_off(app: Celery) -> None:
    assert schedule(1, app=app).to_local(NOON) is NOON

    app.conf.enable_utc = False

    assert schedule(1, app=app).to_local(NOON) == NOON
    assert schedule(1, app=app).to_local(NOON).utcoffset() == NOON.astimezone().utcoffset()


# ---- the sun -----------------------------------------------------------------------------------------------------


def test_the_sun_rises_over_greenwich_when_almanacs_say(app: Celery) -> None:
    pytest.importorskip("ephem")
    midnight = datetime(2026, 6, 21, tzinfo=UTC)
    sunrise = solar("sunrise", 51.48, 0, nowfun=at(midnight), app=app)

    due, next_s = sunrise.is_due(midnight)

    assert not due
    assert abs(next_s - (3 * 60 + 43) * 60) < 120


def test_an_event_of_the_sun_is_due_once_it_has_happened(app: Celery) -> None:
    pytest.importorskip("ephem")
    sunset = solar("sunset", 51.48, 0, nowfun=at(datetime(2026, 6, 21, 20, 30, tzinfo=UTC)), app=app)

    due, next_s = sunset.is_due(NOON.replace(day=21))

    assert due
    assert 23 * 3600 < next_s < 24 * 3600


def test_where_the_sun_does_not_rise_for_months_the_search_goes_on(app: Celery) -> None:
    pytest.importorskip("ephem")
    november = datetime(2026, 11, 25, tzinfo=UTC)
    sunrise = solar("sunrise", 78.2, 15.6, nowfun=at(november), app=app)  # Longyearbyen

    assert timedelta(days=70) < sunrise.remaining_estimate(november) < timedelta(days=90)


def test_the_search_for_the_sun_has_an_end(app: Celery) -> None:
    pytest.importorskip("ephem")
    november = datetime(2026, 11, 25, tzinfo=UTC)
    sunrise = solar("sunrise", 78.2, 15.6, nowfun=at(november), app=app)
    sunrise.max_search_days = 5

    assert timedelta(days=4) < sunrise.remaining_estimate(november) < timedelta(days=6)


def test_an_event_of_the_sun_is_told_compared_and_pickled() -> None:
    pytest.importorskip("ephem")
    noon_there = solar("solar_noon", 52.5, 13.4, nowfun=noon)

    again = pickle.loads(pickle.dumps(noon_there))

    assert again == noon_there
    assert (hash(again), again.now()) == (hash(noon_there), NOON)
    assert noon_there != solar("sunset", 52.5, 13.4)
    assert repr(again) == "<solar: solar_noon at latitude 52.5, longitude: 13.4>"


@pytest.mark.parametrize(
    ("event", "lat", "lon", "message"),
    [
        ("teatime", 0, 0, "event = 'teatime' is nothing that the sun does: give one of dawn_astronomical, "),
        ("sunset", 91, 0, "lat = 91 is not from -90 to 90"),
        ("sunset", 0, -181, "lon = -181 is not from -180 to 180"),
    ],
)
def test_no_such_event_and_no_such_place_are_told(event: str, lat: float, lon: float, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        solar(event, lat, lon)


def test_without_its_library_the_sun_says_what_to_install() -> None:
    program = "import sys\nsys.modules['ephem'] = None\nfrom celeriac import solar\nsolar('sunset', 0, 0)"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert answer.stderr.endswith(
        "ImproperlyConfigured: solar(...) needs the library ephem, which is not installed: pip install 'celeriac[solar]'\n"
    )
