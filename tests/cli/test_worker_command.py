"""``celeriac worker`` as a user sees it: the banner, the lines of the log, how it stops, what it does not load."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest

from cli.terminal import Terminal
from system.patience import eventually

Start = Callable[..., subprocess.Popen[str]]
PATIENCE_S = 20.0
UNREACHABLE = """
    from celeriac import Celery

    app = Celery("shop", broker="redis://me:hunter2@127.0.0.1:1/0")


    @app.task
    def add() -> None: ...
"""
SETUP = """
    from celeriac import signals
    from shop import app


    @signals.celeryd_init.connect(sender="shop@here")
    def configure(conf, **kwargs):
        conf.update(worker_concurrency=7, broker_connection_retry_on_startup=False)
"""
TALKATIVE = """
    from celeriac import Celery

    app = Celery("shop")


    @app.task
    def say() -> None:
        print("hello there")
"""


def rest_of(process: subprocess.Popen[str]) -> str:
    """Return what the process prints from now to its end."""
    return process.communicate(timeout=PATIENCE_S)[0]


def test_the_banner_tells_app_transport_results_concurrency_queues_and_tasks(terminal: Terminal) -> None:
    terminal.write("shop.py", UNREACHABLE)
    words = ("-A", "shop", "worker", "-c", "3", "-Q", "slow", "-n", "shop@here", "broker_connection_retry_on_startup=false")

    ran = terminal.celeriac(*words)

    assert " shop@here  celeriac" in ran.out
    for line in (
        " .> app:         shop",
        " .> results:     disabled://",
        " .> concurrency: 3 (prefork)",
        " .> slow",
        "  . shop.add",
    ):
        assert line in ran.out.splitlines()
    assert "hunter2" not in ran.out + ran.err
    assert ran.code == 69


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_ends_with_exit_code_0(worker: Start, signum: signal.Signals) -> None:
    process = worker()

    process.send_signal(signum)
    rest_of(process)

    assert process.returncode == 0


def test_a_task_has_a_line_for_its_arrival_and_one_for_its_end(terminal: Terminal, worker: Start) -> None:
    process = worker()

    terminal.celeriac("-A", "shop", "call", "shop.add", "-a", "[2, 3]", "--wait", "--timeout", "20")
    process.terminate()
    lines = [line for line in rest_of(process).splitlines() if "shop.add" in line]

    assert len(lines) == 2
    assert "received" in lines[0]
    assert "succeeded" in lines[1]


def test_what_a_task_prints_goes_to_the_log(terminal: Terminal, worker: Start) -> None:
    terminal.write("shop.py", TALKATIVE)
    process = worker()

    terminal.celeriac("-A", "shop", "call", "shop.say", "--wait", "--timeout", "20")
    process.terminate()
    [line] = [line for line in rest_of(process).splitlines() if "hello there" in line]

    assert "WARNING" in line
    assert "shop.say[" in line


def test_the_log_goes_to_the_file_that_is_named(terminal: Terminal) -> None:
    process = terminal.start("-A", "shop", "worker", "-l", "INFO", "-c", "1", "-n", "shop@here", "-f", "%n.log")
    log = terminal.folder / "shop.log"
    eventually(lambda: log.exists() and "ready." in log.read_text(), what="it says in its log that it is ready")

    process.terminate()
    printed = rest_of(process)

    assert "ready." not in printed


def test_a_worker_loads_nothing_that_it_does_not_need(terminal: Terminal) -> None:
    code = """
        import sys
        from celeriac.cli.main import run
        run(["worker", "--help"])
        print("LOADED", *sorted({"rich", "asyncio", "redis", "multiprocessing"} & set(sys.modules)))
    """

    ran = terminal.python(code)

    assert ran.out.splitlines()[-1].split() == ["LOADED"]


def test_a_program_may_set_up_its_workers_by_signal(terminal: Terminal) -> None:
    terminal.write("shop.py", UNREACHABLE)
    terminal.write("setup.py", SETUP)

    ran = terminal.celeriac("-A", "setup", "worker", "-n", "shop@here")

    assert " .> concurrency: 7 (prefork)" in ran.out.splitlines(), ran.err


def test_a_worker_does_not_wait_for_what_cannot_mend_itself(terminal: Terminal) -> None:
    terminal.write("shop.py", TALKATIVE)
    terminal.write("notes.db", "these are notes, not a database\n" * 100)

    ran = terminal.celeriac("-A", "shop", "-b", "sqlite:///notes.db", "worker")

    assert ran.code != 0
    assert "notes.db" in ran.err
    assert "Traceback" not in ran.err
