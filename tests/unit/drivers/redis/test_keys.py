"""The names of keys are Celery's, with its prefixes and priority steps."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac.core.errors import ImproperlyConfigured
from celeriac.drivers.redis.keys import keys_from


def test_without_options_the_names_are_celerys() -> None:
    keys = keys_from({}, {})

    assert keys.lists("celery") == ["celery", "celery\x06\x163", "celery\x06\x166", "celery\x06\x169"]
    assert keys.result("1a") == "celery-task-meta-1a"
    assert keys.own == "celeriac:"


@pytest.mark.parametrize(
    ("priority", "step"), [(0, 0), (1, 0), (2, 0), (3, 3), (4, 3), (5, 3), (6, 6), (7, 6), (8, 6), (9, 9), (200, 9)]
)
def test_a_priority_goes_to_the_largest_step_not_above_it(priority: int, step: int) -> None:
    suffix = keys_from({}, {}).suffix(priority)

    assert suffix == (f"\x06\x16{step}" if step else "")


def test_steps_may_be_chosen_in_any_order() -> None:
    keys = keys_from({"priority_steps": [5, 0], "sep": ":"}, {})

    assert keys.lists("q") == ["q", "q:5"]
    assert [keys.suffix(priority) for priority in (0, 4, 5, 9)] == ["", "", ":5", ":5"]


def test_a_step_named_twice_is_one_list() -> None:
    keys = keys_from({"priority_steps": [0, 5, 5]}, {})

    assert keys.lists("q") == ["q", "q\x06\x165"]


def test_one_step_is_one_list() -> None:
    keys = keys_from({"priority_steps": [0]}, {})

    assert keys.lists("q") == ["q"]
    assert keys.suffix(9) == ""


@pytest.mark.parametrize("steps", [[], [1, 2], [3], [-1, 0, 3], ["low"], 3, None])
def test_steps_that_leave_a_priority_without_a_list_are_refused(steps: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="priority_steps"):
        keys_from({"priority_steps": steps}, {})


def test_a_prefix_of_the_broker_stands_before_queues_and_our_own_keys_and_not_before_results() -> None:
    keys = keys_from({"global_keyprefix": "shop-"}, {})

    assert keys.lists("q")[0] == "shop-q"
    assert keys.own == "shop-celeriac:"
    assert keys.result("1a") == "celery-task-meta-1a"


@pytest.mark.parametrize(
    ("prefix", "key"),
    [
        ("", "celery-task-meta-1a"),
        ("shop", "shop_celery-task-meta-1a"),
        ("shop:", "shop:celery-task-meta-1a"),
        ("shop_", "shop_celery-task-meta-1a"),
        ("shop-", "shop-celery-task-meta-1a"),
        ("shop.", "shop.celery-task-meta-1a"),
    ],
)
def test_a_prefix_of_results_is_divided_as_celery_divides_it(prefix: str, key: str) -> None:
    keys = keys_from({}, {"global_keyprefix": prefix})

    assert keys.result("1a") == key
    assert keys.lists("q")[0] == "q"
