"""Whose time is over."""

from __future__ import annotations

import pytest

from celeriac.worker.limits import Verdict, judge
from celeriac.worker.slots import Seat, Slots

BEGAN = 100.0


@pytest.fixture
def seat() -> Seat:
    return Slots(1)[0].seat(0)


def test_who_runs_nothing_is_fine(seat: Seat) -> None:
    seat.begin(7, "id", BEGAN, 1, 2)
    seat.end()

    verdict = judge(seat, BEGAN + 1000)

    assert verdict == (Verdict.FINE, None)


def test_who_has_no_limits_is_fine_for_ever(seat: Seat) -> None:
    seat.begin(7, "id", BEGAN, None, None)

    verdict, run = judge(seat, BEGAN + 1e9)

    assert (verdict, run and run.tag) == (Verdict.FINE, 7)


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
def test_the_soft_limit_comes_before_the_hard_one(seat: Seat, after_s: float, expected: Verdict) -> None:
    seat.begin(7, "id", BEGAN, 1, 2)

    verdict, run = judge(seat, BEGAN + after_s)

    assert (verdict, run and run.tag) == (expected, 7)


def test_the_soft_limit_is_told_again_for_a_second_since_a_signal_may_come_too_early(seat: Seat) -> None:
    seat.begin(7, "id", BEGAN, 1, None)
    seat.ask_soft(7)

    verdicts = [judge(seat, BEGAN + after_s)[0] for after_s in (1.1, 1.9, 2.1, 5)]

    assert verdicts == [Verdict.SOFT, Verdict.SOFT, Verdict.FINE, Verdict.FINE]


def test_the_next_run_has_a_soft_limit_of_its_own(seat: Seat) -> None:
    seat.begin(7, "id", BEGAN, 1, None)
    seat.ask_soft(7)
    seat.end()
    seat.begin(8, "id", BEGAN + 5, 1, None)

    verdicts = [judge(seat, BEGAN + 5.5)[0], judge(seat, BEGAN + 6.1)[0]]

    assert verdicts == [Verdict.FINE, Verdict.SOFT]
