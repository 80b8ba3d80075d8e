"""``call --wait`` at a terminal: a bar for a task that reports its progress, the result at the end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pexpect

from cli.terminal import Terminal

PATIENCE_S = 20
CRUNCH = """
    import pathlib, time

    from celeriac import Celery

    app = Celery("shop")


    @app.task(bind=True)
    def crunch(self):
        self.update_state(state="PROGRESS", meta={"current": 3, "total": 4})
        while not pathlib.Path("seen").exists():
            time.sleep(0.01)
        return "done"
"""


def test_a_bar_shows_the_progress_that_a_task_reports(terminal: Terminal, worker: Callable[..., subprocess.Popen[str]]) -> None:
    terminal.write("shop.py", CRUNCH)
    worker()
    words = ["-m", "celeriac", "-A", "shop", "call", "shop.crunch", "--wait", "--timeout", str(PATIENCE_S)]

    screen = pexpect.spawn(
        sys.executable, words, cwd=str(terminal.folder), env=terminal.environment(), timeout=PATIENCE_S, encoding="utf-8"
    )
    screen.expect("PROGRESS")
    screen.expect("75%")
    terminal.write("seen", "")
    screen.expect("done")
    screen.expect(pexpect.EOF)
    screen.close()

    assert screen.exitstatus == 0
