"""A rate limit is that of a node, whichever of its children begins a run; who waits for his turn is in nobody's way."""

from __future__ import annotations

import time

from system.fleet import Fleet, Node
from system.patience import eventually
from system.processes import pss_kib

RATE = 40
SECONDS = 5.0


def memory_kib(node: Node) -> int:
    return sum(pss_kib(process.pid) for process in node.family())


def test_four_children_keep_the_rate_of_their_node_and_others_go_on(fleet: Fleet) -> None:
    fleet.start("-c", "4")
    fleet.send_many("limited", [(number,) for number in range(1000)], ignore_result=True)

    others = fleet.send_many("early", [(f"other-{number}",) for number in range(100)])
    others.get(timeout=5)
    begun, began_at = fleet.times("limited").total(), time.monotonic()
    eventually(lambda: time.monotonic() - began_at >= SECONDS, what="the time has passed")
    later, took_s = fleet.times("limited").total(), time.monotonic() - began_at

    assert 0.9 < (later - begun) / (RATE * took_s) < 1.1
    assert fleet.times("limited").most_common(1)[0][1] == 1

    fleet.client.control.rate_limit("jobs.limited", "0", reply=True, timeout=5)
    eventually(lambda: fleet.times("limited").total() == 1000, within_s=10, what="without a limit all of them have run")


def test_what_waits_for_its_turn_costs_a_node_no_memory(fleet: Fleet) -> None:
    node = fleet.start("-c", "2", "-P", "prefork")
    fleet.send_many("early", [(number,) for number in range(1000)]).get(timeout=20)
    before = memory_kib(node)

    fleet.send_many("limited", [(number,) for number in range(20_000)], ignore_result=True)
    store = fleet.client.store
    eventually(lambda: store.depth(["celery"])[0] < 10, within_s=20, what="nearly all of it is put aside")
    after = memory_kib(node)

    assert store.parked()["jobs.limited"] > 18_000
    # A batch or two, and what SQLite keeps of its file: not 20,000 messages of a kilobyte.
    assert after - before < 8_000
