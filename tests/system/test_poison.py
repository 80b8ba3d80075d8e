"""Tasks that kill, hang or leave their process: each costs one slot and has an end, and the others go on."""

from __future__ import annotations

import signal
import time
from functools import partial

import pytest

from celeriac import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from system.fleet import Fleet, alive
from system.patience import eventually

MAX_DELIVERIES = 5


def test_a_task_that_kills_its_process_is_tried_five_times_and_kept_with_the_signals_name(fleet: Fleet) -> None:
    node = fleet.start("-c", "2")

    poison = fleet.send("poison", "poison")
    others = [fleet.send("add", i, i) for i in range(20)]

    with pytest.raises(WorkerLostError, match="SIGKILL"):
        poison.get(timeout=20)
    assert [result.get(timeout=5) for result in others] == [2 * i for i in range(20)]
    assert fleet.times("begin")["poison"] == MAX_DELIVERIES
    [letter] = fleet.dead_letters()
    assert (letter.task, letter.task_id, letter.reason) == ("jobs.poison", poison.id, "deliveries")
    assert "SIGKILL" in letter.detail
    eventually(lambda: len(node.children()) == 2, what="both children are back")


def test_poison_that_acks_early_runs_once(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    poison = fleet.send("poison_early", "poison")

    with pytest.raises(WorkerLostError, match="SIGKILL"):
        poison.get(timeout=10)
    assert fleet.send("add", 1, 1).get(timeout=5) == 2
    assert fleet.times("begin")["poison"] == 1
    [letter] = fleet.dead_letters()
    assert letter.reason == "worker-lost"


def test_a_task_that_leaves_without_a_word_is_told_apart_by_its_exit_code(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    result = fleet.send("leave", "leave", 3)

    with pytest.raises(WorkerLostError, match="exit code 3"):
        result.get(timeout=20)
    assert fleet.times("begin")["leave"] == MAX_DELIVERIES


@pytest.mark.parametrize("code", [0, 3])
def test_a_child_that_leaves_with_any_code_is_replaced(fleet: Fleet, code: int) -> None:
    node = fleet.start("-c", "1")
    [child] = node.children()

    fleet.send("leave", "leave", code).get(timeout=20, propagate=False)

    assert fleet.send("add", 1, 1).get(timeout=5) == 2
    assert not alive(child)


@pytest.mark.alone
def test_a_hard_limit_ends_the_task_and_its_process_while_the_other_child_goes_on(fleet: Fleet) -> None:
    node = fleet.start("-c", "2")
    hung = fleet.send("over_the_hard_limit", "hung")
    eventually(lambda: fleet.times("begin")["hung"], what="the task hangs")
    [pid] = [pid for _, key, pid in fleet.entries() if key == "hung"]
    began = time.monotonic()

    others = fleet.send_many("early", [(f"other-{i}", 0.01) for i in range(50)]).get(timeout=5)
    meanwhile = alive(pid)

    with pytest.raises(TimeLimitExceeded):
        hung.get(timeout=10)
    assert time.monotonic() - began < 3.0
    assert len(others) == 50
    assert meanwhile
    assert not alive(pid)
    assert fleet.times("begin")["hung"] == 1
    eventually(lambda: len(node.children()) == 2, what="both children are back")


def test_a_soft_limit_is_an_exception_that_a_task_may_catch(fleet: Fleet) -> None:
    node = fleet.start("-c", "1")
    children = node.children()

    value = fleet.send("over_the_soft_limit").get(timeout=10)
    unaware = fleet.send("over_the_soft_limit_unaware")

    assert value == "cleaned up"
    with pytest.raises(SoftTimeLimitExceeded):
        unaware.get(timeout=10)
    assert node.children() == children


@pytest.mark.parametrize("pool", ["prefork", "threads", "asyncio", "solo"])
@pytest.mark.parametrize("task", ["exit_politely", "raise_system_exit", "raise_unusual", "interrupt"])
def test_leaving_by_an_exception_is_a_failure_of_the_task_alone(local_fleet: Fleet, pool: str, task: str) -> None:
    fleet = local_fleet
    node = fleet.start("-P", pool, "-c", "1")
    family = node.family()

    result = fleet.send(task, *([3] if task == "exit_politely" else []))
    error = result.get(timeout=10, propagate=False)

    assert isinstance(error, Exception)
    assert result.failed()
    assert fleet.send("add", 1, 1).get(timeout=5) == 2
    assert {process.pid for process in node.family()} == {process.pid for process in family}


def test_a_child_is_replaced_after_its_number_of_tasks_and_nothing_is_lost(fleet: Fleet) -> None:
    fleet.start("-c", "2", "--max-tasks-per-child", "10")

    values = fleet.send_many("late", [(str(i),) for i in range(100)]).get(timeout=30)

    assert values == [str(i) for i in range(100)]
    ends = [pid for what, _, pid in fleet.entries() if what == "end"]
    assert max(ends.count(pid) for pid in ends) <= 10
    assert set(fleet.times("begin").values()) == {1}


def test_a_cold_stop_hands_a_running_task_back_without_counting_the_delivery(fleet: Fleet) -> None:
    go = fleet.folder / "go"
    result = fleet.send("wait_for", "long", str(go))
    for run in range(1, MAX_DELIVERIES + 2):
        node = fleet.start("-c", "1")
        eventually(partial(fleet.has_begun, "long", run), what="the task runs")
        node.stop(signal.SIGQUIT)

    go.touch()
    fleet.start("-c", "1")

    assert result.get(timeout=10) == "long"
    assert not fleet.dead_letters()
