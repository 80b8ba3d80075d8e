"""Programs that start a worker by themselves."""

from __future__ import annotations

import pytest

from celeriac import Celery
from cli.quick import Quick
from cli.terminal import Terminal

PROGRAM = """
    import sys, threading
    from shop import add, app

    result, seen = add.delay(2, 3), []
    worker = app.Worker(pool="solo", queues=["celery"], loglevel=30, quiet=True, time_limit=None, without_gossip=True)


    def stop() -> None:
        seen.append(result.get(timeout=20))
        worker.stop()


    threading.Thread(target=stop, daemon=True).start()
    worker.start()
    print("ended with", worker.exitcode, worker.app is app, seen)
"""


def test_a_program_starts_a_worker_and_stops_it(terminal: Terminal) -> None:
    terminal.write("program.py", PROGRAM)

    ran = terminal.python("import program")

    assert ran.out.splitlines() == ["ended with 0 True [5]"], ran.err


def test_keywords_are_the_options_of_the_command(quick: Quick) -> None:
    worker = quick.app.Worker(
        concurrency=3, pool_cls="threads", loglevel="INFO", queues=("a", "b"), task_events=True, purge=False, quiet=True
    )

    words = [
        "--quiet",
        "worker",
        "--concurrency",
        "3",
        "--pool",
        "threads",
        "--loglevel",
        "INFO",
        "--queues",
        "a,b",
        "--task-events",
    ]
    assert worker.words == words
    assert (worker.concurrency, worker.loglevel, worker.hostname, worker.quiet) == (3, "INFO", None, True)
    assert quick.app.Beat(max_interval=5, schedule="file").words == ["beat", "--max-interval", "5", "--schedule", "file"]


def test_a_keyword_that_means_nothing_is_refused(quick: Quick) -> None:
    with pytest.raises(TypeError, match="Worker\\(\\) got an unexpected keyword argument 'concurency'"):
        quick.app.Worker(concurency=3)


def test_classes_of_two_apps_are_each_of_its_own(quick: Quick) -> None:
    other = Celery("other", broker="memory://", set_as_current=False)

    assert (quick.app.Worker().app, other.Worker().app) == (quick.app, other)
