"""How many children there are, who lives where, and who comes after whom."""

from __future__ import annotations

import signal

import pytest

from celeriac.abc import Lessee
from celeriac.worker.nursery import Order, Report
from unit.worker.brood import SIGKILL, Brood

TERM = signal.SIGTERM


def test_as_many_are_ordered_as_there_are_to_be_each_with_a_room_a_number_and_a_name() -> None:
    brood = Brood(3)

    brood.fill()
    brood.fill()

    orders = brood.nursery.orders
    assert [(order.number, order.name) for order in orders] == [(0, "0.1"), (1, "1.2"), (2, "2.3")]
    assert len({order.room for order in orders}) == 3


def test_one_that_dies_is_buried_and_replaced_under_the_same_number() -> None:
    brood = Brood(2)
    brood.bear()
    brood.place("0.1").slot.seat(0).begin(7, "seven", 0.0, None, None)

    brood.die("0.1")
    brood.bear()

    [dead] = brood.leases.dead
    assert (dead.lessee, dead.started, dead.running, dead.death.detail) == (Lessee("node", "0.1"), 7, (7,), "signal SIGKILL")
    assert (dead.death.handed_back, brood.deaths, sorted(brood.names)) == (False, 1, ["0.3", "1.2"])


def test_whoever_takes_a_room_finds_nothing_of_who_lived_there() -> None:
    brood = Brood(1, rooms=1)
    brood.bear()
    brood.place("0.1").slot.seat(0).begin(7, "seven", 0.0, 1, 1)

    brood.die("0.1")
    brood.fill()

    slot = brood.place("0.2").slot
    assert (slot.running, slot.started, slot.is_ready) == ((), 0, False)


@pytest.mark.parametrize(("deaths", "pause_s"), [(1, 0.5), (2, 1.0), (3, 2.0), (9, 5.0)])
def test_one_that_dies_again_and_again_before_it_has_begun_a_task_is_replaced_ever_more_slowly(
    deaths: int, pause_s: float
) -> None:
    brood = Brood(1)
    for _ in range(deaths):
        brood.runtime.advance(100)
        brood.bear(ready=False)
        brood.die(brood.names[0], 256)

    brood.runtime.advance(pause_s - 0.01)
    brood.fill()
    before = list(brood.names)
    brood.runtime.advance(0.02)
    brood.fill()

    assert (before, len(brood.names)) == ([], 1)


def test_more_come_at_once() -> None:
    brood = Brood(2)
    brood.bear()

    brood.children.resize(4)
    brood.fill()

    assert [order.number for order in brood.nursery.orders] == [0, 1, 2, 3]


def test_of_too_many_the_idle_and_newest_finish_and_nobody_is_killed() -> None:
    brood = Brood(4)
    brood.bear()
    for name in ("1.2", "3.4"):
        brood.place(name).slot.seat(0).begin(7, "seven", 0.0, None, None)

    brood.children.resize(3)
    brood.fill()

    assert [brood.heard(place.name) for place in brood.children.places] == [[], [], [TERM], []]
    assert sorted(brood.names) == ["0.1", "1.2", "3.4"]


def test_one_that_has_finished_because_it_was_too_many_is_not_replaced() -> None:
    brood = Brood(2)
    brood.bear()
    brood.children.resize(1)
    brood.fill()

    brood.die("1.2", 0)
    brood.fill()

    assert (len(brood.nursery.orders), brood.names) == (2, ["0.1"])


def test_while_one_that_is_too_many_still_runs_its_number_may_be_taken_by_another() -> None:
    brood = Brood(2)
    brood.bear()
    for name in ("0.1", "1.2"):
        brood.place(name).slot.seat(0).begin(7, "seven", 0.0, None, None)
    brood.children.resize(1)
    brood.fill()

    brood.children.resize(2)
    brood.bear()

    assert sorted(brood.names) == ["0.1", "1.3"]
    assert len(brood.children.places) == 3


def test_one_that_is_not_ready_yet_hears_that_it_is_too_many_as_soon_as_it_can() -> None:
    brood = Brood(2)
    brood.bear(ready=False)
    brood.children.resize(1)
    brood.fill()
    before = brood.heard("1.2")

    brood.place("1.2").slot.ready()
    brood.fill()

    assert (before, brood.heard("1.2")) == ([], [TERM])


def test_one_that_ends_by_itself_makes_room_while_it_finishes() -> None:
    brood = Brood(1, seats=3)
    brood.bear()
    brood.place("0.1").slot.seat(0).begin(7, "seven", 0.0, None, None)

    brood.place("0.1").slot.leave()  # it has run as many tasks as it may
    brood.fill()

    assert (brood.names, len(brood.children.places)) == (["0.2"], 2)


def test_a_restart_replaces_each_when_it_has_ended_and_tells_the_new_ones_what_to_import() -> None:
    brood = Brood(2)
    brood.bear()

    brood.children.restart(["shop", "shop.tasks"], reload=True)
    brood.fill()
    waited = list(brood.nursery.orders)
    brood.die("0.1", 0)
    brood.fill()

    assert [brood.heard(name) for name in ("1.2",)] == [[TERM]]
    assert (len(waited), brood.nursery.renewed) == (2, 1)
    last = brood.nursery.orders[-1]
    assert last == Order(last.room, 0, "0.3", ("shop", "shop.tasks"), reload=True)


def test_one_that_is_not_ready_in_time_is_replaced() -> None:
    brood = Brood(1, alive_s=4.0)
    brood.bear(ready=False)
    brood.runtime.advance(3.9)
    brood.fill()
    patient = brood.heard("0.1")

    brood.runtime.advance(0.2)
    brood.fill()
    brood.fill()

    assert (patient, brood.heard("0.1")) == ([], [SIGKILL])


def test_the_time_to_be_ready_begins_with_the_birth_and_not_with_the_order() -> None:
    brood = Brood(1, alive_s=4.0)
    brood.fill()
    brood.runtime.advance(10)

    brood.bear(ready=False)
    brood.fill()

    assert brood.heard("0.1") == []


def test_a_stop_does_not_wait_for_one_that_never_comes_to_life() -> None:
    brood = Brood(1, alive_s=4.0)
    brood.bear(ready=False)
    brood.children.finish(brood.now)
    patient = brood.heard("0.1")

    brood.runtime.advance(4.1)
    brood.children.finish(brood.now)

    assert (patient, brood.heard("0.1")) == ([], [SIGKILL])


def test_who_would_not_be_born_is_tried_again_after_a_pause() -> None:
    brood = Brood(1)
    brood.fill()

    brood.nursery.coming.append(Report.stillborn("0.1"))
    brood.children.hear()
    brood.fill()
    at_once = brood.names
    brood.runtime.advance(0.6)
    brood.fill()

    assert (at_once, brood.names) == ([], ["0.2"])


def test_one_that_is_ready_may_do_nothing_for_as_long_as_it_likes() -> None:
    brood = Brood(1, alive_s=4.0)
    brood.bear()

    brood.runtime.advance(1000)
    brood.fill()

    assert brood.heard("0.1") == []


def test_what_is_killed_by_us_hands_back_what_it_ran() -> None:
    brood = Brood(1)
    brood.bear()

    brood.children.kill("stopped at once")
    brood.children.kill("stopped at once")
    heard = brood.heard("0.1")
    brood.die("0.1")

    [dead] = brood.leases.dead
    assert (heard, dead.death.handed_back, dead.death.detail) == ([SIGKILL], True, "stopped at once")


def test_when_the_nursery_is_gone_everybody_is_killed_and_buried() -> None:
    brood = Brood(2)
    brood.bear()
    brood.nursery.is_dead = True

    with pytest.raises(EOFError):
        brood.children.hear()
    brood.children.abandon("it died")

    assert [brood.heard(name) for name in brood.names] == [[SIGKILL], [SIGKILL]]
    assert [dead.lessee.child for dead in brood.leases.dead] == ["0.1", "1.2"]


def test_nobody_is_ordered_while_there_is_no_room() -> None:
    brood = Brood(1, rooms=1)
    brood.bear()
    place = brood.place("0.1")
    place.slot.seat(0).begin(7, "seven", 0.0, None, None)

    brood.children.retire(place, brood.now)
    brood.fill()
    full = len(brood.nursery.orders)
    brood.die("0.1")
    brood.fill()

    assert (full, len(brood.nursery.orders)) == (1, 2)


@pytest.mark.parametrize(("slow", "limit_s", "prepared"), [(True, 5.0, 1), (True, None, 0), (False, 5.0, 0)])
def test_where_children_are_slow_to_come_one_is_ready_once_a_hard_limit_is_known(
    slow: bool, limit_s: float | None, prepared: int
) -> None:
    brood = Brood(1)
    brood.nursery.slow = slow
    brood.bear()
    brood.place("0.1").slot.seat(0).begin(7, "seven", 0.0, None, limit_s)

    brood.children.prepare()

    assert brood.nursery.prepared == prepared
