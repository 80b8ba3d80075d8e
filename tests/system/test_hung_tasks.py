"""A task that hangs, in whatever way, costs its slot a second after its hard limit, in every pool; its neighbours nothing."""

from __future__ import annotations

import time

import pytest

from celeriac import SoftTimeLimitExceeded, TimeLimitExceeded
from system.fleet import Fleet
from system.patience import eventually

LIMIT_S = 0.5
SLOT_FREE_WITHIN_S = 1.0
IMPORTS_WITHIN_S = 5.0
POOLS = ("prefork", "threads", "asyncio", "gevent", "eventlet", "solo")
GREEN = ("gevent", "eventlet")
WAYS = ("runs", "waits", "locks")


@pytest.mark.parametrize("pool", POOLS)
def test_the_slot_of_a_hung_task_is_free_again_a_second_after_its_hard_limit(local_fleet: Fleet, pool: str) -> None:
    """In Python code without end; in a system call; in a call in C that does not let go of the interpreter."""
    fleet = local_fleet
    # A node of one process has nobody outside who could end that call.
    ways = [way for way in WAYS if (pool, way) != ("solo", "locks")]
    fleet.start("-P", pool, "-c", "1")

    for way in ways:
        hung = fleet.send("hang", way, way, time_limit=LIMIT_S)
        eventually(lambda way=way: fleet.has_begun(way), what=f"the task that {way}")  # type: ignore[misc]
        over_at = time.time() + LIMIT_S
        late_s = fleet.send("due", over_at).get(timeout=15)

        with pytest.raises(TimeLimitExceeded, match=r"0\.5"):
            hung.get(timeout=10)
        # Where a greenlet cannot be ended from inside, another interpreter imports the app first.
        assert late_s < SLOT_FREE_WITHIN_S + (IMPORTS_WITHIN_S if pool in GREEN and way == "locks" else 0), way
        assert fleet.times("begin")[way] == 1


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_a_task_that_no_exception_ends_costs_its_process_and_nothing_else(local_fleet: Fleet, pool: str) -> None:
    node = local_fleet.start("-P", pool, "-c", "2")
    children = node.children() if pool == "threads" else [node.pid]

    clinging = local_fleet.send("hang", "clings", "clings", time_limit=LIMIT_S)
    with pytest.raises(TimeLimitExceeded, match=r"0\.5"):
        clinging.get(timeout=15)

    # A node of one process begins again in its place: whoever watches its process id sees nothing.
    assert local_fleet.send("add", 2, 2).get(timeout=15) == 4
    assert node.process.poll() is None
    eventually(lambda: pool == "solo" or not set(children) & set(node.children()), what="another process")
    assert local_fleet.times("begin")["clings"] == 1


@pytest.mark.parametrize("pool", POOLS)
def test_a_soft_limit_is_an_exception_inside_of_the_task_in_every_pool(local_fleet: Fleet, pool: str) -> None:
    """In Python code that is busy, and in a coroutine that waits."""
    node = local_fleet.start("-P", pool, "-c", "2")
    family = [process.pid for process in node.family()]

    for task in ("over_the_soft_limit_busily", "over_the_soft_limit_asleep"):
        caught = local_fleet.send(task, True)
        uncaught = local_fleet.send(task, False)

        assert caught.get(timeout=10) == "cleaned up"
        with pytest.raises(SoftTimeLimitExceeded):
            uncaught.get(timeout=10)
    assert [process.pid for process in node.family()] == family
