"""Several nodes on one machine: started, listed, restarted, stopped; as ``celery multi`` would."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from system.fleet import Fleet, alive
from system.patience import eventually
from system.processes import send, session_of

CELERY = os.environ.get("CELERIAC_TEST_CELERY_PYTHON")


class Cluster:
    """Nodes that ``multi`` started; those still alive at the end are killed."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.folder = fleet, fleet.folder / "run"

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        files = [f"--pidfile={self.folder}/%n.pid", f"--logfile={self.folder}/%n.log"]
        return self.fleet.celeriac("multi", *words, *files, within_s=50)

    def pids(self) -> dict[str, int]:
        """Return the nodes that have a pid file."""
        return {file.stem: int(file.read_text()) for file in sorted(self.folder.glob("*.pid"))}

    def destroy(self) -> None:
        for pid in self.pids().values():
            if alive(pid):
                for process in session_of(os.getsid(pid)):
                    send(process.pid, signal.SIGKILL)


@pytest.fixture
def multi(local_fleet: Fleet) -> Iterator[Cluster]:
    cluster = Cluster(local_fleet)
    yield cluster
    cluster.destroy()


def test_nodes_are_started_and_work_and_are_restarted_and_stopped(multi: Cluster) -> None:
    started = multi("start", "2", "-c", "1")
    first = multi.pids()
    nodes = multi.fleet.celeriac("status").stdout
    restarted = multi("restart", "2", "-c", "1")
    second = multi.pids()
    stopped = multi("stopwait", "2")

    assert (started.returncode, started.stdout.count(": OK")) == (0, 2), started
    assert re.findall(r"celery\d", nodes) == ["celery1", "celery2"]
    assert (restarted.returncode, restarted.stdout.count(": OK")) == (0, 4), restarted
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())
    assert (stopped.returncode, stopped.stdout.count(": OK")) == (0, 2), stopped
    assert multi.pids() == {}


def test_a_node_that_does_not_start_is_told_and_fails_the_command(multi: Cluster) -> None:
    done = multi("start", "a", "-P", "unheard-of")

    assert done.returncode == 1
    assert "FAILED" in done.stdout


def test_a_killed_node_is_gone_with_its_pid_file_and_one_that_is_down_is_told(multi: Cluster) -> None:
    multi("start", "a", "-c", "1")
    pid = multi.pids()["a"]

    killed, again = multi("kill", "a"), multi("stop", "a")

    eventually(lambda: not alive(pid), what="it is gone")
    assert "Sending KILL to node a@" in killed.stdout
    assert "a@" in again.stdout
    assert ": DOWN" in again.stdout
    assert multi.pids() == {}


LINES = [
    "names 3",
    "names foo bar@x.y baz@%h --prefix=w -n host.org",
    "show 10 -l INFO -Q:1-3 images,video -Q:4,5 data -Q default -L:4,5 DEBUG {files}",
    "show image video data -c 3 -c:image 10 -E -A shop -b redis:// {files}",
    "show foo bar -c:foo,2 10 --autoscale=10,3 {files} -- -X q",
    "get b@host.org a b -n host.org {files}",
    "expand %n-%h-%d-%p-%N-%i%I.%% 2 -n w.example.com",
]


@pytest.mark.skipif(CELERY is None, reason="CELERIAC_TEST_CELERY_PYTHON names no Python with Celery")
@pytest.mark.parametrize("line", LINES)
def test_the_output_is_that_of_celery(tmp_path: Path, line: str) -> None:
    assert CELERY is not None
    words = line.format(files=f"--pidfile={tmp_path}/%n.pid --logfile={tmp_path}/%n%I.log").split()

    theirs, ours = (
        subprocess.run([python, "-m", program, "multi", *words], capture_output=True, text=True, check=True, timeout=40).stdout
        for python, program in ((CELERY, "celery"), (sys.executable, "celeriac"))
    )

    # Celery's lines have a blank at their end, and two where something could stand.
    assert ours.replace(sys.executable, CELERY).replace("-m celeriac ", "-m celery ") == re.sub(
        r" +", " ", theirs.replace(" \n", "\n")
    ).replace(os.path.realpath(CELERY), CELERY)
