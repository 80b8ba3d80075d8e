"""How often runs of one task type may begin."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celeriac.worker.rates import EARLY_S, begin, per_second, ready, wait_s


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("10/s", 10),
        ("100/m", 100 / 60),
        ("5/h", 5 / 3600),
        ("7", 7),
        (7, 7),
        (0.5, 0.5),
        ("0.5/s", 0.5),
        (" 3 / m ", 0.05),
        (None, None),
        ("", None),
        (0, None),
        ("0/m", None),
    ],
)
def test_a_limit_is_so_many_runs_a_second(limit: str | float | None, expected: float | None) -> None:
    assert per_second(limit) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("limit", ["lots", "10/d", "/s", "-1/s", -1, "nan", "inf/s", "1/s/s", "10 per second"])
def test_what_is_no_limit_is_refused_by_name(limit: str | float) -> None:
    with pytest.raises(ValueError, match="is no rate limit"):
        per_second(limit)


def begun(per_s: float, moments: list[float], date: float = 0.0) -> list[float]:
    """Return the moments at which a run could begin, of those at which somebody tried."""
    began = []
    for now in moments:
        following = begin(date, now, per_s)
        if following is not None:
            began.append(now)
            date = following
    return began


@pytest.mark.parametrize("per_s", [0.5, 1, 10, 100, 1000])
def test_the_rate_is_kept_whoever_tries_how_often(per_s: float) -> None:
    moments = [1000 + number / 5000 for number in range(20 * 5000)]

    began = begun(per_s, moments)

    assert len(began) == pytest.approx(20 * per_s, rel=0.03, abs=1 + EARLY_S * per_s)


@pytest.mark.parametrize("per_s", [0.5, 3, 10])
def test_the_rate_is_kept_by_those_who_look_ten_times_a_second(per_s: float) -> None:
    moments = [1000 + round_ / 10 for round_ in range(1000) for _ in range(5)]

    began = begun(per_s, moments)

    assert len(began) == pytest.approx(100 * per_s, rel=0.02, abs=2)


def test_a_seldom_run_is_never_followed_at_once() -> None:
    began = begun(1 / 60, [1000 + second / 2 for second in range(1200)])

    assert min(later - earlier for earlier, later in pairwise(began)) >= 60 - EARLY_S - 0.5


@given(
    per_s=st.floats(0.01, 500),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_never_do_more_begin_than_the_rate_and_what_may_be_early(per_s: float, gaps: list[float]) -> None:
    now, moments = 1000.0, []
    for gap in gaps:
        now += gap
        moments += [now] * 20

    began = begun(per_s, moments)

    for first in range(len(began)):
        for last in range(first, len(began)):
            assert last - first <= (began[last] - began[first] + EARLY_S) * per_s + 1e-6


def test_a_limit_that_was_raised_is_felt_at_once() -> None:
    date = begin(0.0, 1000.0, 1 / 3600)
    assert date is not None

    assert begin(date, 1000.2, 100) is not None
    assert wait_s(date, 1000.2, 1) <= 1


@given(per_s=st.floats(0.01, 500), late=st.floats(-5, 5))
def test_so_many_are_ready_as_can_begin(per_s: float, late: float) -> None:
    now = 1000.0
    date = now + late

    count = ready(date, now, per_s)

    could = len(begun(per_s, [now] * 400, date))
    assert abs(count - could) <= 1 or count == could
    assert (count == 0) == (wait_s(date, now, per_s) > 0)
