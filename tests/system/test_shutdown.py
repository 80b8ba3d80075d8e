"""How a node stops: warm, it loses nothing and doubles nothing; cold, it hands back; and no process is left."""

from __future__ import annotations

import signal
import time
from functools import partial
from typing import Any

import pytest

from celeriac import GroupResult
from system.fleet import Fleet
from system.patience import eventually
from system.processes import send

ROUNDS = [5, pytest.param(20, marks=pytest.mark.long)]
TASKS_A_ROUND = 80
"""Of each kind; two nodes' worth of work for longer than a round takes."""


@pytest.mark.parametrize("rounds", ROUNDS)
def test_warm_shutdowns_under_load_lose_and_double_nothing(fleet: Fleet, rounds: int) -> None:
    early, late = _load(fleet, rounds * TASKS_A_ROUND)

    codes = []
    for _ in range(rounds):
        node = fleet.start("-c", "2")
        before = len(fleet.times("begin"))
        eventually(partial(_more_than, fleet, before + 20), what="it is at work")
        codes.append(node.stop())
    fleet.start("-c", "2")
    early.get(timeout=50)
    late.get(timeout=50)

    assert codes == [0] * rounds
    _nothing_is_lost_or_doubled(fleet, 2 * rounds * TASKS_A_ROUND)


def test_hang_ups_under_load_lose_and_double_nothing(fleet: Fleet) -> None:
    early, late = _load(fleet, 5 * TASKS_A_ROUND)
    node = fleet.start("-c", "2")

    for hang_ups in range(5):
        before = len(fleet.times("begin"))
        eventually(partial(_more_than, fleet, before + 20), what="it is at work")
        send(node.pid, signal.SIGHUP)
        eventually(lambda number=hang_ups: node.log.count(" ready.") == number + 2, what="it is ready again")  # type: ignore[misc]
    early.get(timeout=50)
    late.get(timeout=50)

    _nothing_is_lost_or_doubled(fleet, 10 * TASKS_A_ROUND)


def _load(fleet: Fleet, count: int) -> tuple[GroupResult[Any], GroupResult[Any]]:
    early = fleet.send_many("early", [(f"early-{i}", 0.01) for i in range(count)])
    return early, fleet.send_many("late", [(f"late-{i}", 0.01) for i in range(count)])


def _nothing_is_lost_or_doubled(fleet: Fleet, count: int) -> None:
    assert set(fleet.times("begin").values()) == {1}
    assert set(fleet.times("end").values()) == {1}
    assert len(fleet.times("end")) == count
    assert fleet.dead_letters() == []


@pytest.mark.alone
def test_nothing_begins_50_ms_after_a_stop_was_asked_for(fleet: Fleet) -> None:
    fleet.send_many("stamped", [(f"{i}",) for i in range(20_000)])

    late_s = []
    for _ in range(5):
        node = fleet.start("-c", "2")
        before = fleet.journal.stat().st_size
        eventually(lambda before=before: fleet.journal.stat().st_size > before + 2000, what="it is at work")  # type: ignore[misc]
        asked_at = time.monotonic()
        node.stop()
        late_s.append(max(float(stamp) for _, stamp, _ in fleet.entries()) - asked_at)

    assert sorted(late_s)[2] < 0.05, late_s
    assert max(late_s) < 0.5, late_s


def _more_than(fleet: Fleet, count: int) -> bool:
    return len(fleet.times("begin")) >= count


@pytest.mark.parametrize("pool", ["prefork", "threads", "asyncio", "solo"])
def test_a_running_task_ends_before_its_worker_and_the_rest_is_there_for_others_at_once(fleet: Fleet, pool: str) -> None:
    node = fleet.start("-P", pool, "-c", "1")
    running = fleet.send("wait_for", "running", str(fleet.folder / "go"))
    eventually(partial(fleet.has_begun, "running"), what="it runs")
    waiting = fleet.send_many("early", [(f"waiting-{i}",) for i in range(10)])

    send(node.pid, signal.SIGTERM)
    node.wait_for_line("warm shutdown|will finish|no new work") if pool != "solo" else None
    other = fleet.start("-c", "1")
    values = waiting.get(timeout=5)
    alive_meanwhile = node.process.poll() is None
    (fleet.folder / "go").touch()
    code = node.process.wait(10)
    node.wait_until_gone()

    assert values == [f"waiting-{i}" for i in range(10)]
    assert alive_meanwhile
    assert code == 0
    assert running.get(timeout=5) == "running"
    assert fleet.times("begin")["running"] == 1
    assert other.process.poll() is None


@pytest.mark.parametrize("signals", [[signal.SIGTERM, signal.SIGTERM], [signal.SIGINT, signal.SIGINT], [signal.SIGQUIT]])
def test_a_cold_stop_ends_at_once_and_hands_its_work_back(fleet: Fleet, signals: list[signal.Signals]) -> None:
    node = fleet.start("-c", "2")
    result = fleet.send("wait_for", "running", str(fleet.folder / "go"))
    eventually(partial(fleet.has_begun, "running"), what="it runs")

    for number in signals:
        send(node.pid, number)
        time.sleep(0.3)  # two signals of one kind that arrive together are one
    node.process.wait(5)
    node.wait_until_gone()
    (fleet.folder / "go").touch()
    began = time.monotonic()
    fleet.start("-c", "1")

    assert result.get(timeout=10) == "running"
    assert time.monotonic() - began < 2.5  # less than the lease: it was handed back
    assert fleet.times("begin")["running"] == 2
    assert fleet.dead_letters() == []


def test_an_idle_worker_stops_in_a_second(fleet: Fleet) -> None:
    node = fleet.start("-c", "2")
    began = time.monotonic()

    code = node.stop()

    assert code == 0
    assert time.monotonic() - began < 1.0


def test_a_worker_that_waits_for_its_server_can_be_stopped(redis_less_fleet: Fleet) -> None:
    node = redis_less_fleet.start("-c", "1", wait=False)
    node.wait_for_line("trying again", within_s=20)

    code = node.stop(within_s=8)

    assert code == 0
