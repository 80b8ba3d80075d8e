"""``call --wait`` at a terminal: a bar for a task that reports its progress, the result at the end."""

from __future__ import annotations

import json
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


BAKERY = """
    import pathlib, time

    from celeriac import Celery

    app = Celery("shop")


    @app.task
    def bake(number):
        while number > 2 and not pathlib.Path("seen").exists():
            time.sleep(0.01)
        return number


    @app.task
    def total(numbers):
        return sum(numbers)
"""


def test_a_bar_counts_the_tasks_of_a_workflow_as_they_end(
    terminal: Terminal, worker: Callable[..., subprocess.Popen[str]]
) -> None:
    terminal.write("shop.py", BAKERY)
    header = [{"task": "shop.bake", "args": [number]} for number in range(1, 5)]
    workflow = {"task": "celery.chord", "subtask_type": "chord", "kwargs": {"header": header, "body": {"task": "shop.total"}}}
    terminal.write("bread.json", json.dumps(workflow))
    worker()
    words = ["-m", "celeriac", "-A", "shop", "call", "--signature", "bread.json", "--wait", "--timeout", str(PATIENCE_S)]

    screen = pexpect.spawn(
        sys.executable, words, cwd=str(terminal.folder), env=terminal.environment(), timeout=PATIENCE_S, encoding="utf-8"
    )
    screen.expect("5 tasks")
    screen.expect("2/5")
    terminal.write("seen", "")
    screen.expect("10\r")
    screen.expect(pexpect.EOF)
    screen.close()

    assert screen.exitstatus == 0
