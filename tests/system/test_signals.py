"""Every signal of a worker's life and of its tasks: in a real worker, at its moment, from its process, with its arguments."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from celeriac.core.message import Outgoing, Parcel
from system.fleet import Fleet, Node
from system.patience import eventually


class Ear:
    """Reads what the workers of a fleet have heard."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def all(self, name: str) -> list[dict[str, Any]]:
        """Return what was heard of a signal."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [line for line in map(json.loads, lines) if line["signal"] == name]

    def wait_for(self, name: str, count: int = 1, *, within_s: float = 10.0) -> list[dict[str, Any]]:
        """Wait until a signal was heard so often; return each."""
        return eventually(
            lambda: self.all(name) if len(self.all(name)) >= count else None, within_s=within_s, what=f"{count} of {name}"
        )

    def order(self, *names: str) -> list[str]:
        """Return the names of the signals that were heard, of these."""
        return [json.loads(line)["signal"] for line in self.file.read_text().splitlines() if json.loads(line)["signal"] in names]


@pytest.fixture
def ear(tmp_path: Path) -> Ear:
    return Ear(tmp_path / "heard")


@pytest.fixture
def start(local_fleet: Fleet, ear: Ear) -> Callable[..., Node]:
    """Give a function that starts a worker that listens."""

    def begin(*words: str) -> Node:
        return local_fleet.start("-I", "listening", *words, LISTENING_TO=str(ear.file))

    return begin


def test_the_life_of_a_worker_is_told_from_the_node(start: Callable[..., Node], ear: Ear) -> None:
    node = start("-c", "1")
    heartbeats = ear.wait_for("heartbeat_sent", 2)
    node.stop()

    [init], [after], [ready] = (ear.all(name) for name in ("celeryd_init", "celeryd_after_setup", "worker_ready"))
    [begins], [stopping], [ended] = (ear.all(name) for name in ("worker_init", "worker_shutting_down", "worker_shutdown"))
    name = ["str", "node0@here"]
    assert init["sender"] == after["sender"] == stopping["sender"] == name
    assert init["named"]["instance"] == after["named"]["instance"] == ["Worker", "<Worker: node0@here>"]
    assert (init["named"]["conf"][0], after["named"]["conf"][0], init["named"]["options"][0]) == ("Conf", "Conf", "dict")
    assert begins["sender"] == ended["sender"] == ["Worker", "<Worker: node0@here>"]
    assert (ready["sender"][0], heartbeats[0]["sender"][0]) == ("Consumer", "Herald")
    assert stopping["named"] == {"sig": ["str", "SIGTERM"], "how": ["str", "Warm"], "exitcode": ["int", "0"]}
    assert {each["pid"] for each in (init, after, begins, ready, stopping, ended, *heartbeats)} == {node.pid}


def test_the_moments_of_a_start_come_in_order(start: Callable[..., Node], ear: Ear) -> None:
    node = start("-c", "1")
    node.stop()

    moments = ("celeryd_init", "worker_init", "after_setup_logger", "after_setup_task_logger", "celeryd_after_setup")
    later = ("worker_before_create_process", "worker_process_init", "worker_ready", "worker_process_shutdown", "worker_shutdown")
    assert ear.order(*moments, *later) == [*moments, *later]


@pytest.mark.parametrize("pool", ["prefork", "threads", "asyncio"])
def test_the_life_of_a_child_is_told_from_the_child(start: Callable[..., Node], ear: Ear, pool: str) -> None:
    node = start("-c", "1", "-P", pool)
    [child], template = node.children(), node.template()
    node.stop()

    [made], [begins], [ends] = (
        ear.all(name) for name in ("worker_before_create_process", "worker_process_init", "worker_process_shutdown")
    )
    assert (made["pid"], begins["pid"], ends["pid"]) == (template, child, child)
    assert begins["sender"] == ends["sender"] == ["str", "node0@here"]
    assert ends["named"] == {"pid": ["int", str(child)], "exitcode": ["int", "0"]}


def test_a_solo_worker_tells_all_of_it_from_its_one_process(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    node = start("-P", "solo")
    local_fleet.send("add", 1, 1).get(timeout=10)
    ear.wait_for("heartbeat_sent")
    node.stop()

    names = ("worker_process_init", "worker_ready", "task_success", "worker_process_shutdown", "worker_shutting_down")
    heard = [ear.all(name) for name in (*names, "worker_shutdown")]
    assert [(len(each), each[0]["pid"]) for each in heard] == [(1, node.pid)] * 6


def test_a_cold_stop_is_told_as_one(start: Callable[..., Node], ear: Ear) -> None:
    node = start("-c", "1")

    node.stop(signal.SIGQUIT)

    [stopping] = ear.all("worker_shutting_down")
    assert stopping["named"] == {"sig": ["str", "SIGQUIT"], "how": ["str", "Cold"], "exitcode": ["int", "1"]}


def test_a_run_that_succeeds_is_told_with_its_result(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    node = start("-c", "1")

    result = local_fleet.send("add", 2, 3)
    result.get(timeout=10)

    [received], [before] = ear.wait_for("task_received"), ear.wait_for("task_prerun")
    [success], [after] = ear.wait_for("task_success"), ear.wait_for("task_postrun")
    assert received["sender"] == ["Consumer", "<Consumer: node0@here>"]
    assert received["named"]["request"] == ["ReceivedRequest", "jobs.add"]
    common = {"task_id": ["str", result.id], "args": ["list", "[2, 3]"], "kwargs": ["dict", "{}"]}
    assert before["named"] == common | {"task": ["Task", "jobs.add"]}
    assert after["named"] == before["named"] | {"retval": ["int", "5"], "state": ["str", "SUCCESS"]}
    assert success["named"]["result"] == ["int", "5"]
    assert success["named"]["runtime"][0] == "float"
    assert before["sender"] == after["sender"] == success["sender"] == ["Task", "jobs.add"]
    assert {each["pid"] for each in (received, before, success, after)} == set(node.children())


def test_a_run_that_fails_is_told_with_its_error(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    start("-c", "1")

    result = local_fleet.send("fail", "broken")

    [failure], [after] = ear.wait_for("task_failure"), ear.wait_for("task_postrun")
    named = failure["named"]
    assert set(named) == {"task_id", "exception", "args", "kwargs", "traceback", "einfo"}
    assert (named["task_id"][1], named["exception"]) == (result.id, ["ValueError", "broken"])
    assert (named["args"][1], named["traceback"][0]) == ("['broken']", "traceback")
    assert named["einfo"][1].splitlines()[-1] == "ValueError: broken"
    assert after["named"]["state"] == ["str", "FAILURE"]


def test_a_retry_is_told_with_its_reason(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    start("-c", "1")

    local_fleet.send("flaky", 1).get(timeout=10)

    [again] = ear.wait_for("task_retry")
    assert set(again["named"]) == {"request", "reason", "einfo"}
    assert again["named"]["request"][0] == "Context"
    assert again["named"]["reason"][0] == "Retry"


def test_a_task_that_comes_too_late_is_told_as_revoked(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    start("-c", "1")

    local_fleet.send("add", 1, 1, expires=-1)

    [revoked] = ear.wait_for("task_revoked")
    assert revoked["sender"] == ["Task", "jobs.add"]
    assert revoked["named"]["request"][0] == "Context"
    assert {key: revoked["named"][key][1] for key in ("terminated", "signum", "expired")} == {
        "terminated": "False",
        "signum": "None",
        "expired": "True",
    }
    assert ear.all("task_received") == []


def test_a_message_for_nobody_is_told_as_unknown(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    start("-c", "1")

    result = local_fleet.send("nothing_of_this_name")

    [unknown] = ear.wait_for("task_unknown")
    assert unknown["sender"][0] == "Consumer"
    assert unknown["named"]["name"] == ["str", "jobs.nothing_of_this_name"]
    assert unknown["named"]["id"] == ["str", result.id]
    assert (unknown["named"]["exc"][0], unknown["named"]["message"][0]) == ("NotRegistered", "RawMessage")


def test_a_message_that_cannot_be_read_is_told_as_rejected(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    start("-c", "1")
    headers = {"task": "jobs.add", "id": "x"}
    parcel = Parcel(body=b"not JSON", content_type="application/json", content_encoding="utf-8", headers=headers)

    local_fleet.client.store.publish([Outgoing(parcel=parcel, queue="celery", routing_key="celery")], deadline_s=5)

    [rejected] = ear.wait_for("task_rejected")
    assert rejected["sender"][0] == "Consumer"
    assert (rejected["named"]["exc"][0], rejected["named"]["message"][0]) == ("DecodeError", "RawMessage")
    assert "not JSON" in rejected["named"]["message"][1]


def test_a_task_that_rejects_its_message_for_good_has_failed(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    start("-c", "1")

    local_fleet.client.send_task("listening.refuse")

    [failure] = ear.wait_for("task_failure")
    assert failure["named"]["exception"][0] == "Reject"


@pytest.mark.parametrize(("task", "error"), [("over_the_hard_limit", "TimeLimitExceeded"), ("poison_early", "WorkerLostError")])
def test_a_task_whose_process_is_gone_is_told_by_the_node(
    start: Callable[..., Node], ear: Ear, local_fleet: Fleet, task: str, error: str
) -> None:
    node = start("-c", "1")

    result = local_fleet.send(task, "key")

    [failure] = ear.wait_for("task_failure")
    assert failure["pid"] == node.pid
    assert failure["sender"] == ["Task", f"jobs.{task}"]
    assert failure["named"]["task_id"] == ["str", result.id]
    assert failure["named"]["exception"][0] == error


def test_a_task_that_sends_another_is_told_from_where_it_runs(start: Callable[..., Node], ear: Ear, local_fleet: Fleet) -> None:
    node = start("-c", "1")

    local_fleet.client.send_task("listening.send_another").get(timeout=10)

    [before], [after], [sent] = (ear.wait_for(name) for name in ("before_task_publish", "after_task_publish", "task_sent"))
    assert before["sender"] == after["sender"] == sent["sender"] == ["str", "jobs.add"]
    assert set(before["named"]) == {"body", "exchange", "routing_key", "headers", "properties", "declare", "retry_policy"}
    assert set(after["named"]) == {"body", "exchange", "routing_key", "headers"}
    assert set(sent["named"]) == {"task_id", "task", "args", "kwargs", "eta", "taskset"}
    assert {each["pid"] for each in (before, after, sent)} == set(node.children())


def test_a_receiver_that_fails_is_logged_with_its_task_and_the_task_succeeds(
    start: Callable[..., Node], local_fleet: Fleet
) -> None:
    node = start("-c", "1")

    result = local_fleet.send("add", 2, 3)

    assert result.get(timeout=10) == 5
    assert "broken" in node.wait_for_line("a receiver of task_prerun failed")
