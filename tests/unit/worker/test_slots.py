"""What a child is doing, read by somebody else."""

from __future__ import annotations

import os

import pytest

from celeriac.worker.slots import Seen, Slots, mark_of


def test_a_fresh_slot_is_empty() -> None:
    slot = Slots(1, 3)[0]

    words = (slot.started, slot.running, slot.ended, slot.is_ready, slot.taken())

    assert words == (0, (), 0, False, [])
    assert slot.seat(2).look() is None


def test_a_run_is_told_with_its_id_and_its_limits() -> None:
    slot = Slots(1)[0]

    slot.seat(0).begin(7, "id-7", 100.0, 1.5, 2.5)

    assert slot.seat(0).look() == Seen(tag=7, id="id-7", since=100.0, soft_at=101.5, hard_at=102.5)
    assert (slot.running, slot.started) == ((7,), 7)


def test_a_run_without_limits_has_none() -> None:
    seat = Slots(1)[0].seat(0)
    seat.begin(7, "id-7", 100.0, 1.5, 2.5)

    seat.begin(8, "id-8", 100.0, None, 0)

    assert (seat.soft_at, seat.hard_at, seat.id) == (0.0, 0.0, "id-8")


@pytest.mark.parametrize("id", ["", "a" * 64, "ü" * 32, "\udcff", "b\0c"], ids=ascii)
def test_an_id_of_up_to_64_bytes_is_told_as_it_is(id: str) -> None:
    seat = Slots(1)[0].seat(0)

    seat.begin(7, id, 100.0, None, None)

    assert seat.id == mark_of(id) == id


def test_long_ids_that_begin_alike_are_told_apart() -> None:
    [one, other] = [Slots(1)[0].seat(0) for _ in range(2)]

    one.begin(7, "a" * 65, 100.0, None, None)
    other.begin(7, "a" * 66, 100.0, None, None)

    assert one.id == mark_of("a" * 65) != other.id == mark_of("a" * 66)


def test_the_watermark_stays_when_a_run_ends() -> None:
    slot = Slots(1)[0]
    slot.seat(0).begin(7, "7", 100.0, None, None)

    slot.seat(0).end()

    assert (slot.running, slot.started, slot.ended, slot.seat(0).look()) == ((), 7, 1, None)


def test_the_watermark_is_one_for_all_seats_and_never_falls() -> None:
    slot = Slots(1, 2)[0]
    slot.seat(1).begin(7, "7", 100.0, None, None)

    slot.seat(0).begin(3, "3", 100.0, None, None)

    assert (slot.running, slot.started) == ((3, 7), 7)


def test_the_ends_of_all_seats_are_counted() -> None:
    slot = Slots(1, 3)[0]

    for number in (0, 1, 2, 2):
        slot.seat(number).begin(7 + number, "", 100.0, None, None)
        slot.seat(number).end()

    assert slot.ended == 4


def test_a_run_is_late_when_one_of_its_limits_has_ended() -> None:
    slot = Slots(1, 5)[0]
    for number, (soft_s, hard_s) in enumerate([(None, None), (1.0, None), (None, 1.0), (5.0, 9.0), (1.0, 1.0)]):
        slot.seat(number).begin(10 + number, "", 100.0, soft_s, hard_s)
    slot.seat(4).end()

    late = [seat.tag for seat in slot.late(101.0)]

    assert late == [11, 12]


def test_what_is_asked_of_a_run_bears_its_tag() -> None:
    seat = Slots(1, 2)[0].seat(1)

    seat.ask_soft(7)
    seat.ask_end(8, 15)

    assert (seat.soft_asked, seat.end_asked, seat.end_signum) == (7, 8, 15)


def test_slots_and_seats_do_not_touch_each_other() -> None:
    slots = Slots(3, 3)
    seat = slots[1].seat(1)
    seat.begin(7, "x" * 64, 100.0, 1, 1)
    seat.ask_soft(7)
    slots[1].ready()

    for neighbour in (slots[1].seat(0), slots[1].seat(2)):
        neighbour.begin(1, "y" * 64, 1.0, 9, 9)
        neighbour.end()
    slots[2].clear()
    slots[0].clear()

    assert (slots[1].running, seat.soft_asked, slots[1].is_ready) == ((7,), 7, True)
    assert seat.look() == Seen(7, "x" * 64, 100.0, 101.0, 101.0)
    assert (slots[0].running, slots[2].running) == ((), ())


def test_clearing_makes_a_slot_fresh() -> None:
    slot = Slots(1, 2)[0]
    slot.seat(1).begin(7, "7", 100.0, 1, 1)
    slot.seat(1).ask_end(7, 9)
    slot.ready()

    slot.clear()

    assert (slot.started, slot.running, slot.is_ready) == (0, (), False)
    assert (slot.seat(1).id, slot.seat(1).hard_at, slot.seat(1).end_asked, slot.seat(1).end_signum) == ("", 0.0, 0, 0)


@pytest.mark.parametrize("index", [-1, 2])
def test_there_are_as_many_slots_and_seats_as_were_asked_for(index: int) -> None:
    slots = Slots(2, 2)

    with pytest.raises(IndexError):
        slots[index]
    with pytest.raises(IndexError):
        slots[0].seat(index)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_a_forked_process_writes_can_be_read_here() -> None:
    slot = Slots(2, 2)[1]

    pid = os.fork()
    if pid == 0:
        slot.seat(1).begin(2**40, "id", 1.25, None, 3.0)
        os._exit(0)
    os.waitpid(pid, 0)

    assert slot.seat(1).look() == Seen(2**40, "id", 1.25, 0.0, 4.25)


def test_a_slot_names_the_seats_with_a_run_of_which_something_is_asked() -> None:
    slot = Slots(1, 4)[0]
    for number in range(4):
        slot.seat(number).begin(10 + number, "id", 100.0, None, None)
    slot.seat(1).ask_soft(11)
    slot.seat(2).ask_end(12, 15)
    slot.seat(3).ask_soft(9)  # of a run that has ended meanwhile

    assert [seat.tag for seat in slot.asked()] == [11, 12]
