"""A module that is run as a program: its worker, its children and its clients call the tasks by the same names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from system.patience import eventually

PROGRAM = """
import os, sys
from celeriac import Celery, current_task, shared_task

app = Celery({main}, broker="sqlite:///store.db", backend="sqlite:///store.db", worker_concurrency=1)

@app.task
def add(x, y):
    return [x + y, add.name, current_task.name, of_a_library.name, of_a_library.app is app]

@shared_task
def of_a_library():
    return None

app.steps["consumer"].add(object)

@app.on_after_fork.connect
def forked(sender, **named):
    with open("forked", "a") as file:
        file.write(f"{{os.getpid()}} {{sender is app}}\\n")

if __name__ == "__main__":
    match sys.argv[1]:
        case "worker":
            app.worker_main()
            print("ended well")
        case "list":
            sys.exit(app.start(["celery", "list", "tasks"]))
        case "call":
            print(add.delay(1, 2).get(timeout=10))
        case name:
            print(app.send_task(name, (3, 4)).get(timeout=10))
"""


def run(folder: Path, *words: str) -> str:
    """Run the program to its end and return what it prints."""
    command = [sys.executable, "program.py", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


@pytest.mark.parametrize(("main", "module"), [(None, "program"), ("shop", "shop")])
def test_the_worker_of_a_program_runs_what_the_program_sends(tmp_path: Path, main: str | None, module: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.format(main=repr(main)))
    log = tmp_path / "log"

    with log.open("w") as output:
        command = [sys.executable, "program.py", "worker", "-l", "INFO"]
        worker = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output, start_new_session=True)
    try:
        eventually(lambda: "ready" in log.read_text() or worker.poll() is not None, what="the worker is ready")
        called, as_celery_calls_it = run(tmp_path, "call"), run(tmp_path, "__main__.add")
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(timeout=20)
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)

    names = f"'{module}.add', '{module}.add', '{module}.of_a_library', True]"
    assert (called, as_celery_calls_it) == (f"[3, {names}", f"[7, {names}")
    assert "app.steps of consumer are not run" in log.read_text()
    assert (code, log.read_text().splitlines()[-1]) == (0, "ended well")
    forks = (tmp_path / "forked").read_text().splitlines()
    assert [line.split()[1] for line in forks] == ["True"]  # of the child, not of the process that only forks
    assert str(worker.pid) not in {line.split()[0] for line in forks}


def test_a_program_may_be_a_command_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.format(main="'shop'"))

    printed = run(tmp_path, "list")

    assert printed.split() == ["shop.add", "shop.of_a_library"]
