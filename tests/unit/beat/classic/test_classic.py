"""Schedulers of Celery's interface: the classes as they are, one with a database, tools that replace a method."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery, signals, uuid
from celeriac.beat.choosing import class_of, scheduling_of
from celeriac.beat.classic.leading import Leading
from celeriac.beat.service import Beat
from celeriac.core.errors import BrokerUnreachable, ImproperlyConfigured
from celery import beat as theirs
from celery.schedules import crontab, schedule
from system.patience import eventually
from unit.beat.conftest import Office


class DatabaseEntry(theirs.ScheduleEntry):
    """An entry that is a row."""

    def __init__(self, row: tuple[Any, ...], app: Any) -> None:
        self.row_id, name, task, every, args, enabled, last = row
        self.enabled = bool(enabled)
        super().__init__(
            name=name,
            task=task,
            schedule=schedule(every, app=app),
            args=json.loads(args),
            last_run_at=None if last is None else datetime.fromisoformat(last),
            app=app,
        )

    def is_due(self) -> Any:
        if not self.enabled:
            return theirs.ScheduleEntry.is_due(self)._replace(is_due=False, next=5.0)
        return super().is_due()

    def __next__(self) -> DatabaseEntry:  # type: ignore[override]
        row = (self.row_id, self.name, self.task, self.schedule.seconds, json.dumps(self.args), self.enabled)
        return type(self)((*row, self.default_now().isoformat()), self.app)


class DatabaseScheduler(theirs.Scheduler):
    """Rows of a table are entries; a change of the table is noticed at the next tick."""

    path = ""
    Entry = DatabaseEntry

    def setup_schedule(self) -> None:
        self._dirty: dict[str, DatabaseEntry] = {}
        self._version, self._rows = -1, dict[str, DatabaseEntry]()
        self.install_default_entries(self.schedule)

    @property
    def schedule(self) -> dict[str, DatabaseEntry]:
        with closing(sqlite3.connect(self.path)) as db:
            [[version]] = db.execute("SELECT count(*) + coalesce(sum(changes), 0) FROM entry")
            if version != self._version:
                rows = db.execute("SELECT id, name, task, every, args, enabled, last FROM entry").fetchall()
                self._rows = {row[1]: DatabaseEntry(row, self.app) for row in rows}
                self._version, self._heap = version, None
        return self._rows

    def reserve(self, entry: Any) -> Any:
        following = next(entry)
        self._rows[entry.name] = self._dirty[entry.name] = following
        return following

    def sync(self) -> None:
        with closing(sqlite3.connect(self.path)) as db, db:
            for name, entry in self._dirty.items():
                db.execute("UPDATE entry SET last = ? WHERE name = ?", (entry.last_run_at.isoformat(), name))
        self._dirty.clear()


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(tmp_path / "entries.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, name, task, every, args, enabled, last, changes DEFAULT 0)")
        db.execute("INSERT INTO entry (name, task, every, args, enabled) VALUES ('a', 'shop.report', 0.2, '[1]', 1)")
        db.execute("INSERT INTO entry (name, task, every, args, enabled) VALUES ('off', 'shop.report', 0.1, '[]', 0)")
    monkeypatch.setattr(DatabaseScheduler, "path", path)
    return path


@pytest.fixture
def app() -> Iterator[Celery]:
    url = f"memory://{uuid()}"
    with Celery("classic", broker=url, backend=url) as app:

        @app.task(name="shop.report")
        def report(*args: Any) -> None:
            """Report."""

        yield app


def run_in_thread(running: Any) -> threading.Thread:
    thread = threading.Thread(target=running.run)
    thread.start()
    return thread


def test_a_scheduler_with_a_database_runs_notices_changes_and_remembers(app: Celery, table: str) -> None:
    running = scheduling_of(app, scheduler=DatabaseScheduler, file=None, max_interval_s=0.1)
    thread = run_in_thread(running)
    try:
        eventually(lambda: app.store.depth(["celery"])[0] >= 2, what="ticks of the table's entry")
        with closing(sqlite3.connect(table)) as db, db:
            db.execute("UPDATE entry SET enabled = 1, changes = changes + 1, args = '[2]' WHERE name = 'off'")
        before = app.store.depth(["celery"])[0]
        eventually(lambda: app.store.depth(["celery"])[0] >= before + 4, what="ticks of the entry that was switched on")
    finally:
        running.stop()
        thread.join()

    with closing(sqlite3.connect(table)) as db:
        [[last]] = db.execute("SELECT last FROM entry WHERE name = 'a'")
    assert datetime.now(UTC) - datetime.fromisoformat(last) < timedelta(seconds=60)


def test_of_several_such_schedulers_one_ticks_and_another_takes_over(app: Celery, table: str) -> None:
    crew = [scheduling_of(app, scheduler=DatabaseScheduler, file=None, max_interval_s=0.1) for _ in range(3)]
    assert all(isinstance(one, Leading) for one in crew)
    threads = [run_in_thread(one) for one in crew]
    try:
        eventually(lambda: app.store.depth(["celery"])[0] >= 3, what="ticks")
        leading = [one for one in crew if one.scheduler is not None]  # type: ignore[attr-defined]
        assert len(leading) == 1
        leading[0].stop()
        others = [one for one in crew if one is not leading[0]]
        eventually(lambda: any(one.scheduler for one in others), within_s=5, what="another leads")  # type: ignore[attr-defined]
    finally:
        for one in crew:
            one.stop()
        for thread in threads:
            thread.join()


class AwayAtFirst:
    """A timetable whose store does not answer until it is told to."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.asked, self.away = inner, 0, True

    def attend(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        if self.away:
            raise BrokerUnreachable("gone")
        return self._inner.attend(*args, **kwargs)

    def resign(self, who: str) -> None:
        self._inner.resign(who)


def test_such_a_scheduler_says_that_the_store_is_away_and_is_not_ready_before_it_answers(
    app: Celery, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    running = scheduling_of(app, scheduler=DatabaseScheduler, file=None, max_interval_s=0.1)
    assert isinstance(running, Leading)
    running._lead = store = AwayAtFirst(running._lead)  # type: ignore[assignment]
    thread = run_in_thread(running)
    try:
        eventually(lambda: store.asked >= 2, what="it asks again")
        assert not running.looked
        assert caplog.text.count("gone; trying again every 1 s") == 1
        store.away = False
        eventually(lambda: running.looked, what="it is ready")
        assert "the store answers again" in caplog.text
    finally:
        running.stop()
        thread.join()


def test_a_class_is_found_by_its_path_and_the_usual_names_mean_the_timetable(app: Celery) -> None:
    for name in ("celery.beat:PersistentScheduler", "celery.beat.PersistentScheduler", "celery.beat:Scheduler"):
        assert isinstance(scheduling_of(app, scheduler=name, file=None, max_interval_s=None), Beat)
    assert class_of("unit.beat.classic.test_classic:DatabaseScheduler").__name__ == "DatabaseScheduler"
    with pytest.raises(ImproperlyConfigured, match="there is no 'Nobody' in it"):
        class_of("celery.beat:Nobody")
    with pytest.raises(ImproperlyConfigured, match="is no scheduler: it has no tick"):
        class_of("json:dumps")


def test_a_scheduler_asks_its_entries_in_the_order_in_which_they_are_due(app: Celery) -> None:
    made: list[str] = []

    class Noting(theirs.Scheduler):
        def apply_entry(self, entry: Any, producer: Any = None) -> None:
            made.append(entry.name)

    now = datetime.now(UTC)
    scheduler = Noting(app, lazy=True)
    for name, ago_s in (("second", 70), ("first", 80), ("later", 0)):
        scheduler.add(name=name, task="shop.report", schedule=schedule(60, app=app), last_run_at=now - timedelta(seconds=ago_s))

    pauses = [scheduler.tick() for _ in range(3)]

    assert sorted(made) == ["first", "second"]
    assert pauses[:2] == [0, 0]
    assert 40 < pauses[2] <= 60
    assert {entry.total_run_count for entry in scheduler.schedule.values()} == {0, 1}


def test_an_entry_that_cannot_reckon_does_not_stop_the_others(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(schedule):
        def is_due(self, last_run_at: datetime) -> Any:
            raise RuntimeError("no idea")

    scheduler = theirs.Scheduler(app, lazy=True)
    scheduler.add(name="broken", task="shop.report", schedule=Broken(1, app=app))
    scheduler.add(name="good", task="shop.report", schedule=1, last_run_at=datetime.now(UTC) - timedelta(seconds=5))

    assert scheduler.tick() == 0

    assert app.store.depth(["celery"]) == [1]
    assert "the next run of 'broken' cannot be reckoned" in caplog.text


def test_what_cannot_be_sent_is_a_scheduling_error(app: Celery) -> None:
    scheduler = theirs.Scheduler(app, lazy=True)
    entry = scheduler.add(name="a", task="shop.report", schedule=1, args=(object(),))

    with pytest.raises(theirs.SchedulingError, match="the task of the entry a could not be sent"):
        scheduler.apply_async(entry)


def test_entries_know_what_people_change_and_what_has_become_of_them(app: Celery) -> None:
    entry = theirs.ScheduleEntry("a", "shop.report", schedule=30, args=(1,), app=app)
    following = next(entry)
    other = theirs.ScheduleEntry("b", "shop.report", schedule=crontab(minute=1), app=app)

    assert (following.total_run_count, following.name, following.args) == (1, "a", (1,))
    assert following == entry
    assert entry != other
    entry.update(other)
    assert entry == other
    assert entry.name == "a"
    assert repr(entry) == "<ScheduleEntry: a shop.report() <crontab: 1 * * * * (m/h/dM/MY/d)>>"


def test_a_persistent_scheduler_remembers_in_its_file_when_it_sent_what(app: Celery, tmp_path: Path) -> None:
    class Own(theirs.PersistentScheduler):
        """Somebody's."""

    app.conf.beat_schedule = {"a": {"task": "shop.report", "schedule": 3600.0}, "b": {"task": "shop.report", "schedule": 60.0}}
    file = str(tmp_path / "runs")
    first = Own(app=app, schedule_filename=file)
    sent = first.reserve(first.schedule["a"]).last_run_at
    first.close()
    app.conf.beat_schedule = {"a": {"task": "shop.report", "schedule": 30.0}}

    second = Own(app=app, schedule_filename=file)

    assert list(second.schedule) == ["a"]
    assert (second.schedule["a"].last_run_at, second.schedule["a"].total_run_count) == (sent, 1)
    assert second.schedule["a"].schedule == schedule(30)
    assert (tmp_path / "runs").stat().st_mode & 0o777 == 0o600
    second.close()
    (tmp_path / "runs").write_bytes(b"\x80shelve")
    with pytest.raises(ImproperlyConfigured, match="is no file of a beat of celeriac"):
        Own(app=app, schedule_filename=file)


def test_a_tool_that_replaces_apply_entry_sees_every_tick_of_the_timetable_and_may_change_its_headers(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, Any]] = []
    original = theirs.Scheduler.apply_entry

    def watching(*args: Any, **kwargs: Any) -> Any:
        scheduler, entry = args
        seen.append((entry.name, entry.schedule))
        assert scheduler.app is office.app
        entry.options["headers"] = {**entry.options["headers"], "monitor": entry.name}
        return original(*args, **kwargs)

    monkeypatch.setattr(theirs.Scheduler, "apply_entry", watching)
    office.schedule(a={"task": "shop.report", "schedule": 10, "args": (1,)})

    office.pass_time(21, office.beat())

    assert [name for name, _ in seen] == ["a", "a"]
    sent = office.take()
    assert [(parcel.headers["monitor"], parcel.headers["celeriac-entry"]) for parcel in sent] == [("a", "a")] * 2
    assert len({parcel.headers["id"] for parcel in sent}) == 2


def test_a_service_runs_in_a_thread_until_it_is_stopped(app: Celery) -> None:
    app.conf.beat_schedule = {"a": {"task": "shop.report", "schedule": 0.1}}
    heard: list[Any] = []
    hear = signals.beat_init.connect(lambda sender, **_: heard.append(sender), weak=False)
    embedded = theirs.EmbeddedService(app)
    embedded.start()
    try:
        eventually(lambda: app.store.depth(["celery"])[0] >= 2, what="ticks")
    finally:
        embedded.stop()
        signals.beat_init.disconnect(hear)

    assert not embedded.is_alive() or embedded.join() is None
    assert len(heard) == 1


def test_a_service_gives_a_scheduler_to_look_at(app: Celery, tmp_path: Path) -> None:
    app.conf.beat_schedule = {"a": {"task": "shop.report", "schedule": 60.0}}
    service = theirs.Service(app, schedule_filename=str(tmp_path / "runs"), scheduler_cls=theirs.PersistentScheduler)

    assert isinstance(service.get_scheduler(lazy=True), theirs.PersistentScheduler)
    assert list(service.scheduler.schedule) == ["a"]
    service.sync()
    assert (tmp_path / "runs").exists()


def test_names_of_beats_have_placeholders() -> None:
    assert theirs.beat_nodename("night@%%h") == "night@%h" or theirs.beat_nodename("night@%n").startswith("night@")
    assert theirs.beat_nodename().startswith("celerybeat@")
    assert theirs.beat_nodename("x.y") == "celerybeat@x.y"
