"""How long to wait before the next attempt."""

from __future__ import annotations

from itertools import islice

import pytest

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.retry import Backoff, RetryPolicy, backoff_of, policy_of


def test_backoff_doubles_up_to_its_maximum() -> None:
    backoff = Backoff(factor=3, maximum_s=20, jitter=False)

    assert [backoff.delay_s(retries, random=0.0) for retries in range(5)] == [3, 6, 12, 20, 20]


def test_jitter_takes_anything_from_nothing_to_the_whole_time() -> None:
    backoff = Backoff(factor=8, jitter=True)

    assert backoff.delay_s(0, random=0.0) == 0
    assert backoff.delay_s(0, random=0.9999) == 8


def test_a_million_retries_are_no_trouble() -> None:
    assert Backoff(jitter=False).delay_s(1_000_000, random=0.0) == 600


def test_task_options_become_a_backoff() -> None:
    assert backoff_of(False) is None
    assert backoff_of(True) == Backoff(factor=1)
    assert backoff_of(5, maximum_s=60, jitter=False) == Backoff(factor=5, maximum_s=60, jitter=False)


def test_the_default_policy_waits_as_celerys_default() -> None:
    assert list(RetryPolicy().intervals_s()) == [0.0, 0.2, 0.4]


def test_intervals_stay_at_the_last_step_that_fits() -> None:
    policy = RetryPolicy(max_retries=5, interval_start=1, interval_step=2, interval_max=5)

    assert list(policy.intervals_s()) == [1, 3, 5, 5, 5]


def test_without_a_maximum_there_is_always_one_more() -> None:
    policy = RetryPolicy(max_retries=None, interval_step=0)

    assert len(list(islice(policy.intervals_s(), 100))) == 100


def test_what_a_retry_policy_does_not_say_is_as_the_default_has_it() -> None:
    default = RetryPolicy(max_retries=7, interval_start=2)

    assert policy_of({"interval_start": 1}, default=default) == RetryPolicy(max_retries=7, interval_start=1)
    assert policy_of(None, default=default) == default


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_retrys": 3}, "did you mean 'max_retries'"),
        ({"interval_max": "1"}, "interval_max is '1'"),
        ({"interval_max": None}, "interval_max is None"),
        ({"interval_step": -1}, "interval_step is -1"),
    ],
)
def test_a_wrong_retry_policy_is_refused_by_name(given: dict[str, object], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        policy_of(given)
