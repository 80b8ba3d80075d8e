"""A task's own result backend, with real nodes: its results are there, and nowhere else."""

from __future__ import annotations

import re
from functools import partial

import pytest

from celeriac import AsyncResult, WorkerLostError
from system.fleet import Fleet
from system.patience import eventually
from system.test_silence import assert_one_sentence


@pytest.fixture
def place(fleet: Fleet) -> str:
    """Give the URL of another store."""
    return f"sqlite:///{fleet.folder / 'results.db'}"


def sent(fleet: Fleet, place: str, name: str, *args: object) -> AsyncResult[object]:
    app = fleet.client
    return app.AsyncResult(app.send_task(f"placed_jobs.{name}", args).id, backend=place)


def test_values_failures_and_states_on_the_way_are_kept_there(fleet: Fleet, place: str) -> None:
    fleet.start("-c", "1", "-I", "placed_jobs", JOBS_PLACE=place)
    seen: list[object] = []

    results = [sent(fleet, place, "kept", number) for number in range(100)]
    failed, reported = sent(fleet, place, "fails"), sent(fleet, place, "reports", 3)
    reported.get(timeout=20, on_message=lambda meta: seen.append(meta["status"]))

    assert [result.get(timeout=20) for result in results] == list(range(1, 101))
    with pytest.raises(KeyError, match="gone"):
        failed.get(timeout=20)
    assert seen[-1] == "SUCCESS"
    assert set(seen) <= {"PROGRESS", "SUCCESS"}
    assert {fleet.client.AsyncResult(each.id).state for each in (*results, failed, reported)} == {"PENDING"}
    assert fleet.send("add", 1, 1).get(timeout=20) == 2


def test_a_task_whose_process_dies_fails_there(fleet: Fleet, place: str) -> None:
    fleet.start("-c", "1", "-I", "placed_jobs", JOBS_PLACE=place)

    result = sent(fleet, place, "dies")
    eventually(partial(fleet.has_begun, "dies"), what="the run")

    with pytest.raises(WorkerLostError):
        result.get(timeout=30)
    assert not fleet.client.AsyncResult(result.id).exists()


def test_a_place_that_no_driver_serves_is_told_at_the_start_with_its_task(fleet: Fleet) -> None:
    ran = fleet.celeriac("--quiet", "worker", "-c", "1", "-I", "placed_jobs", JOBS_PLACE="mongodbb://:hunter2@localhost")

    assert_one_sentence(ran)
    assert re.search(r"the backend of task placed_jobs\.\w+: .*mongodbb", ran.stderr)
    assert "hunter2" not in ran.stderr
