"""Each way to stop a node, in each pool: warm, soft, cold, again."""

from __future__ import annotations

import os
import signal
import socket
import time
from functools import partial
from pathlib import Path

import pytest

from system.fleet import Fleet, Node
from system.patience import eventually
from system.processes import send

POOLS = ["prefork", "threads", "asyncio", "solo", "gevent", "eventlet"]
SOME = ["prefork", "solo", *(pytest.param(pool, marks=pytest.mark.long) for pool in POOLS if pool not in ("prefork", "solo"))]
"""What is one piece of code for all but solo is tried in all where there is time."""


def running(fleet: Fleet, *words: str, **variables: str) -> Node:
    """Start a node and have it run a task that ends when the file ``go`` is there."""
    node = fleet.start("-c", "1", *words, wait=True, **variables)
    fleet.send("wait_for", "running", str(fleet.folder / "go"))
    eventually(partial(fleet.has_begun, "running"), what="it runs")
    return node


def release(fleet: Fleet) -> None:
    (fleet.folder / "go").touch()


@pytest.mark.parametrize("pool", SOME)
def test_a_soft_stop_lets_a_task_end_that_does_so_in_time(local_fleet: Fleet, pool: str) -> None:
    node = running(local_fleet, "-P", pool, "worker_soft_shutdown_timeout=20")

    send(node.pid, signal.SIGQUIT)
    node.wait_for_line("soft shutdown")
    release(local_fleet)
    code = node.process.wait(10)

    assert code == 0
    assert local_fleet.times("end") == {"running": 1}


@pytest.mark.parametrize("pool", SOME)
def test_a_soft_stop_hands_back_what_does_not_end_in_time(local_fleet: Fleet, pool: str) -> None:
    node = running(local_fleet, "-P", pool, "worker_soft_shutdown_timeout=0.5")

    send(node.pid, signal.SIGQUIT)
    code = node.process.wait(10)
    node.wait_until_gone()

    assert code == 1
    assert local_fleet.client.store.depth(["celery"]) == [1]
    assert local_fleet.dead_letters() == []


@pytest.mark.parametrize("pool", POOLS)
def test_a_cold_stop_hands_back_at_once_in_every_pool(local_fleet: Fleet, pool: str) -> None:
    node = running(local_fleet, "-P", pool)

    send(node.pid, signal.SIGQUIT)
    code = node.process.wait(10)
    node.wait_until_gone()

    assert code == 1
    assert "cold shutdown (SIGQUIT)" in node.log
    assert local_fleet.client.store.depth(["celery"]) == [1]
    assert local_fleet.dead_letters() == []


def test_a_warm_stop_with_a_deadline_hands_back_what_does_not_keep_it(local_fleet: Fleet) -> None:
    node = running(local_fleet, "worker_warm_shutdown_timeout=0.5")

    code = node.stop(signal.SIGTERM)

    assert code == 1
    assert "within 0.5 s" in node.log
    assert local_fleet.client.store.depth(["celery"]) == [1]


def test_sigterm_can_be_made_a_cold_stop(local_fleet: Fleet) -> None:
    node = running(local_fleet, REMAP_SIGTERM="SIGQUIT")

    code = node.stop(signal.SIGTERM)

    assert code == 1
    assert "cold shutdown (SIGTERM)" in node.log


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_hang_up_begins_the_program_again_in_the_same_process_when_the_running_task_has_ended(
    local_fleet: Fleet, pool: str
) -> None:
    node = running(local_fleet, "-P", pool)

    send(node.pid, signal.SIGHUP)
    node.wait_for_line("begins again")
    meanwhile = node.log.count(" ready.")
    release(local_fleet)
    eventually(lambda: node.log.count(" ready.") == 2, what="it is ready again")
    value = local_fleet.send("add", 2, 3).get(timeout=10)
    code = node.stop()

    assert (meanwhile, value, code) == (1, 5, 0)
    assert local_fleet.times("end") == {"running": 1}


def test_hang_ups_that_come_while_the_program_begins_again_do_not_end_it(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "1")

    send(node.pid, signal.SIGHUP)
    node.wait_for_line("the program begins again")
    for _ in range(20):
        send(node.pid, signal.SIGHUP)
        time.sleep(0.01)  # one that is on its way swallows the next
    eventually(lambda: node.log.count(" ready.") == node.log.count("begins again:") + 1, what="it is ready again")
    code = node.stop()

    assert code == 0


def test_ctrl_c_in_a_terminal_reaches_every_process_and_ends_no_task(local_fleet: Fleet) -> None:
    node = running(local_fleet, "-P", "prefork")

    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        for pid in [process.pid for process in node.family() if process.pid != node.pid]:
            send(pid, number)
    send(node.pid, signal.SIGINT)
    node.wait_for_line("warm shutdown")
    release(local_fleet)
    code = node.process.wait(10)

    assert code == 0
    assert local_fleet.times("end") == {"running": 1}


@pytest.mark.parametrize("pool", SOME)
def test_usr1_shows_what_every_process_does_while_a_task_holds_its_interpreter(local_fleet: Fleet, pool: str) -> None:
    node = local_fleet.start("-c", "1", "-P", pool)
    local_fleet.send("hold_interpreter", "held", 3.0)
    eventually(partial(local_fleet.has_begun, "held"), what="it runs")

    send(node.pid, signal.SIGUSR1)

    node.wait_for_line("hold_interpreter", within_s=10)
    assert node.process.poll() is None


def test_usr2_opens_a_debugger_inside_a_task(local_fleet: Fleet, tmp_path: Path) -> None:
    node = running(local_fleet, "-P", "prefork", CELERY_RDBSIG="1", CELERY_RDB_PORT=str(17000 + os.getpid() % 1000))

    [child] = node.children()
    send(child, signal.SIGUSR2)
    line = node.wait_for_line(r"waits for: telnet 127\.0\.0\.1 \d+")
    said = converse(int(line.split()[-1]), "where", "continue")
    release(local_fleet)
    eventually(lambda: local_fleet.times("end")["running"] == 1, what="the task went on and ended")

    assert "wait_for" in said


def converse(port: int, *words: str) -> str:
    """Say something to a debugger; return what it answered until it hung up."""

    with socket.create_connection(("127.0.0.1", port), timeout=10) as talk:
        talk.sendall("".join(f"{word}\n" for word in words).encode())
        said = b""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and (data := talk.recv(4096)):
            said += data
    return said.decode()
