"""A fleet is steered while it works: nodes answer whatever their children do, and what they are told holds at once."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest

from celeriac import TaskRevokedError, TimeLimitExceeded
from system.fleet import Fleet
from system.patience import eventually

redis = pytest.importorskip("redis")

AT_ONCE_S = 0.1
"""A node answers within this, says the contract; it is asked a few times, since the test's machine has other things to do."""
WAIT_S = 10.0


def ask(fleet: Fleet, command: str, node: str = "node0", **arguments: Any) -> Any:
    """Return the answer of one node."""
    name = f"{node}@here"
    answers = fleet.client.control.broadcast(command, arguments, destination=[name], reply=True, timeout=WAIT_S)
    assert answers, f"{name} did not answer {command}"
    return answers[0][name]


def test_a_node_whose_children_are_all_busy_answers_at_once(fleet: Fleet) -> None:
    fleet.start("-c", "2")
    for key in ("a", "b"):
        fleet.send("spin", key, 30.0, task_id=key)
    eventually(lambda: fleet.has_begun("a") and fleet.has_begun("b"), what="both children are busy")
    took = []

    for _ in range(10):
        began = time.perf_counter()
        active = ask(fleet, "active")
        took.append(time.perf_counter() - began)

    assert {info["id"] for info in active} == {"a", "b"}
    assert {info["worker_pid"] for info in active} == {pid for _, _, pid in fleet.entries()}
    assert all(info["name"] == "jobs.spin" and info["hostname"] == "node0@here" for info in active)
    assert sorted(took)[len(took) // 2] < AT_ONCE_S
    assert ask(fleet, "query_task", ids=["a", "nobody"])["a"][0] == "active"
    assert ask(fleet, "terminate", signal="SIGKILL", task_id=["a", "b"]) == {"ok": "terminate: a, b"}


def test_only_the_task_that_is_named_is_terminated_and_its_neighbours_go_on(fleet: Fleet) -> None:
    fleet.start("-c", "3")
    ids = ["a", "b", "c"]
    results = {id: fleet.send("early", id, 2.0, task_id=id) for id in ids}
    eventually(lambda: all(fleet.has_begun(id) for id in ids), what="all three run")

    results["b"].revoke(terminate=True, wait=True, timeout=1.0)

    with pytest.raises(TaskRevokedError, match="terminated"):
        results["b"].get(timeout=WAIT_S)
    assert [results[id].get(timeout=WAIT_S) for id in ("a", "c")] == ["a", "c"]
    assert ask(fleet, "terminate", signal="TERM", task_id="b") == {"ok": "terminate: tasks unknown"}


def test_what_is_revoked_before_it_starts_never_does_also_on_a_node_that_starts_later(fleet: Fleet) -> None:
    node = fleet.start("-c", "1")
    fleet.send("early", "first", 0.5)
    eventually(lambda: fleet.has_begun("first"), what="the child is busy")
    by_id = fleet.send("early", "by-id")
    by_stamp = fleet.client.signature("jobs.early", args=("by-stamp",)).stamp(team="red").apply_async()

    fleet.client.control.revoke(by_id.id)
    assert ask(fleet, "revoke_by_stamped_headers", headers={"team": ["red"]})["ok"].endswith(
        "flagged as revoked, but not terminated"
    )
    assert by_id.id in ask(fleet, "revoked")
    node.destroy()
    fleet.start("-c", "1")

    for result in (by_id, by_stamp):
        with pytest.raises(TaskRevokedError):
            result.get(timeout=WAIT_S + 5)
    assert fleet.send("early", "last").get(timeout=WAIT_S) == "last"
    assert not fleet.has_begun("by-id")
    assert not fleet.has_begun("by-stamp")


def test_a_state_file_remembers_what_was_revoked_when_the_store_has_forgotten_it(local_fleet: Fleet) -> None:
    file = local_fleet.folder / "node.state"
    words = ("-c", "1", "--statedb", str(file))
    node = local_fleet.start(*words)
    local_fleet.client.control.revoke("a", destination=["node0@here"], reply=True, timeout=WAIT_S)
    assert node.stop() == 0
    assert b'"a"' in file.read_bytes()
    with closing(sqlite3.connect(local_fleet.url.removeprefix("sqlite:///"))) as db, db:
        db.execute("DELETE FROM revocation")

    local_fleet.start(*words)

    assert ask(local_fleet, "revoked", node="node1") == ["a"]


def test_what_waits_for_its_date_is_told_the_earliest_first(fleet: Fleet) -> None:
    fleet.start("-c", "1")
    for key, countdown in (("later", 3600), ("soon", 600)):
        fleet.send("early", key, countdown=countdown, task_id=key)
    fleet.send("early", "elsewhere", countdown=60, queue="other")

    told = ask(fleet, "scheduled")

    assert [(each["request"]["id"], each["request"]["args"]) for each in told] == [("soon", ["soon"]), ("later", ["later"])]
    assert told[0]["eta"] < told[1]["eta"]
    assert ask(fleet, "query_task", ids=["soon"])["soon"][0] == "scheduled"
    assert ask(fleet, "reserved") == []


def test_limits_that_are_set_by_command_hold_for_what_begins_from_then_on(local_fleet: Fleet) -> None:
    local_fleet.start("-c", "1")

    assert ask(local_fleet, "time_limit", task_name="jobs.spin", hard=0.3) == {"ok": "time limits set successfully"}

    with pytest.raises(TimeLimitExceeded):
        local_fleet.send("spin", "a", 60.0).get(timeout=WAIT_S)
    ask(local_fleet, "time_limit", task_name="jobs.spin")
    assert local_fleet.send("spin", "b", 0.6).get(timeout=WAIT_S) is None


def test_queues_come_and_go_while_a_node_works(fleet: Fleet) -> None:
    fleet.start("-c", "1")
    held = fleet.send("add", 1, 2, queue="other")

    assert ask(fleet, "add_consumer", queue="other", queue_arguments={"x-max-priority": 10}) == {"ok": "add consumer other"}
    assert held.get(timeout=WAIT_S) == 3
    assert [queue["name"] for queue in ask(fleet, "active_queues")] == ["celery", "other"]
    eventually(lambda: fleet.client.store.nodes()[0].info["queues"] == ["celery", "other"], what="the store knows")

    for queue in ("other", "celery"):
        assert ask(fleet, "cancel_consumer", queue=queue) == {"ok": f"no longer consuming from {queue}"}
    left = eventually(lambda: left_behind(fleet), what="children that have heard of it")
    assert ask(fleet, "ping") == {"ok": "pong"}
    ask(fleet, "add_consumer", queue="celery")
    assert left.get(timeout=WAIT_S) == 4


def left_behind(fleet: Fleet) -> Any:
    """Send a task; return it if nobody takes it. Children hear of new orders a moment after the node has answered."""
    sent = fleet.send("add", 2, 2)
    try:
        sent.get(timeout=0.5)
    except TimeoutError:
        return sent
    return None


def shown_slots(fleet: Fleet) -> list[int]:
    """Return what ``status`` says of each node."""
    return [node["concurrency"] for node in json.loads(fleet.celeriac("status", "--json").stdout).values()]


def test_a_pool_grows_shrinks_and_is_replaced(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "1", "worker_pool_restarts=true")
    [first] = node.children()

    ask(local_fleet, "pool_grow", n=2)
    eventually(lambda: len(node.children()) == 3, what="three children")
    assert ask(local_fleet, "stats")["pool"]["max-concurrency"] == 3
    eventually(lambda: shown_slots(local_fleet) == [3], what="a node that is shown with three slots")
    ask(local_fleet, "pool_shrink", n=2)
    eventually(lambda: len(node.children()) == 1, what="one child")
    ask(local_fleet, "pool_restart")
    eventually(lambda: len(node.children()) == 1 and first not in node.children(), what="another child")

    assert "error" in ask(local_fleet, "pool_shrink", n=1)
    assert "error" in ask(local_fleet, "pool_shrink", n=-1)
    assert "error" in ask(local_fleet, "pool_grow", n=-1)
    assert "error" in ask(local_fleet, "pool_grow", n=1.5)
    assert ask(local_fleet, "autoscale", max=4, min=1) == {"error": "ValueError('Autoscale not enabled')"}


def test_bounds_that_cannot_be_kept_are_refused_and_the_node_goes_on(local_fleet: Fleet) -> None:
    local_fleet.start("--autoscale", "2,1")

    assert "error" in ask(local_fleet, "autoscale", max=50_000, min=1)
    assert "error" in ask(local_fleet, "autoscale", max=2.5, min=1)

    assert "ok" in ask(local_fleet, "autoscale", max=3, min=2)


def test_a_node_tells_what_it_is_and_hides_its_secrets(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "2", "redis_password=hunter2")
    assert local_fleet.send("add", 1, 2).get(timeout=WAIT_S) == 3
    assert local_fleet.send("add", 1, 2).get(timeout=WAIT_S) == 3

    stats = eventually(lambda: (told := ask(local_fleet, "stats"))["total"] and told, what="tasks are counted")
    said = str([ask(local_fleet, "conf", with_defaults=True), ask(local_fleet, "report"), stats])

    assert stats["total"] == {"jobs.add": 2}
    assert (stats["pid"], sorted(stats["pool"]["processes"])) == (node.pid, sorted(node.children()))
    assert "hunter2" not in said
    assert ask(local_fleet, "conf")["redis_password"] == "********"
    assert "jobs.add" in ask(local_fleet, "registered")
    assert ask(local_fleet, "registered", taskinfoitems=["max_retries"])[0].endswith("[max_retries=3]")


def test_a_command_stops_a_node_warmly_and_only_the_one_it_is_for(local_fleet: Fleet) -> None:
    one, other = local_fleet.start("-c", "1"), local_fleet.start("-c", "1")
    names = [f"{node.name}@here" for node in (one, other)]
    assert sorted(next(iter(each)) for each in local_fleet.client.control.ping(timeout=WAIT_S, limit=2)) == names

    local_fleet.client.control.shutdown(destination=[names[0]])

    assert one.process.wait(WAIT_S) == 0
    assert [next(iter(each)) for each in local_fleet.client.control.ping(timeout=WAIT_S, destination=names[1:])] == names[1:]


def test_a_node_without_remote_control_is_deaf(local_fleet: Fleet) -> None:
    local_fleet.start("-c", "1", "worker_enable_remote_control=false")

    assert local_fleet.client.control.ping(timeout=0.3) == []
    assert local_fleet.send("add", 1, 2).get(timeout=WAIT_S) == 3


@pytest.mark.parametrize("pool", ["solo", "threads", "asyncio"])
def test_every_pool_is_steered(local_fleet: Fleet, pool: str) -> None:
    node = local_fleet.start("-P", pool, "-c", "2")
    result = local_fleet.send("naps", "a", 20.0, task_id="a")
    eventually(lambda: local_fleet.has_begun("a"), what="it runs")

    [info] = ask(local_fleet, "active")
    assert (info["id"], info["worker_pid"]) == ("a", local_fleet.entries()[0][2])
    assert ask(local_fleet, "terminate", signal="SIGTERM", task_id="a") == {"ok": "terminate: a"}

    with pytest.raises(TaskRevokedError, match="terminated"):
        result.get(timeout=WAIT_S)
    local_fleet.client.control.shutdown()
    assert node.process.wait(WAIT_S) == 0


def test_a_node_hears_again_after_its_server_was_away(fleets: Any, redis_server: Any) -> None:
    fleet = fleets(redis_server.url)
    fleet.start("-c", "1")
    assert ask(fleet, "ping") == {"ok": "pong"}

    redis_server.kill()
    redis_server.start()

    eventually(lambda: fleet.client.control.ping(timeout=0.3), what="the node hears", within_s=15)


def test_a_command_for_a_node_costs_a_store_nothing_afterwards(fleets: Any, redis_server: Any) -> None:
    fleet = fleets(redis_server.url)
    fleet.start("-c", "1")
    for _ in range(20):
        ask(fleet, "ping")

    with closing(redis.Redis.from_url(redis_server.url)) as client:
        left = [key for key in client.scan_iter() if b"pidbox" in key or b"binding" in key]
    assert left == []
