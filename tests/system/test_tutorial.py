"""The examples of a first Celery tutorial, with another import, against a real worker."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from celeriac import TaskRevokedError, states
from celeriac.core.errors import MaxRetriesExceededError
from system.fleet import Fleet
from system.patience import eventually

POOLS = (("prefork", "2"), ("threads", "4"), ("asyncio", "10"), ("solo", "1"))


def test_a_program_as_it_is_printed_in_tutorials_works(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    result = fleet.send("add", 4, 4)
    value = result.get(timeout=5)

    assert value == 8
    assert result.ready()
    assert result.successful()
    assert result.state == states.SUCCESS
    assert fleet.client.AsyncResult(result.id).result == 8


def test_an_exception_of_a_task_is_raised_where_its_result_is_asked_for(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    result = fleet.send("fail", "no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        result.get(timeout=5)
    error = result.get(timeout=5, propagate=False)
    assert isinstance(error, ValueError)
    assert error.args == ("no such thing",)
    assert result.failed()
    assert "raise ValueError(text)" in (result.traceback or "")


def test_a_forgotten_result_is_pending_again(fleet: Fleet) -> None:
    fleet.start("-c", "1")
    result = fleet.send("add", 1, 1)
    result.get(timeout=5)

    result.forget()

    assert fleet.client.AsyncResult(result.id).state == states.PENDING


def test_states_of_a_tasks_own_are_heard_while_it_runs(fleet: Fleet) -> None:
    fleet.start("-c", "1")
    heard: list[dict[str, Any]] = []

    result = fleet.send("progress", 3)
    value = result.get(timeout=10, on_message=heard.append)

    assert value == 3
    progress = [body["result"]["current"] for body in heard if body["status"] == "PROGRESS"]
    assert progress
    assert progress == sorted(progress)
    assert heard[-1]["status"] == states.SUCCESS


def test_a_countdown_delays_and_nothing_waits_behind_it(fleet: Fleet) -> None:
    fleet.start("-c", "1")
    began = time.monotonic()

    delayed = fleet.send("add", 1, 1, countdown=1)
    at_once = fleet.send("add", 2, 2).get(timeout=5)
    early = delayed.ready()
    value = delayed.get(timeout=5)

    assert (at_once, early, value) == (4, False, 2)
    assert 1.0 <= time.monotonic() - began < 2.0


def test_an_expired_task_is_revoked(fleet: Fleet) -> None:
    result = fleet.send("early", "expired", expires=0.05)
    time.sleep(0.1)

    fleet.start("-c", "1")

    with pytest.raises(TaskRevokedError):
        result.get(timeout=5)
    assert result.state == states.REVOKED
    assert not fleet.entries()


def test_a_queue_is_served_by_those_who_were_told_to(fleet: Fleet) -> None:
    default, other = fleet.start("-c", "1"), fleet.start("-c", "1", "-Q", "video,audio")

    results = [fleet.send("early", queue, queue=queue) for queue in ("celery", "video", "audio")]
    for result in results:
        result.get(timeout=5)

    served = {key: pid for what, key, pid in fleet.entries() if what == "end"}
    assert {key for key, pid in served.items() if pid in default.children()} == {"celery"}
    assert {key for key, pid in served.items() if pid in other.children()} == {"video", "audio"}


def test_retries_come_to_their_end_both_ways(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    enough, too_many = fleet.send("flaky", 2), fleet.send("flaky", 9)

    assert enough.get(timeout=10) == 2
    with pytest.raises(MaxRetriesExceededError):
        too_many.get(timeout=10)


def test_named_exceptions_are_retried_by_themselves(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    result = fleet.send("stumble", "stumble")

    assert result.get(timeout=10) == "third time"
    assert fleet.times("begin")["stumble"] == 3


@pytest.mark.parametrize(("pool", "slots"), POOLS)
def test_coroutines_and_functions_run_in_every_pool(fleet: Fleet, pool: str, slots: str) -> None:
    node = fleet.start("-P", pool, "-c", slots)

    thoughts = fleet.send_many("think", [(i,) for i in range(20)])
    sums = fleet.send_many("add", [(i, i) for i in range(20)])

    assert thoughts.get(timeout=10) == [2 * i for i in range(20)]
    assert sums.get(timeout=10) == [2 * i for i in range(20)]
    assert node.stop() == 0


def test_results_that_are_ignored_are_not_kept(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    ignored = fleet.send("early", "ignored", ignore_result=True)
    eventually(lambda: fleet.times("end")["ignored"], what="the task has run")
    fleet.send("add", 1, 1).get(timeout=5)

    assert fleet.client.AsyncResult(ignored.id).state == states.PENDING


def test_a_result_is_awaited_on_an_event_loop(fleet: Fleet) -> None:
    fleet.start("-c", "2")

    async def program() -> list[Any]:
        results = await asyncio.gather(*(fleet.client.signature("jobs.think", args=(i,)).adelay() for i in range(20)))
        first = await results[0]
        return [first, *[await result.aget(timeout=10) for result in results[1:]]]

    assert asyncio.run(program()) == [2 * i for i in range(20)]


def test_waiting_for_a_result_ends_when_it_was_told_to(fleet: Fleet) -> None:
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        fleet.send("add", 1, 1).get(timeout=0.3)

    assert 0.3 <= time.monotonic() - began < 1.0


def test_what_was_revoked_before_it_started_never_starts(fleet: Fleet) -> None:
    result = fleet.send("early", "revoked")
    result.revoke()

    node = fleet.start("-c", "1")

    with pytest.raises(TaskRevokedError):
        result.get(timeout=5)
    assert node.stop() == 0
    assert not fleet.entries()


def test_a_revocation_outlives_every_worker(fleet: Fleet) -> None:
    first = fleet.start("-c", "1")
    result = fleet.send("early", "revoked", countdown=2)
    result.revoke()
    first.stop()

    fleet.start("-c", "1")

    with pytest.raises(TaskRevokedError):
        result.get(timeout=10)
    assert not fleet.entries()


def test_a_group_of_a_thousand_is_joined_in_order(fleet: Fleet) -> None:
    fleet.start("-c", "2")

    values = fleet.send_many("add", [(i, i) for i in range(1000)]).get(timeout=30)

    assert values == [2 * i for i in range(1000)]
