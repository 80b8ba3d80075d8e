"""``app.schedules``: entries are added, changed, paused, run and removed while nobody has to be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from celeriac import Celery, crontab, schedule, solar, uuid
from celeriac.abc import Lessee, Timetable, Timetables
from celeriac.app.periodic.changing import NoSuchEntry, Schedules
from celeriac.app.periodic.place import timetable_name
from celeriac.app.periodic.stored import entry_of
from celeriac.app.schedules import BaseSchedule
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Parcel
from celeriac.testing.clock import VirtualRuntime

NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def runtime() -> VirtualRuntime:
    return VirtualRuntime(seed=3)


@pytest.fixture
def app(runtime: VirtualRuntime) -> Iterator[Celery]:
    url = f"memory://{uuid()}"
    with Celery("shop", broker=url, backend=url, runtime=runtime) as app:

        @app.task(name="shop.report")
        def report(*args: Any) -> None:
            """Report."""

        yield app


@pytest.fixture
def schedules(app: Celery) -> Schedules:
    return app.schedules


def sent(app: Celery) -> list[Parcel]:
    app.store.keep("n", name="n", info={}, queues=["celery"])
    deliveries = app.store.fetch(["celery"], lessee=Lessee("n", "c"), limit=100, wait_s=0).deliveries
    return [delivery.parcel for delivery in deliveries if isinstance(delivery.parcel, Parcel)]


def next_run(schedules: Schedules, name: str) -> datetime | None:
    found = schedules.get(name)
    assert found is not None
    return found.next_run


def test_an_entry_is_added_and_found(app: Celery, schedules: Schedules) -> None:
    schedules.add("a", crontab(30, 7), app.tasks["shop.report"], (1,), {"x": 2}, options={"queue": "q"}, catch_up=3)

    found = schedules.get("a")

    assert found is not None
    assert (found.task, found.schedule, found.next_run) == ("shop.report", "30 7 * * *", NEW_YEAR + timedelta(hours=7.5))
    assert (found.runs, found.last_run, found.paused, found.settled) == (0, None, False, False)
    assert found.details["args"] == [1]
    assert found.details["options"] == {"queue": "q"}
    assert (len(schedules), [entry.name for entry in schedules]) == (1, ["a"])
    assert bool(app.schedules)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (30, "every 30 s"),
        (timedelta(hours=2), "every 7200 s"),
        ("*/5 8-17 * * mon-fri", "*/5 8-17 * * mon-fri"),
        (crontab([1, 2], "3, 4", day_of_week={1, 5}), "1,2 3,4 * * 1,5"),
        (schedule(3600, relative=True), "every 3600 s by the clock"),
        (solar("sunset", 52.5, 13.4), "sunset at 52.5, 13.4"),
    ],
)
def test_every_kind_of_schedule_is_kept_as_it_is(app: Celery, schedules: Schedules, when: Any, words: str) -> None:
    schedules.add("a", when, "shop.report")

    found = schedules.get("a")
    [record] = schedules.timetable.read(["a"])
    assert found is not None
    assert record is not None
    assert found.schedule == words
    kept = entry_of("a", record.entry, app=app, zone_of=lambda _: UTC).schedule
    given = crontab.from_string(when) if isinstance(when, str) else when
    assert kept == (schedule(when) if isinstance(when, int) else given)


def test_what_cannot_be_kept_is_refused_with_the_reason(schedules: Schedules) -> None:
    class Own(BaseSchedule):
        """Somebody's."""

    for when, args in ((Own(), ()), (crontab(nowfun=datetime.now), ()), (5, (object(),))):
        with pytest.raises(ImproperlyConfigured, match="the entry 'a' of the beat"):
            schedules.add("a", when, "shop.report", args)
    with pytest.raises(ImproperlyConfigured, match="the entry '' of the beat: a name is text"):
        schedules.add("", 5, "shop.report")
    with pytest.raises(TypeError, match="an entry has no 'catchup'"):
        schedules.add("a", 5, "shop.report", catchup=1)
    assert len(schedules) == 0


def test_an_entry_that_is_there_is_replaced_only_when_asked_for(schedules: Schedules) -> None:
    schedules.add("a", 60, "shop.report")

    with pytest.raises(ImproperlyConfigured, match="there is an entry 'a' already"):
        schedules.add("a", 30, "shop.report")
    schedules.add("a", 30, "shop.report", replace=True)

    found = schedules.get("a")
    assert found is not None
    assert found.schedule == "every 30 s"


def test_a_change_names_what_changes(schedules: Schedules) -> None:
    schedules.add("a", 60, "shop.report", (1,), timezone="Asia/Tokyo")

    schedules.change("a", schedule="0 9 * * *", max_runs=5)

    found = schedules.get("a")
    assert found is not None
    assert found.next_run == NEW_YEAR + timedelta(days=1)  # nine in Tokyo is midnight in UTC, and this one has begun
    assert found.details["args"] == [1]
    assert found.details["max_runs"] == 5
    with pytest.raises(ImproperlyConfigured, match="'schedul' means nothing"):
        schedules.change("a", schedul=5)


def test_what_is_paused_is_not_due_and_what_is_resumed_counts_from_then(schedules: Schedules, runtime: VirtualRuntime) -> None:
    schedules.add("a", 60, "shop.report")
    schedules.pause("a")
    found = schedules.get("a")
    assert found is not None
    assert (found.paused, found.next_run) == (True, None)
    runtime.advance(3600)

    schedules.resume("a")

    assert next_run(schedules, "a") == runtime.now() + timedelta(seconds=60)
    before = schedules.get("a")
    schedules.resume("a")
    assert schedules.get("a") == before


def test_an_entry_is_run_at_once_beside_its_schedule(app: Celery, schedules: Schedules, runtime: VirtualRuntime) -> None:
    schedules.add("a", 60, "shop.report", (1,))
    due = next_run(schedules, "a")
    runtime.advance(10)

    first, second = schedules.run("a"), schedules.run("a")

    assert [parcel.headers["id"] for parcel in sent(app)] == [first, second]
    found = schedules.get("a")
    assert found is not None
    assert (found.runs, found.last_run, found.next_run) == (2, runtime.now(), due)


def test_an_entry_of_the_settings_that_cannot_be_stored_is_run_by_who_has_the_settings(app: Celery) -> None:
    from celeriac.beat.roster import enrol, entries_here

    app.conf.beat_schedule = {"a": {"task": "shop.report", "schedule": 5, "options": {"link_error": object()}}}
    enrol(app.schedules.timetable, entries_here(app), now=app.runtime.time())

    with pytest.raises(ImproperlyConfigured, match=r"cannot write object as JSON.*beat_schedule|only a beat that has it"):
        app.schedules.change("a", max_runs=5)
    found = app.schedules.get("a")
    assert found is not None
    assert found.settled


def test_who_names_no_entry_is_told(schedules: Schedules) -> None:
    for change in (schedules.pause, schedules.resume, schedules.run, schedules.next_runs, schedules.change):
        with pytest.raises(NoSuchEntry, match="no entry of the beat is called 'nobody'"):
            change("nobody")
    assert schedules.remove("nobody") is False
    assert schedules.get("nobody") is None
    assert issubclass(NoSuchEntry, KeyError)


def test_many_entries_are_added_in_few_steps(schedules: Schedules) -> None:
    count = schedules.add_many({"name": f"e{number:05}", "task": "shop.report", "schedule": 60} for number in range(2500))

    assert count == len(schedules) == 2500
    assert [entry.name for entry in schedules][::1000] == ["e00000", "e01000", "e02000"]


def test_the_next_runs_are_told_in_the_zone_of_the_entry(schedules: Schedules) -> None:
    schedules.add("a", "30 2 * * *", "shop.report", timezone="Europe/Berlin", starts="2030-03-30T00:00")

    moments = schedules.next_runs("a", 3)

    # On the 31st the clock jumps from two to three.
    assert [moment.isoformat() for moment in moments] == [
        "2030-03-30T02:30:00+01:00",
        "2030-03-31T03:30:00+02:00",
        "2030-04-01T02:30:00+02:00",
    ]
    schedules.change("a", skipped="never", max_runs=2)
    assert [moment.day for moment in schedules.next_runs("a", 9)] == [30, 1]


def test_the_next_runs_of_a_schedule_that_is_asked_are_not_known(app: Celery) -> None:
    from celeriac.beat.roster import enrol, entries_here

    app.conf.beat_schedule = {"a": {"task": "shop.report", "schedule": crontab(nowfun=app.now)}}
    enrol(app.schedules.timetable, entries_here(app), now=app.runtime.time())

    with pytest.raises(ImproperlyConfigured, match="says by itself when it is due"):
        app.schedules.next_runs("a")


def test_a_signature_is_taken_with_its_arguments_and_options(app: Celery, schedules: Schedules) -> None:
    schedules.add("a", 60, app.signature("shop.report", (2,), queue="celery", priority=4), (1,))

    schedules.run("a")

    [parcel] = sent(app)
    assert parcel.headers["argsrepr"] == "[1, 2]"


class Contended:
    """A timetable of which somebody else changes each entry first, so many times."""

    def __init__(self, inner: Timetable, times: int) -> None:
        self._inner, self.times = inner, times

    def change(self, changes: Any) -> Any:
        self.times -= 1
        return [False] * len(changes) if self.times >= 0 else self._inner.change(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_a_change_that_comes_too_late_is_made_again(app: Celery) -> None:
    app.schedules.add("a", 60, "shop.report")

    class Busy(Schedules):
        @property
        def timetable(self) -> Timetable:
            return cast("Timetable", contended)

    contended = Contended(app.schedules.timetable, times=3)
    Busy(app).pause("a")

    found = app.schedules.get("a")
    assert found is not None
    assert found.paused


def test_the_timetable_is_that_of_the_app_or_of_the_file_that_is_named(app: Celery) -> None:
    assert timetable_name(app) == "shop"
    assert timetable_name(app, "/var/run/celerybeat-schedule") == "shop"
    assert timetable_name(app, "/var/run/night.db") == timetable_name(app, "night") == "night"
    Schedules(app, file="night").add("a", 60, "shop.report")
    assert len(app.schedules) == 0
    assert cast("Timetables", app.store).timetable("night").count() == 1
