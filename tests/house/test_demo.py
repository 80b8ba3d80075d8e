"""``make demo``: a real job with no server; whatever happens, no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = Path(__file__).parent.parent.parent / "examples" / "index_stdlib" / "run.py"
PATIENCE_S = 30.0


def start(folder: Path) -> subprocess.Popen[str]:
    """Start the demo with its temporary files in ``folder``, under an environment that names another store."""
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder), "CELERY_BROKER_URL": "redis://nowhere"}
    return subprocess.Popen(
        [sys.executable, str(RUN)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def workers(folder: Path) -> list[str]:
    """Return the command lines of processes that name the demo's store: its worker and what that started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_text().replace("\0", " ")
        except OSError:  # it has ended meanwhile
            continue
        if str(folder) in line and " worker " in line:
            found.append(line)
    return found


@pytest.mark.timeout(300)
def test_the_demo_indexes_the_standard_library_and_leaves_no_process(tmp_path: Path) -> None:
    process = start(tmp_path)

    printed = process.communicate()[0]

    assert process.returncode == 0, printed
    assert "tasks/s" in printed
    assert workers(tmp_path) == []
    assert list(tmp_path.glob("index-stdlib-*")) == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_no_process(tmp_path: Path, signum: signal.Signals, code: int) -> None:
    process = start(tmp_path)
    deadline = time.monotonic() + PATIENCE_S
    while not workers(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)

    process.send_signal(signum)
    printed = process.communicate(timeout=PATIENCE_S)[0]

    assert process.returncode == code, printed
    assert workers(tmp_path) == []
    assert list(tmp_path.glob("index-stdlib-*")) == []
