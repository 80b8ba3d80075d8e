"""A worker without a terminal: detached, with a pid file, watched by a manager, asked how it is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from system.fleet import Fleet, alive
from system.patience import eventually
from system.processes import send, session_of


class Detached:
    """Workers that left their terminal; those still alive at the end are killed."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.folder = fleet, fleet.folder
        self.pid_file, self.log = fleet.folder / "w.pid", fleet.folder / "w.log"

    def start(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the command; return when it has."""
        own = ["--detach", "--pidfile", str(self.pid_file), "-f", str(self.log), "-c", "1", "-l", "INFO"]
        return self.fleet.celeriac("worker", *own, *words, **options)

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def destroy(self) -> None:
        if self.pid_file.exists():
            [me] = [process for process in [self.pid] if alive(process)] or [0]
            if me:
                for process in session_of(os.getsid(me)):
                    send(process.pid, signal.SIGKILL)


@pytest.fixture
def detached(local_fleet: Fleet) -> Iterator[Detached]:
    workers = Detached(local_fleet)
    yield workers
    workers.destroy()


def test_a_detached_worker_is_ready_when_the_command_returns_and_stops_by_its_pid_file(detached: Detached) -> None:
    done = detached.start()
    pid = detached.pid
    value = detached.fleet.send("add", 2, 3).get(timeout=5)
    began_again = detached.log.read_text().count(" ready.")

    send(pid, signal.SIGTERM)
    eventually(lambda: not alive(pid), what="it stopped")

    assert (done.returncode, done.stderr, value, began_again) == (0, "", 5, 1)
    assert not detached.pid_file.exists()


def test_a_second_one_on_the_same_pid_file_is_refused_and_touches_nothing(detached: Detached) -> None:
    detached.start("-Q", "other")
    waiting = detached.fleet.send("add", 2, 3)

    second = detached.start("--purge")

    assert second.returncode != 0
    assert f"process {detached.pid} holds this pid file" in second.stderr
    assert detached.fleet.client.store.depth(["celery"]) == [1], waiting.id
    assert alive(detached.pid)


def test_a_detached_worker_that_cannot_start_says_why(detached: Detached) -> None:
    done = detached.start("--health-address", "nowhere")

    assert done.returncode != 0
    assert "'nowhere' is no address" in done.stderr


def test_a_detached_worker_begins_again_at_a_hang_up_with_the_same_pid(detached: Detached) -> None:
    detached.start()
    pid = detached.pid

    send(pid, signal.SIGHUP)
    eventually(lambda: detached.log.read_text().count(" ready.") == 2, what="it is ready again")

    assert detached.pid == pid
    assert detached.fleet.send("add", 2, 3).get(timeout=5) == 5


def test_a_manager_is_told_when_the_worker_is_ready_when_it_beats_and_when_it_stops(local_fleet: Fleet) -> None:
    path = local_fleet.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(path))
        ear.settimeout(15)
        node = local_fleet.start("-c", "1", wait=True, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="500000")

        ready, beat = ear.recv(4096).decode(), ear.recv(4096).decode()
        node.stop()
        rest = ""
        while "STOPPING=1" not in rest:
            rest = ear.recv(4096).decode()

    assert f"READY=1\nSTATUS=node0@here is ready\nMAINPID={node.pid}" in ready
    assert beat == "WATCHDOG=1"


def test_health_tells_a_stopped_store_from_a_dead_worker(fleets: Any, redis_server: Any, tmp_path: Path) -> None:
    fleet: Fleet = fleets(redis_server.url)
    address = f"unix:{tmp_path / 'health.sock'}"
    fleet.start("-c", "1", "--health-address", address)

    well = health(address, "--ready")
    redis_server.kill()
    eventually(lambda: health(address, "--ready") == 1, what="it is not ready")
    alive_without_store = health(address, "--live")
    redis_server.start()
    eventually(lambda: health(address, "--ready") == 0, what="it is ready again")

    assert (well, alive_without_store) == (0, 0)
    assert health(f"unix:{tmp_path / 'nobody'}") == 69


def health(*words: str) -> int:
    done = subprocess.run([sys.executable, "-m", "celeriac", "health", *words], capture_output=True, check=False, timeout=20)
    return done.returncode
