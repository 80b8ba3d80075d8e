"""``scripts/servers.py``: servers beside a command, and nothing left of them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "servers.py"
TELL = "import os; print(os.environ['CELERIAC_TEST_REDIS'], flush=True)"
PATIENCE_S = 30.0
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def start(code: str, *words: str) -> subprocess.Popen[str]:
    """Start the script with a Python program as its command."""
    command = [sys.executable, str(SCRIPT), *words, sys.executable, "-c", code]
    return subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def answers(url: str) -> bool:
    """Say whether somebody listens at the address."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_exit_code_is_the_commands_and_the_server_is_gone_afterwards() -> None:
    process = start(f"{TELL}; raise SystemExit(3)")

    url = process.communicate(timeout=PATIENCE_S)[0].strip()

    assert process.returncode == 3
    assert not answers(url)


def test_several_processes_may_each_have_a_server() -> None:
    process = start(f"{TELL}; import sys; sys.stdin.read()", "--each", "2")
    assert process.stdout is not None
    urls = process.stdout.readline().split()
    there = [answers(url) for url in urls]

    process.communicate(timeout=PATIENCE_S)

    assert there == [True, True]
    assert not any(answers(url) for url in urls)


def test_an_interrupted_run_leaves_no_server() -> None:
    process = start(f"{TELL}; import time; time.sleep({PATIENCE_S})")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    there = answers(url)

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)

    assert there
    assert process.returncode == 128 + signal.SIGTERM
    assert not answers(url)
