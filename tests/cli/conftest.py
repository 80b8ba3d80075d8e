"""A user's terminal, and a worker beside it that does not outlive the test."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cli.quick import Quick
from cli.terminal import Terminal

STOP_S = 20.0
SHOP = """
    from celeriac import Celery

    app = Celery("shop")


    @app.task
    def add(x: int, y: int) -> int:
        return x + y


    @app.task
    def fail() -> None:
        raise ValueError("no such thing")
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Give a terminal with the module ``shop`` in its folder."""
    terminal = Terminal(tmp_path)
    terminal.write("shop.py", SHOP)
    return terminal


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Quick:
    """Give the command line in this process, with an app that has one task."""
    return Quick(tmp_path, monkeypatch)


@pytest.fixture
def worker(terminal: Terminal) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Give a function that starts a worker with more words, and returns when it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = terminal.start("-A", "shop", "worker", "-l", "INFO", "-c", "1", *words)
        started.append(process)
        assert process.stdout is not None
        seen: list[str] = []
        for line in process.stdout:
            seen.append(line)
            if "ready." in line:
                return process
        raise AssertionError("".join(seen))

    yield start
    for process in started:
        process.terminate()
        try:
            process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
