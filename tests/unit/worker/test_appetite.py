"""How many deliveries a child takes: a few milliseconds of work, never a backlog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celeriac.worker.appetite import BATCH_LIMIT, BATCH_S, Appetite


def test_it_takes_one_before_it_has_seen_a_run() -> None:
    appetite = Appetite()

    taken = appetite.now()

    assert taken == 1


def test_it_takes_nothing_when_no_slot_is_free() -> None:
    appetite = Appetite()

    taken = appetite.now(free_slots=0)

    assert taken == 0


@pytest.mark.parametrize(("each_s", "expected"), [(0.001, 5), (0.0005, 10), (0.004, 1), (1.0, 1), (0.0, BATCH_LIMIT)])
def test_it_takes_what_fits_in_a_batch(each_s: float, expected: int) -> None:
    appetite = Appetite()

    appetite.saw(each_s)

    assert appetite.now() == expected


def test_it_never_takes_more_than_its_cap_for_a_slot() -> None:
    appetite = Appetite(cap=4)

    appetite.saw(0.0)

    assert (appetite.now(), appetite.now(free_slots=3)) == (4, 12)


def test_one_long_run_is_enough_to_travel_alone() -> None:
    appetite = Appetite()
    appetite.saw(0.0001 * 100, runs=100)

    appetite.saw(BATCH_S)

    assert appetite.now() == 1


def test_a_few_short_runs_make_it_hungry_again() -> None:
    appetite = Appetite()
    appetite.saw(0.1)

    for _ in range(40):
        appetite.saw(0.0001)

    assert appetite.now() > 10


def test_for_many_slots_it_fills_each_of_them() -> None:
    appetite = Appetite(cap=1)
    appetite.saw(0.0)

    taken = appetite.now(free_slots=7)

    assert taken == 7


@given(runs=st.lists(st.floats(0, 1e6), max_size=20), slots=st.integers(1, 10_000))
def test_it_always_takes_something_and_never_too_much(runs: list[float], slots: int) -> None:
    appetite = Appetite()
    for seconds in runs:
        appetite.saw(seconds)

    taken = appetite.now(slots)

    assert 1 <= taken <= max(BATCH_LIMIT, slots)
