"""One program a pid file: a living one is not replaced, a dead one is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from celeriac.cli.pid_file import PidFileHeld, holding, is_worker, read_pid

HOLDER = """
import sys, time
from celeriac.cli.pid_file import PidFile
PidFile(sys.argv[1]).take()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worker.pid"


def test_it_holds_the_process_id_for_its_user_alone_and_goes_at_the_end(path: Path) -> None:
    with holding(str(path)):
        content, mode = path.read_text(), stat.S_IMODE(path.stat().st_mode)

    assert (content, mode, path.exists()) == (f"{os.getpid()}\n", 0o600, False)


def test_a_file_that_a_living_program_holds_is_refused_with_its_pid(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        with pytest.raises(PidFileHeld, match=f"process {holder.pid} holds"), holding(str(path)):
            pytest.fail("it was taken twice")
        holder.kill()

    assert path.read_text() == f"{holder.pid}\n"


def test_a_file_whose_program_was_killed_is_replaced(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()

    with holding(str(path)):
        pid = read_pid(str(path))

    assert pid == os.getpid()


def test_a_file_with_the_number_of_somebody_elses_process_is_replaced(path: Path) -> None:
    path.write_text("1\n")

    with holding(str(path)):
        pid = read_pid(str(path))

    assert not is_worker(1)
    assert pid == os.getpid()


def test_a_worker_that_locks_nothing_is_respected_nevertheless(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "celery", "worker"]) as other:
        path.write_text(f"{other.pid}\n")

        with pytest.raises(PidFileHeld), holding(str(path)):
            pytest.fail("it was taken from a worker that lives")
        other.kill()


@pytest.mark.parametrize("content", ["", "nonsense\n", "-7\n", "99999999999999\n"])
def test_a_broken_file_is_replaced(path: Path, content: str) -> None:
    path.write_text(content)

    with holding(str(path)):
        pid = read_pid(str(path))

    assert pid == os.getpid()


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")
    path.symlink_to(precious)

    with pytest.raises(OSError, match="symbolic"), holding(str(path)):
        pytest.fail("it was written through a link")

    assert precious.read_text() == "data"


def test_a_file_that_is_somebody_elses_by_now_is_left_alone(path: Path) -> None:
    with holding(str(path)):
        path.unlink()
        path.write_text("4242\n")

    assert path.read_text() == "4242\n"
