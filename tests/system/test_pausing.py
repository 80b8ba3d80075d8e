"""Queues and task types that are paused while a fleet works: at once, on all nodes, without a loss."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial

import pytest

from system.fleet import Fleet
from system.patience import eventually
from system.processes import send
from system.redis_server import RedisServer

TASK = "jobs.late"


def keys(prefix: str, count: int) -> list[tuple[str]]:
    return [(f"{prefix}{number}",) for number in range(count)]


def test_a_paused_queue_stands_still_on_all_nodes_and_goes_on_within_a_second(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.start("-c", "2")
    fleet.send_many("late", keys("before", 20)).get(timeout=10)

    fleet.client.store.pause(queues=["celery"])
    sent = fleet.send_many("late", keys("after", 20))
    eventually(lambda: fleet.client.store.depth(["celery"]) == [20], what="all of them wait")
    fleet.start("-c", "2")  # one that knows nothing yet
    begun = fleet.times("begin").total()
    began_at = time.monotonic()
    fleet.client.store.resume(queues=["celery"])
    sent.get(timeout=10)

    assert begun == 20
    assert time.monotonic() - began_at < 1.0


def test_a_paused_type_lets_others_pass_and_comes_back_in_its_order(fleet: Fleet) -> None:
    fleet.start("-c", "1")
    fleet.client.store.pause(tasks=[TASK])
    paused = fleet.send_many("late", keys("paused", 300))

    fleet.send_many("early", keys("other", 10)).get(timeout=10)
    parked = dict(fleet.client.store.parked())
    begun = fleet.times("begin")
    fleet.client.store.resume(tasks=[TASK])
    paused.get(timeout=20)

    assert (parked, begun.keys() & {"paused0"}) == ({TASK: 300}, set())
    order = [key for what, key, _ in fleet.entries() if what == "begin" and key.startswith("paused")]
    assert order == [key for (key,) in keys("paused", 300)]


@pytest.mark.parametrize("kill", [None, signal.SIGKILL], ids=["calm", "killed"])
def test_nothing_is_lost_while_a_type_is_paused_and_resumed_again_and_again(fleet: Fleet, kill: signal.Signals | None) -> None:
    nodes = [fleet.start("-c", "2") for _ in range(2)]
    sent = fleet.send_many("late", keys("task", 1500))
    store = fleet.client.store

    for turn in range(8):
        store.pause(tasks=[TASK])
        eventually(partial(has_parked, fleet), what="something is parked, or all is done")
        if kill is not None and turn % 3 == 0:
            for pid in nodes[turn % 2].children()[:1]:
                send(pid, kill)
        store.resume(tasks=[TASK])
    ids = [result.id for result in sent.results]
    eventually(lambda: fleet.states(ids)["SUCCESS"] == 1500, within_s=30, what="all have run")

    ran = fleet.times("end")
    assert len(ran) == 1500
    if kill is None:
        assert set(ran.values()) == {1}
    assert store.parked() == {}


def has_parked(fleet: Fleet) -> bool:
    return bool(fleet.client.store.parked()) or fleet.client.store.depth(["celery"]) == [0]


def test_pauses_survive_every_node_and_a_restart_of_the_server(fleets: Callable[..., Fleet], redis_server: RedisServer) -> None:
    fleet = fleets(redis_server.url)
    node = fleet.start("-c", "1")
    fleet.client.store.pause(tasks=[TASK], queues=["other"])
    sent = fleet.send("late", "a")
    eventually(lambda: fleet.client.store.parked() == {TASK: 1}, what="it is put aside")

    node.stop()
    redis_server.stop()
    redis_server.start()
    fleet.start("-c", "1")
    fleet.send("early", "b").get(timeout=10)

    rules = fleet.client.store.rules()
    assert rules.paused_queues == {"other"}
    assert rules.paused_tasks == {TASK}
    assert fleet.client.store.parked() == {TASK: 1}
    fleet.client.store.resume(tasks=[TASK])
    assert sent.get(timeout=10) == "a"
