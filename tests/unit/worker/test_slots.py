"""What a child is doing, read by somebody else."""

from __future__ import annotations

import os

import pytest

from celeriac.worker.slots import Slots


def test_a_fresh_slot_is_empty() -> None:
    slot = Slots(1)[0]

    words = (slot.started, slot.running, slot.since, slot.soft_at, slot.hard_at, slot.ended, slot.is_ready)

    assert words == (0, 0, 0.0, 0.0, 0.0, 0, False)


def test_a_run_is_told_with_its_limits() -> None:
    slot = Slots(1)[0]

    slot.begin(7, 100.0, 1.5, 2.5)

    assert (slot.running, slot.started, slot.since, slot.soft_at, slot.hard_at) == (7, 7, 100.0, 101.5, 102.5)


def test_the_watermark_stays_when_a_run_ends() -> None:
    slot = Slots(1)[0]
    slot.begin(7, 100.0, None, None)

    slot.end()

    assert (slot.running, slot.started, slot.ended) == (0, 7, 1)


def test_the_watermark_never_falls() -> None:
    slot = Slots(1)[0]
    slot.begin(7, 100.0, None, None)

    slot.begin(3, 100.0, None, None)

    assert (slot.running, slot.started) == (3, 7)


def test_slots_do_not_touch_each_other() -> None:
    slots = Slots(3)
    slots[1].begin(7, 100.0, 1, 1)
    slots[1].ask_soft(7)
    slots[1].ready()

    slots[2].clear()
    slots[0].clear()

    assert (slots[1].running, slots[1].soft_asked, slots[1].is_ready) == (7, 7, True)
    assert (slots[0].running, slots[2].running) == (0, 0)


def test_clearing_makes_a_slot_fresh() -> None:
    slot = Slots(1)[0]
    slot.begin(7, 100.0, 1, 1)
    slot.ready()

    slot.clear()

    assert (slot.started, slot.running, slot.hard_at, slot.is_ready) == (0, 0, 0.0, False)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_a_forked_process_writes_can_be_read_here() -> None:
    slot = Slots(2)[1]

    pid = os.fork()
    if pid == 0:
        slot.begin(2**40, 1.25, None, 3.0)
        os._exit(0)
    os.waitpid(pid, 0)

    assert (slot.running, slot.since, slot.hard_at) == (2**40, 1.25, 4.25)
