"""Every pool runs plain functions and coroutines, many at a time where it promises that, and stops as it should."""

from __future__ import annotations

import signal
import time

import pytest

from celeriac import TaskRevokedError, TimeLimitExceeded
from system.fleet import Fleet
from system.patience import eventually

GREEN = ("gevent", "eventlet")
OWN = "own_lane:FreshThreads"


@pytest.mark.parametrize("pool", GREEN)
def test_a_pool_of_greenlets_runs_what_waits_at_once_and_coroutines_beside_it(fleet: Fleet, pool: str) -> None:
    pytest.importorskip("gevent")
    node = fleet.start("-P", pool, "-c", "100")
    fleet.send("add", 1, 1).get(timeout=10)

    began = time.monotonic()
    slept = fleet.send_many("early", [(str(i), 0.5) for i in range(100)])
    thought = fleet.send_many("think", [(i,) for i in range(20)])

    assert slept.get(timeout=20) == [str(i) for i in range(100)]
    assert thought.get(timeout=20) == [2 * i for i in range(20)]
    assert time.monotonic() - began < 10.0
    assert len({pid for _, _, pid in fleet.entries()}) == 1
    assert node.stop() == 0


@pytest.mark.parametrize("pool", GREEN)
def test_a_pool_of_greenlets_stops_when_its_tasks_have_ended(local_fleet: Fleet, pool: str) -> None:
    node = local_fleet.start("-P", pool, "-c", "10")
    running = local_fleet.send("late", "a", 1.0)
    eventually(lambda: local_fleet.has_begun("a"), what="the task runs")

    code = node.stop(signal.SIGTERM)

    assert code == 0
    assert running.get(timeout=5) == "a"
    assert "end" in {what for what, _, _ in local_fleet.entries()}


@pytest.mark.parametrize("pool", GREEN)
def test_a_node_of_greenlets_that_is_killed_leaves_no_process_behind(local_fleet: Fleet, pool: str) -> None:
    node = local_fleet.start("-P", pool, "-c", "10")
    # One greenlet that lets nobody else run: whoever watches the supervisor is a thread of the system.
    local_fleet.send("hang", "a", "runs")
    eventually(lambda: local_fleet.has_begun("a"), what="the task runs")

    node.kill()

    node.wait_until_gone()


@pytest.mark.parametrize("pool", [OWN, "custom"])
def test_a_lane_of_ones_own_runs_tasks_and_its_hung_ones_cost_their_process(local_fleet: Fleet, pool: str) -> None:
    local_fleet.start("-P", pool, "-c", "10", CELERY_CUSTOM_WORKER_POOL=OWN if pool == "custom" else "")

    values = local_fleet.send_many("early", [(str(i), 0.01) for i in range(100)]).get(timeout=20)
    doubled = local_fleet.send("think", 4).get(timeout=10)
    hung = local_fleet.send("hang", "a", "waits", time_limit=0.5)

    assert values == [str(i) for i in range(100)]
    assert doubled == 8
    with pytest.raises(TimeLimitExceeded):
        hung.get(timeout=10)
    assert local_fleet.send("add", 1, 1).get(timeout=10) == 2


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        ("own_lane:CeleryPool", "that is a pool of Celery's"),
        ("own_lane:Absent", "there is no such class"),
        ("custom", "set CELERY_CUSTOM_WORKER_POOL"),
        ("green", "did you mean"),
    ],
)
def test_a_pool_that_is_none_is_refused_in_one_sentence(local_fleet: Fleet, pool: str, said: str) -> None:
    done = local_fleet.celeriac("worker", "-P", pool)

    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_library_that_starts_threads_when_it_is_imported_wedges_no_task(local_fleet: Fleet) -> None:
    """At full size in ``test_threads_at_import_long``."""
    _use_the_library(local_fleet, 2_000)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_library_that_starts_threads_when_it_is_imported_wedges_none_of_a_hundred_thousand_tasks(local_fleet: Fleet) -> None:
    _use_the_library(local_fleet, 100_000)


def _use_the_library(fleet: Fleet, count: int) -> None:
    node = fleet.start("-c", "2", "-I", "threading_jobs", "-l", "WARNING", wait=False)

    total = 0
    for _ in range(0, count, 1000):
        total += sum(fleet.send_many("locked", [(1,)] * 1000).get(timeout=120))

    assert total == count
    assert "threads" in node.log


@pytest.mark.parametrize("pool", ["prefork", "threads", "asyncio", "gevent", "eventlet", "solo"])
def test_a_task_is_terminated_in_every_pool_and_its_neighbour_goes_on(local_fleet: Fleet, pool: str) -> None:
    fleet = local_fleet
    fleet.start("-P", pool, "-c", "2")

    for way in ("runs", "waits"):
        hung = fleet.send("hang", way, way)
        eventually(lambda way=way: fleet.has_begun(way), what=f"the task that {way}")  # type: ignore[misc]
        neighbour = fleet.send("late", f"beside {way}".replace(" ", "-"), 0.2)
        hung.revoke(terminate=True)

        with pytest.raises(TaskRevokedError, match="terminated"):
            hung.get(timeout=10)
        neighbour.get(timeout=10)
        assert fleet.times("begin")[way] == 1
