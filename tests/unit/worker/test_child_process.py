"""A process that is sent signals, and struck at one moment and no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from celeriac.worker.child_process import Blow, ChildProcess, state_of
from system.patience import eventually

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def running() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process
        process.kill()


def test_one_that_is_still_meant_is_killed(running: subprocess.Popen[bytes]) -> None:
    blow = ChildProcess(running.pid).strike(lambda: True)

    assert (blow, running.wait(10)) == (Blow.KILLED, -signal.SIGKILL)


@linux
def test_one_that_is_not_meant_any_more_goes_on_as_if_nothing_had_been(running: subprocess.Popen[bytes]) -> None:
    blow = ChildProcess(running.pid).strike(lambda: False)

    assert blow is Blow.SPARED
    eventually(lambda: state_of(running.pid) == "R", what="it runs")


@linux
def test_it_stands_still_while_somebody_looks_whether_it_is_meant(running: subprocess.Popen[bytes]) -> None:
    states: list[str] = []

    def look() -> bool:
        states.append(state_of(running.pid))
        return False

    ChildProcess(running.pid).strike(look)

    assert states == ["T"]


@linux
def test_it_goes_on_when_whoever_looks_fails(running: subprocess.Popen[bytes]) -> None:
    def fail() -> bool:
        raise ValueError("it went wrong")

    with pytest.raises(ValueError, match="it went wrong"):
        ChildProcess(running.pid).strike(fail)

    eventually(lambda: state_of(running.pid) == "R", what="it runs")


@linux
def test_a_signal_reaches_nobody_else_once_its_process_is_gone(running: subprocess.Popen[bytes]) -> None:
    process = ChildProcess(running.pid)
    running.kill()
    running.wait(10)

    # Whoever has got this number since: here nobody has, and a stranger would not be found through the handle either.
    process.send(signal.SIGTERM)
    process.kill()

    assert process.strike(lambda: True) in {Blow.KILLED, Blow.SPARED}
    process.close()


@linux
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_of_a_process_that_changes_what_it_does_all_the_time_only_what_is_meant_is_hit() -> None:
    # It writes what it does, thousands of times a second; whoever strikes wants one certain thing, and would hit another one now
    # and then if the process did not stand.
    import mmap

    memory = mmap.mmap(-1, 16)
    words: memoryview[int] = memoryview(memory).cast("Q")
    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            while True:
                words[0] += 1
                words[1] = words[0]
        process = ChildProcess(pid)
        eventually(lambda: words[0] > 100, what="it has begun")

        while process.strike(lambda: words[0] % 2 == 0) is not Blow.KILLED:
            pass
        os.waitpid(pid, 0)
        process.close()

        assert words[0] % 2 == 0
        words[0] = 0
