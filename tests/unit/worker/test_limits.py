"""Whose time is over."""

from __future__ import annotations

import pytest

from celeriac.worker.limits import Verdict, judge
from celeriac.worker.slots import Slot, Slots

BEGAN = 100.0


@pytest.fixture
def slot() -> Slot:
    return Slots(1)[0]


def test_who_runs_nothing_is_fine(slot: Slot) -> None:
    slot.begin(7, BEGAN, 1, 2)
    slot.end()

    verdict = judge(slot, BEGAN + 1000)

    assert verdict == (Verdict.FINE, 0)


def test_who_has_no_limits_is_fine_for_ever(slot: Slot) -> None:
    slot.begin(7, BEGAN, None, None)

    verdict = judge(slot, BEGAN + 1e9)

    assert verdict == (Verdict.FINE, 7)


@pytest.mark.parametrize(
    ("after_s", "expected"),
    [
        (0.0, Verdict.FINE),
        (0.99, Verdict.FINE),
        (1.0, Verdict.SOFT),
        (1.99, Verdict.SOFT),
        (2.0, Verdict.HARD),
        (99.0, Verdict.HARD),
    ],
)
def test_the_soft_limit_comes_before_the_hard_one(slot: Slot, after_s: float, expected: Verdict) -> None:
    slot.begin(7, BEGAN, 1, 2)

    verdict = judge(slot, BEGAN + after_s)

    assert verdict == (expected, 7)


def test_the_soft_limit_is_told_once(slot: Slot) -> None:
    slot.begin(7, BEGAN, 1, None)
    slot.ask_soft(7)

    verdict = judge(slot, BEGAN + 5)

    assert verdict == (Verdict.FINE, 7)


def test_the_next_run_has_a_soft_limit_of_its_own(slot: Slot) -> None:
    slot.begin(7, BEGAN, 1, None)
    slot.ask_soft(7)
    slot.end()
    slot.begin(8, BEGAN + 5, 1, None)

    verdicts = [judge(slot, BEGAN + 5.5), judge(slot, BEGAN + 6)]

    assert verdicts == [(Verdict.FINE, 8), (Verdict.SOFT, 8)]
