"""A lane of a user's own is found by its name, and what is none is refused with a reason."""

from __future__ import annotations

import pytest

from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.lanes.custom import is_path, lane_class
from celeriac.worker.lanes.threads import ThreadsLane


class CeleryPool:
    """What a pool written for Celery looks like."""

    def on_apply(self) -> None:
        """Run a task."""


class HalfALane:
    concurrent = True

    def free(self) -> int:
        return 1


NOT_A_CLASS = 7
HERE = __name__


@pytest.mark.parametrize("path", ["celeriac.worker.lanes.threads:ThreadsLane", "celeriac.worker.lanes.threads.ThreadsLane"])
def test_a_class_is_found_by_its_path(path: str) -> None:
    assert lane_class(path) is ThreadsLane


def test_custom_means_the_class_that_the_environment_names() -> None:
    environment = {"CELERY_CUSTOM_WORKER_POOL": "celeriac.worker.lanes.threads:ThreadsLane"}

    assert lane_class("custom", environment) is ThreadsLane


def test_custom_without_the_variable_says_how_to_set_it() -> None:
    with pytest.raises(ImproperlyConfigured, match="set CELERY_CUSTOM_WORKER_POOL to the class"):
        lane_class("custom", {})


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.at.all:Lane", "there is no such class: No module named 'nowhere'"),
        (f"{HERE}:Absent", "there is no such class: .*Absent"),
        (f"{HERE}:NOT_A_CLASS", "that is no class, but of type 'int'"),
        (f"{HERE}:CeleryPool", "that is a pool of Celery's"),
        (f"{HERE}:HalfALane", "it has no wait_for_room, run, idle, wake, heed, close"),
    ],
)
def test_what_is_no_lane_is_refused_with_the_reason(path: str, reason: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=reason):
        lane_class(path)


@pytest.mark.parametrize(("pool", "is_one"), [("custom", True), ("shop:Lane", True), ("shop.Lane", True), ("threads", False)])
def test_names_of_our_own_pools_are_no_paths(pool: str, is_one: bool) -> None:
    assert is_path(pool) is is_one
