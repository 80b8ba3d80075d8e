"""Clocks of machines differ: whoever starts a beat or changes an entry brings no tick back, and takes none away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from celeriac import schedule
from celeriac.beat.service import Beat
from celeriac.core.schedules.timetable import Agenda
from unit.beat.conftest import Office

REPORT: dict[str, Any] = {"task": "shop.report"}
MINUTELY = "* * * * *"
BEHIND_S = 5.0


def start_a_beat(office: Office, when: Any) -> None:
    del when
    office.beat()


def change_its_settings(office: Office, when: Any) -> None:
    office.schedule(a={**REPORT, "schedule": when, "kwargs": {"fresh": True}})
    office.beat()


def change_it(office: Office, when: Any) -> None:
    del when
    office.app.schedules.change("a", kwargs={"fresh": True})


def change_its_times(office: Office, when: Any) -> None:
    del when
    office.app.schedules.change("a", schedule="*/1 * * * *")


def replace_it(office: Office, when: Any) -> None:
    office.app.schedules.add("a", when, "shop.report", replace=True)


def pause_and_resume_it(office: Office, when: Any) -> None:
    del when
    office.app.schedules.pause("a")
    office.app.schedules.resume("a")


@pytest.mark.parametrize("when", [MINUTELY, "1 0 * * *", schedule(60, relative=True)], ids=["rhythm", "hours", "by-the-clock"])
@pytest.mark.parametrize(
    "done", [start_a_beat, change_its_settings, change_it, change_its_times, replace_it, pause_and_resume_it]
)
def test_a_tick_does_not_come_again_because_of_somebody_whose_clock_is_behind(
    office: Office, when: Any, done: Callable[[Office, Any], None]
) -> None:
    office.schedule(a={**REPORT, "schedule": when})
    beat = office.beat()
    office.pass_time(61, beat)
    [(_, first)] = office.dues()

    office.runtime.step(-BEHIND_S)
    done(office, when)
    office.runtime.step(BEHIND_S)

    office.pass_time(61, beat)
    assert first not in [due for _, due in office.dues()]


@pytest.mark.parametrize("done", [change_its_settings, change_it, replace_it])
def test_a_tick_that_is_due_is_sent_though_its_entry_is_changed_before(
    office: Office, done: Callable[[Office, Any], None]
) -> None:
    office.schedule(a={**REPORT, "schedule": MINUTELY})
    beat = office.beat()
    office.runtime.advance(61)

    done(office, MINUTELY)

    beat.look()
    assert office.dues() == [("a", "2030-01-01T00:01:00+00:00")]


def test_an_interval_that_is_added_again_and_again_goes_on(office: Office) -> None:
    beat = office.beat()
    for _ in range(4):
        office.app.schedules.add("a", 60, "shop.report", replace=True)
        office.pass_time(20, beat)

    assert len(office.dues()) == 1


class FarAway:
    """A timetable of a server whose clock is an hour ahead."""

    def __init__(self, inner: Any, looked: Callable[[], None]) -> None:
        self._inner, self._looked = inner, looked

    def attend(self, who: str, *, lease_s: float, limit: int) -> Agenda:
        self._looked()
        agenda = self._inner.attend(who, lease_s=lease_s, limit=0)
        return Agenda(now=agenda.now + 3600, leader=agenda.leader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_entries_are_brought_in_by_the_clock_of_the_store(office: Office) -> None:
    office.schedule(a={**REPORT, "schedule": 60})
    beat = Beat(office.app)
    beat.timetable = FarAway(beat.timetable, looked=beat.stop)
    beat.run()

    assert office.record("a").due == office.runtime.time() + 3600 + 60
