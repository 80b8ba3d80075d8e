"""Settings come into the timetable, and leave it; what is wrong in them is told by its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from celeriac import Celery, crontab, schedule
from celeriac.app.schedules import schedstate
from celeriac.beat.roster import entries_here
from unit.beat.conftest import Office

REPORT: dict[str, Any] = {"task": "shop.report", "schedule": 60}


class Asked(schedule):
    """An interval that says by itself when it is due."""

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Say what any interval says."""
        return super().is_due(last_run_at)


def names(office: Office) -> list[str]:
    return [record.name for record in office.timetable.page()]


def test_a_beat_brings_in_what_its_settings_have_and_takes_out_what_they_have_no_longer(office: Office) -> None:
    office.schedule(a=REPORT, b=REPORT)
    office.beat()
    assert names(office) == ["a", "b"]

    office.schedule(b=REPORT, c=REPORT)
    office.beat()

    assert names(office) == ["b", "c"]


def test_another_start_changes_nothing_of_an_entry_that_is_as_it_was(office: Office) -> None:
    office.schedule(a=REPORT)
    first = office.beat()
    office.pass_time(90, first)
    before = office.record("a")

    office.beat()

    assert office.record("a") == before
    assert office.state("a").runs == 1


def test_an_entry_whose_schedule_has_changed_keeps_its_count_and_goes_by_the_new_one(office: Office) -> None:
    office.schedule(a=REPORT)
    office.pass_time(61, office.beat())
    office.schedule(a={**REPORT, "schedule": 3600})

    office.beat()

    assert office.state("a").runs == 1
    assert office.record("a").due == pytest.approx(office.runtime.time() + 3599, abs=1)


def test_what_somebody_paused_stays_paused_when_a_beat_starts(office: Office) -> None:
    office.schedule(a=REPORT)
    office.beat()
    office.app.schedules.pause("a")

    office.pass_time(200, office.beat())

    assert office.take() == []


def test_what_somebody_added_or_changed_by_hand_stays_and_the_settings_stand_aside(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.schedule(a=REPORT)
    office.beat()
    office.app.schedules.add("own", 60, "shop.report")
    office.app.schedules.change("a", schedule=3600)

    office.beat()

    assert names(office) == ["a", "own"]
    assert "'a' is as somebody changed it, not as beat_schedule has it" in caplog.text
    found = office.app.schedules.get("a")
    assert found is not None
    assert found.schedule == "every 3600 s"
    office.app.schedules.remove("a")
    office.beat()
    found = office.app.schedules.get("a")
    assert found is not None
    assert found.schedule == "every 60 s"


def test_a_crontab_goes_by_the_zone_of_the_app_also_after_that_has_changed(office: Office) -> None:
    office.schedule(a={**REPORT, "schedule": crontab(0, 12)})
    office.beat()
    assert office.record("a").due == datetime(2030, 1, 1, 12, tzinfo=UTC).timestamp()

    office.app.conf.timezone = "Asia/Tokyo"
    office.beat()

    assert office.record("a").due == datetime(2030, 1, 1, 3, tzinfo=UTC).timestamp()


def test_after_the_clock_was_set_back_while_no_beat_ran_there_is_no_silence(office: Office) -> None:
    office.schedule(a=REPORT, daily={**REPORT, "schedule": crontab(0, 0)})
    office.pass_time(120, office.beat())
    office.take()
    office.runtime.step(-3600)

    office.pass_time(61, office.beat())

    assert office.names() == {"a": 1}


def test_after_the_clock_was_set_back_under_a_running_beat_there_is_neither_silence_nor_a_burst(office: Office) -> None:
    office.schedule(a={**REPORT, "schedule": 10})
    beat = office.beat()
    office.pass_time(30.1, beat)
    office.take()
    office.runtime.step(-3600)

    beat.look()
    assert beat.clock_went_back


# ---- what is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"schedule": 5}, "task = None is no name of a task"),
        ({"task": "t"}, "it has no schedule: give seconds, a timedelta, crontab"),
        ({"task": "t", "schedule": "61 * * * *"}, "minute = '61' cannot be read: 61 is not from 0 to 59"),
        ({"task": "t", "schedule": "* * *"}, "'* * *' has 3 fields, not five"),
        ({"task": "t", "schedule": object()}, "is no schedule: give seconds"),
        ({"task": "t", "schedule": 5, "timezone": "Mars/Olympus"}, "names no time zone"),
        ({"task": "t", "schedule": 5, "args": 7}, "args = 7 is no list"),
        ({"task": "t", "schedule": 5, "kwargs": [1]}, "kwargs = [1] is no mapping"),
        ({"task": "t", "schedule": 5, "catch_up": "some"}, "catch_up = 'some' is neither none, nor last"),
        ({"task": "t", "schedule": 5, "overlap": "queue"}, "overlap = 'queue' is none of allow, skip"),
        ({"task": "t", "schedule": 5, "jitter": -1}, "jitter = -1 is no number of seconds"),
        ({"task": "t", "schedule": 5, "starts": "soon"}, "Invalid isoformat string"),
        ({"task": "t", "schedule": 5, "max_runs": 0}, "max_runs = 0 is no number of 1 or more"),
        ({"task": "t", "schedule": 5, "skipped": "soon"}, "skipped = 'soon' is none of later, never"),
        ({"task": "t", "schedule": 0}, "schedule = 0:00:00 is shorter than a millisecond"),
        ({"task": "t", "schedule": -5}, "is shorter than a millisecond"),
        ({"task": "t", "schedule": 5, "starts": "2030-01-02", "ends": "2030-01-01"}, "it ends (2030-01-01T00:00:00+00:00)"),
        ({"task": "t", "schedule": Asked(5), "jitter": 3}, "jitter is not for a schedule that says by itself when it is due"),
        ({"task": "t", "schedule": Asked(5), "timezone": "Asia/Tokyo"}, "timezone is not for a schedule that says by itself"),
        ({"task": "t", "schedule": 5, "schedul": 5}, "'schedul' means nothing: did you mean 'schedule'?"),
        ("nonsense", "the entry 'wrong' of the beat"),
        (None, "the entry 'wrong' of the beat"),
    ],
)
def test_an_entry_that_is_wrong_is_named_and_the_others_are_sent(
    office: Office, caplog: pytest.LogCaptureFixture, wrong: Any, said: str
) -> None:
    office.schedule(wrong=wrong, good=REPORT)

    office.pass_time(61, office.beat())

    assert office.names() == {"good": 1}
    assert "the entry 'wrong' of the beat" in caplog.text
    assert said in caplog.text


def test_a_task_that_is_not_registered_is_named_and_sent_by_its_name(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.schedule(far={"task": "elsewhere.work", "schedule": 60})

    office.pass_time(61, office.beat())

    assert [parcel.headers["task"] for parcel in office.take()] == ["elsewhere.work"]
    assert "no task 'elsewhere.work' is registered here, so it is sent by its name" in caplog.text


@pytest.mark.parametrize("when", [timedelta.max, schedule(timedelta.max, relative=True)], ids=["every", "by-the-clock"])
def test_an_interval_that_ends_after_all_days_is_never_due_and_the_others_are_sent(office: Office, when: Any) -> None:
    office.schedule(never={**REPORT, "schedule": when}, good=REPORT)

    office.pass_time(61, office.beat())

    assert office.record("never").due is None
    assert office.names() == {"good": 1}


def test_a_date_that_never_comes_is_warned_of(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.schedule(never={**REPORT, "schedule": "0 0 30 2 *"}, good=REPORT)

    office.pass_time(61, office.beat())

    assert "the entry 'never' of the beat is never due" in caplog.text
    assert office.names() == {"good": 1}
    assert office.record("never").due is None


def test_without_results_nobody_knows_whether_a_task_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    with Celery("none", broker="memory://no-results", set_as_current=False) as app:
        app.conf.beat_schedule = {"a": {**REPORT, "overlap": "skip"}, "b": REPORT}

        assert list(entries_here(app)) == ["b"]

    assert "overlap = 'skip' needs a result backend" in caplog.text


def test_an_entry_of_code_has_the_policies_that_it_is_given_and_the_options_of_its_task(office: Office) -> None:
    report = office.app.tasks["shop.report"].s()
    office.app.add_periodic_task(10, report, name="twice", max_runs=2, jitter=1, priority=3)

    office.pass_time(61, office.beat())

    assert office.names() == {"twice": 2}
    assert entries_here(office.app)["twice"].entry.options == {"priority": 3}


def test_of_two_entries_of_code_that_bear_one_name_unasked_the_first_is_told(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    report = office.app.tasks["shop.report"].s(1)

    name = office.app.add_periodic_task(10, report)
    office.app.add_periodic_task(10, report)
    assert caplog.text == ""
    office.app.add_periodic_task(60, report)
    assert f"the periodic task {name} takes the place of another" in caplog.text


def test_entries_of_code_and_of_settings_are_one(office: Office) -> None:
    @office.app.on_after_configure.connect
    def set_up(sender: Celery, **_: Any) -> None:
        sender.add_periodic_task(timedelta(minutes=1), office.app.tasks["shop.report"].s("late"), name="late", queue="celery")

    office.app.conf.update(beat_schedule={"a": REPORT})
    set_up(office.app)
    office.pass_time(61, office.beat())

    assert office.names() == {"a": 1, "late": 1}
