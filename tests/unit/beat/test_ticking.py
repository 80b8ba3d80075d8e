"""Schedulers at work on one timetable, under a clock that the test moves."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from celeriac import Task, group, schedule, signals
from celeriac.abc import Timetable
from celeriac.app.periodic.lazily import BeatLazyFunc
from celeriac.beat.ticking import LEASE_S, LOOK_S, POSTPONED_S, STANDBY_S, Ticker
from celeriac.core import typedjson
from celeriac.core.errors import BrokerUnreachable, StoreRefused
from celeriac.core.schedules.timetable import Agenda, Change, Record
from unit.beat.conftest import Office

REPORT: dict[str, Any] = {"task": "shop.report", "schedule": 10}


class Disturbed:
    """A timetable; something happens between the moment at which a scheduler has read and that at which it writes."""

    def __init__(self, inner: Timetable, between: Callable[[], object] = lambda: None) -> None:
        self.inner, self.between = inner, between
        self.loses_answer = False

    def attend(self, who: str, *, lease_s: float, limit: int) -> Agenda:
        return self.inner.attend(who, lease_s=lease_s, limit=limit)

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        between, self.between = self.between, lambda: None
        between()
        said = self.inner.change(changes)
        if self.loses_answer:
            self.loses_answer = False
            raise BrokerUnreachable("the answer was lost")
        return said

    def resign(self, who: str) -> None:
        self.inner.resign(who)

    def remove(self, names: Sequence[str]) -> int:
        return self.inner.remove(names)

    def read(self, names: Sequence[str]) -> Sequence[Record | None]:
        return self.inner.read(names)

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[Record]:
        return self.inner.page(after=after, limit=limit)

    def count(self) -> int:
        return self.inner.count()


# ---- once --------------------------------------------------------------------------------------------------------


def test_what_is_due_is_sent_at_its_moment_with_the_marks_of_a_tick(office: Office) -> None:
    office.schedule(e={**REPORT, "args": (1,), "kwargs": {"a": 2}, "options": {"priority": 3, "headers": {"mine": 1}}})
    beat = office.beat()

    office.pass_time(25, beat)

    first, second = office.take()
    assert typedjson.loads(first.body)[:2] == [[1], {"a": 2}]
    assert first.headers["task"] == "shop.report"
    assert first.headers["celery_beat_task"] is True
    assert first.headers["mine"] == 1
    assert first.headers["celeriac-due"] == datetime(2030, 1, 1, 0, 0, 10, tzinfo=UTC).isoformat()
    assert second.headers["celeriac-due"] == datetime(2030, 1, 1, 0, 0, 20, tzinfo=UTC).isoformat()
    assert first.headers["id"] != second.headers["id"]
    assert office.state("e").runs == 2
    assert office.state("e").id == second.headers["id"]


def test_however_many_schedulers_run_each_tick_is_sent_once_and_the_others_send_nothing(office: Office) -> None:
    office.schedule(a=REPORT, b={**REPORT, "schedule": 7})
    beats = [office.beat() for _ in range(20)]

    office.pass_time(700.1, *beats)

    dues = office.dues()
    assert len(dues) == len(set(dues)) == 70 + 100
    assert [beat.leads for beat in beats] == [True] + [False] * 19


def test_a_scheduler_that_was_frozen_between_reading_and_writing_sends_nothing_that_others_have_sent(office: Office) -> None:
    office.schedule(e=REPORT)
    others = [office.beat(), office.beat()]

    def frozen() -> None:
        office.pass_time(35, *others)

    slow = office.beat(Disturbed(office.timetable, frozen))
    office.pass_time(10.5, slow)  # it leads, reads what is due at 10 s, and writes 35 s later
    office.pass_time(20, slow, *others)

    dues = [due for _, due in office.dues()]
    assert len(dues) == len(set(dues))
    assert len(dues) in {5, 6}  # of the ticks that passed while nobody led, the latest was sent


def test_a_tick_whose_answer_was_lost_is_sent_once(office: Office) -> None:
    office.schedule(e=REPORT)
    disturbed = Disturbed(office.timetable)
    beat = office.beat(disturbed)
    office.pass_time(9, beat)
    office.runtime.advance(1)
    disturbed.loses_answer = True

    with pytest.raises(BrokerUnreachable):
        beat.look()
    office.pass_time(5, beat)

    assert office.names() == {"e": 1}


def test_who_leads_no_more_is_followed_within_seconds(office: Office) -> None:
    office.schedule(e={**REPORT, "schedule": 1})
    first, second = office.beat(), office.beat()
    office.pass_time(5, first, second)
    office.dues()

    office.pass_time(LEASE_S + STANDBY_S + 0.5, second)  # the first one is dead

    assert second.leads
    assert office.names()["e"] >= 1
    second.resign()
    first.look()
    assert first.leads


@pytest.mark.parametrize("seed", range(20))
def test_with_schedulers_that_die_freeze_and_come_back_at_random_no_tick_is_sent_twice_or_lost(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    office.schedule(**{f"e{number}": {**REPORT, "schedule": 1 + number, "catch_up": 100} for number in range(5)})
    crew: list[Ticker] = []
    looking: list[Ticker] = []

    def others() -> None:
        for beat in [beat for beat in crew if beat not in looking and chance.random() < 0.3]:
            office.runtime.advance(chance.choice([0, 0, 0.1, 1, 5]))
            look(beat)

    def look(beat: Ticker) -> None:
        looking.append(beat)
        beat.look()
        looking.remove(beat)

    crew += [office.beat(_always(office.timetable, others)) for _ in range(6)]
    for _ in range(200):
        office.runtime.advance(chance.choice([0.1, 0.5, 1, 4]))
        if chance.random() < 0.1:
            crew[chance.randrange(6)] = office.beat(_always(office.timetable, others))
        look(chance.choice(crew))
    looking.clear()
    office.pass_time(10, crew[0])

    dues = office.dues()
    elapsed = int(office.runtime.monotonic())
    assert len(dues) == len(set(dues))
    for number, count in enumerate(Counter(name for name, _ in sorted(dues)).values()):
        assert abs(count - elapsed / (1 + number)) <= 4, (number, count, elapsed)


def _always(timetable: Timetable, between: Callable[[], object]) -> Disturbed:
    class Always(Disturbed):
        def change(self, changes: Sequence[Change]) -> Sequence[bool]:
            between()
            return self.inner.change(changes)

    return Always(timetable)


# ---- one bad entry -----------------------------------------------------------------------------------------------


class Broken(schedule):
    def is_due(self, last_run_at: datetime) -> Any:
        raise RuntimeError("it cannot reckon")


def test_an_entry_that_fails_does_not_keep_others_from_being_sent(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.schedule(
        wrong_arguments={**REPORT, "args": ({1, 2},), "kwargs": {"o": object()}},
        broken={**REPORT, "schedule": Broken(5)},
        good=REPORT,
    )
    beat = office.beat()

    office.pass_time(61, beat)

    assert office.names() == {"good": 6}
    assert "it cannot reckon" in str(office.state("broken").problem)
    assert "EncodeError" in str(office.state("wrong_arguments").problem)


def test_bytes_in_the_timetable_that_mean_nothing_are_told_and_left_alone(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.schedule(good=REPORT)
    beat = office.beat()
    for name, entry, state in (("x", b"\xff", b"{}"), ("y", b"{}", b'{"since":0}'), ("z", b'{"form":99}', b'{"since":1}')):
        office.timetable.change([Change(name=name, seen=0, entry=entry, state=state, due=1.0)])

    office.pass_time(21, beat)

    assert office.names() == {"good": 2}
    assert "'z' of the beat has a form that this version does not know" in caplog.text


# ---- schedules that are asked ------------------------------------------------------------------------------------


class Full(schedule):
    """Due at full ten seconds of its own clock."""

    asked = 0

    def is_due(self, last_run_at: datetime) -> Any:
        self.asked += 1
        left = 10 - (self.now() - last_run_at).total_seconds()
        return (True, 10.0) if left <= 0 else (False, left)


def test_a_schedule_of_a_programs_own_is_asked_and_obeyed_once_for_all_schedulers(office: Office) -> None:
    own = Full(10, app=office.app)
    office.schedule(own={**REPORT, "schedule": own})
    beats = [office.beat() for _ in range(5)]

    office.pass_time(101, *beats)

    assert office.names() == {"own": 10}
    assert own.asked < 30


# ---- overlap, arguments, workflows, signals -----------------------------------------------------------------------


def test_while_the_task_before_goes_on_no_other_is_sent(office: Office) -> None:
    office.schedule(e={**REPORT, "overlap": "skip"})
    beat = office.beat()

    office.pass_time(35, beat)
    [only] = office.take()
    assert only.headers["ignore_result"] is False
    office.app.backend.store_result(only.headers["id"], None, "STARTED")
    office.pass_time(30, beat)
    assert office.take() == []
    office.app.backend.store_result(only.headers["id"], 1, "SUCCESS")
    office.pass_time(10, beat)

    assert len(office.take()) == 1


def test_a_run_by_hand_does_not_make_a_tick_overlap_the_one_before(office: Office) -> None:
    office.schedule(e={**REPORT, "overlap": "skip"})
    beat = office.beat()
    office.pass_time(11, beat)
    [first] = office.take()

    by_hand = office.app.schedules.run("e")
    office.take()
    office.app.backend.store_result(by_hand, None, "SUCCESS")
    office.pass_time(10, beat)
    assert office.take() == []

    office.app.backend.store_result(first.headers["id"], None, "SUCCESS")
    by_hand = office.app.schedules.run("e")
    office.take()
    office.pass_time(10, beat)
    assert office.take() == []
    office.app.backend.store_result(by_hand, None, "SUCCESS")
    office.pass_time(10, beat)
    assert len(office.take()) == 1


class Refusing:
    """A timetable whose store takes no messages for a while."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.full = inner, True

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        if self.full and any(change.messages for change in changes):
            raise StoreRefused("full")
        return self._inner.change(changes)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_a_tick_that_was_refused_is_no_run_and_is_made_up_for(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.schedule(e={**REPORT, "overlap": "skip", "max_runs": 1})
    timetable = Refusing(office.timetable)
    beat = office.beat(timetable)
    office.pass_time(11, beat)
    assert (office.state("e").runs, office.state("e").id, office.state("e").problem) == (0, None, "full")
    assert "entry e cannot be sent: full" in caplog.text

    timetable.full = False
    office.pass_time(POSTPONED_S, beat)

    assert office.names() == {"e": 1}
    assert office.state("e").problem is None


def test_while_a_task_of_the_group_before_goes_on_no_other_group_is_sent(office: Office) -> None:
    report = office.app.tasks["shop.report"]
    office.app.schedules.add("g", 60, group(report.s(1), report.s(2)), overlap="skip")
    beat = office.beat()
    office.pass_time(61, beat)
    first, second = [str(parcel.headers["id"]) for parcel in office.take()]

    office.app.backend.store_result(first, None, "SUCCESS")
    office.pass_time(60, beat)
    assert office.take() == []

    office.app.backend.store_result(second, None, "SUCCESS")
    office.pass_time(60, beat)
    assert len(office.take()) == 2


def test_arguments_may_be_made_for_each_tick(office: Office) -> None:
    office.schedule(e={**REPORT, "args": (BeatLazyFunc(office.runtime.monotonic),), "kwargs": {"b": BeatLazyFunc(max, 1, 2)}})
    beat = office.beat()

    office.pass_time(21, beat)

    assert [typedjson.loads(parcel.body)[:2] for parcel in office.take()] == [[[10.0], {"b": 2}], [[20.0], {"b": 2}]]


def test_a_workflow_is_sent_as_one(office: Office) -> None:
    app = office.app
    first = app.signature("shop.report", args=(1,))
    app.add_periodic_task(10, first | app.signature("shop.other"), name="chain")
    app.add_periodic_task(10, group(first, app.signature("shop.report", args=(2,)), app=app), name="group")
    beat = office.beat()

    office.pass_time(11, beat)

    sent = office.take()
    chained = [typedjson.loads(parcel.body)[2]["chain"] for parcel in sent if parcel.headers["celeriac-entry"] == "chain"]
    assert [[step["task"] for step in chain] for chain in chained] == [["shop.other"]]
    assert sum(parcel.headers["celeriac-entry"] == "group" for parcel in sent) == 2


def test_ticks_are_sent_as_the_task_sends_itself_with_its_signals(office: Office) -> None:
    class Tenant(Task[..., Any]):
        def apply_async(self, *args: Any, **options: Any) -> Any:
            options["headers"] = {**options.get("headers", {}), "tenant": "t1"}
            return super().apply_async(*args, **options)

    @office.app.task(name="shop.tenant", base=Tenant)
    def tenant() -> None:
        """Work."""

    told: list[str] = []
    hear = signals.before_task_publish.connect(lambda sender, **_: told.append(sender), weak=False)
    office.schedule(e={"task": "shop.tenant", "schedule": 10})
    beat = office.beat()
    try:
        office.pass_time(11, beat)
    finally:
        signals.before_task_publish.disconnect(hear)

    [sent] = office.take()
    assert sent.headers["tenant"] == "t1"
    assert told == ["shop.tenant"]


# ---- the clock ---------------------------------------------------------------------------------------------------


def test_a_leader_looks_often_enough_for_changes_and_exactly_when_something_is_due(office: Office) -> None:
    office.schedule(e={**REPORT, "schedule": 10})
    beat = office.beat()

    assert beat.look() == LOOK_S
    office.runtime.advance(9.9)
    assert beat.look() == pytest.approx(0.1, abs=0.002)


def test_more_is_due_than_is_sent_in_one_step(office: Office) -> None:
    office.app.schedules.add_many({"name": f"e{number}", "task": "shop.report", "schedule": 3600} for number in range(1700))
    beat = office.beat()
    office.runtime.advance(3600)

    assert beat.look() == 0
    for _ in range(4):
        beat.look()

    assert len(office.names()) == 1700
