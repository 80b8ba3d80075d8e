"""A lease is held by a living node, not by a clock: what is frozen loses it, what merely takes long does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from system.fleet import Fleet
from system.patience import eventually

LEASE_S = 3.0
SHORT_LEASE_S = 1.5


def test_a_frozen_nodes_task_runs_once_more_elsewhere_and_its_own_settlement_is_refused(fleet: Fleet) -> None:
    frozen = fleet.start("-c", "1")
    result = fleet.send("pid_after", "task", str(fleet.folder / "go"))
    eventually(partial(fleet.has_begun, "task"), what="the first run")
    [first] = frozen.children()

    frozen.freeze()
    second = fleet.start("-c", "1")
    eventually(partial(fleet.has_begun, "task", 2), within_s=4 * LEASE_S, what="the second run")
    (fleet.folder / "go").touch()
    value = result.get(timeout=10)
    frozen.thaw()
    frozen.wait_for_line("came too late")
    fleet.send_many("early", [(f"after-{i}", 0.01) for i in range(50)]).get(timeout=10)

    assert [value] == second.children()
    assert fleet.client.AsyncResult(result.id).get(timeout=1) == value != first
    assert fleet.times("begin")["task"] == 2
    assert fleet.dead_letters() == []


def test_a_frozen_nodes_early_acked_task_never_runs_again(fleet: Fleet) -> None:
    frozen = fleet.start("-c", "1")
    result = fleet.send("early", "task", 1.0)
    eventually(partial(fleet.has_begun, "task"), what="the first run")

    frozen.freeze()
    fleet.start("-c", "1")
    error = result.get(timeout=6 * LEASE_S, propagate=False)
    frozen.thaw()
    frozen.wait_for_line("came too late")

    assert type(error).__name__ == "WorkerLostError"
    assert fleet.times("begin")["task"] == 1
    [letter] = fleet.dead_letters()
    assert (letter.task_id, letter.reason) == (result.id, "worker-lost")
    assert fleet.client.AsyncResult(result.id).failed()


def test_a_thawed_node_works_on(fleet: Fleet) -> None:
    node = fleet.start("-c", "2")
    other = fleet.start("-c", "1")

    node.freeze()
    eventually(partial(_forgotten, fleet), within_s=4 * LEASE_S, what="its lease has ended")
    node.thaw()
    other.stop()

    assert fleet.send("add", 1, 1).get(timeout=10) == 2


def _forgotten(fleet: Fleet) -> bool:
    return [record.node for record in fleet.client.store.nodes()] == ["node1@here"]


def test_a_task_of_four_leases_runs_once_while_its_node_lives(fleets: Callable[..., Fleet], url: str) -> None:
    fleet = fleets(url, lease_s=SHORT_LEASE_S)
    fleet.start("-c", "1")
    fleet.start("-c", "1")

    value = fleet.send("late", "long", 4 * SHORT_LEASE_S).get(timeout=6 * SHORT_LEASE_S)

    assert value == "long"
    assert fleet.times("begin")["long"] == 1
