"""The processes of a node: how they begin, how many there are, and which of them is ended for which task."""

from __future__ import annotations

import signal
import time

import pytest

from celeriac import AsyncResult, states
from system.fleet import Fleet, Node
from system.patience import eventually
from system.processes import send


def number_of_children(node: Node) -> int:
    return len(node.children())


@pytest.mark.parametrize("words", [("-P", "prefork", "-c", "2"), ("-P", "threads", "-c", "3", "--processes", "2")], ids=" ".join)
def test_children_of_fresh_interpreters_work_die_and_stop_like_forked_ones(local_fleet: Fleet, words: tuple[str, ...]) -> None:
    node = local_fleet.start(*words, "--pool-start-method", "spawn")
    family = {process.pid for process in node.family()}

    assert [result.get(timeout=20) for result in local_fleet.send_many("add", [(n, n) for n in range(20)])] == [
        2 * n for n in range(20)
    ]
    late = local_fleet.send("late", "a", 3.0)
    eventually(lambda: local_fleet.has_begun("a"), what="it runs")
    [(_, _, pid)] = local_fleet.entries()
    send(pid, signal.SIGKILL)

    assert late.get(timeout=20) == "a"
    assert (local_fleet.times("begin")["a"], pid in family) == (2, True)
    assert node.stop() == 0


def test_children_of_fresh_interpreters_end_with_their_node(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "2", "--pool-start-method", "spawn")

    node.kill()

    node.wait_until_gone()


def test_more_children_come_when_there_is_more_to_do_and_go_when_there_is_not(local_fleet: Fleet) -> None:
    node = local_fleet.start("--autoscale", "4,1", AUTOSCALE_KEEPALIVE="1.5")
    assert number_of_children(node) == 1

    naps = local_fleet.send_many("early", [(str(n), 2.0) for n in range(8)])

    eventually(lambda: number_of_children(node) == 4, what="four children")
    assert naps.get(timeout=30) == [str(n) for n in range(8)]
    eventually(lambda: number_of_children(node) == 1, what="one child again")
    assert set(local_fleet.times("begin").values()) == {1}


def test_a_child_that_has_grown_too_large_is_replaced_between_two_tasks(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "1", "--max-memory-per-child", "+50000")
    [first] = node.children()

    assert local_fleet.send("hold", 1).get(timeout=15) == first
    assert local_fleet.send("hold", 1).get(timeout=15) == first
    grown = local_fleet.send("hold", 100).get(timeout=15)
    after = eventually(lambda: [pid for pid in node.children() if pid != first], what="another child")

    assert (grown, local_fleet.send("hold", 1).get(timeout=15)) == (first, after[0])


def test_a_pool_that_is_restarted_replaces_its_children_and_runs_no_task_twice(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "2", "worker_pool_restarts=true")
    before = set(node.children())
    busy = local_fleet.send("early", "busy", 2.0)
    eventually(lambda: local_fleet.has_begun("busy"), what="it runs")

    local_fleet.client.control.pool_restart()

    assert busy.get(timeout=15) == "busy"
    eventually(lambda: len(node.children()) == 2 and not before & set(node.children()), what="two other children")
    assert local_fleet.times("begin") == {"busy": 1}


@pytest.mark.parametrize("words", [("-P", "prefork", "-c", "3"), ("-P", "threads", "-c", "3")], ids=" ".join)
def test_of_many_short_tasks_only_those_are_ended_that_were_named(fleet: Fleet, words: tuple[str, ...]) -> None:
    # Each is named while it runs, or just before or after; whoever took the process for the task would hit its neighbours.
    node = fleet.start(*words)
    named = [fleet.send("early", f"named-{n}", 0.05) for n in range(30)]
    others: list[AsyncResult[object]] = []
    for result in named:
        others.append(fleet.send("early", f"other-{len(others)}", 0.03))
        result.revoke(terminate=True)
        time.sleep(0.02)

    ends = eventually(
        lambda: None if states.PENDING in (found := fleet.states([result.id for result in others])) else found,
        what="all others ended",
    )

    assert ends == {states.SUCCESS: len(others)}
    assert {fleet.times("begin")[f"other-{n}"] for n in range(len(others))} == {1}
    assert node.process.poll() is None
