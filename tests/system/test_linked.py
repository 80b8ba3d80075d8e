"""What follows a task, with real nodes: errbacks hear of every failure, also of one that ended the process."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import TimeLimitExceeded, WorkerLostError
from system.fleet import Fleet
from system.patience import eventually

LINKS = [{"task": "linked_jobs.called"}, {"task": "linked_jobs.sent"}]


@pytest.mark.parametrize(
    ("task", "options", "error"),
    [("fails", {}, KeyError), ("dies", {}, WorkerLostError), ("hangs", {"time_limit": 1}, TimeLimitExceeded)],
)
def test_errbacks_hear_of_a_failure_once_each_in_its_way(
    fleet: Fleet, task: str, options: dict[str, Any], error: type[Exception]
) -> None:
    node = fleet.start("-c", "1", "-I", "linked_jobs")
    supervisor = node.pid

    result = fleet.client.send_task(f"linked_jobs.{task}", link_error=LINKS, headers={"tenant": "acme"}, **options)
    with pytest.raises(error):
        result.get(timeout=30)
    eventually(lambda: len(fleet.entries()) >= 2, what="both errbacks")

    heard = sorted((what, key) for what, key, _ in fleet.entries())
    assert heard == [("called", f"linked_jobs.{task}:{error.__name__}:acme"), ("sent", result.id)]
    assert supervisor not in {process for _, _, process in fleet.entries()}


def test_a_retry_moves_to_the_queue_that_it_names(fleet: Fleet) -> None:
    fleet.start("-c", "1", "-I", "linked_jobs", "-Q", "celery,other")

    assert fleet.client.send_task("linked_jobs.moves").get(timeout=30) == "other"
