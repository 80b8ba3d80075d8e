"""How children begin when importing the app has started threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from celeriac import Celery
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import SPAWN_PATIENCE_S, plan_node
from celeriac.worker.start_method import settled


@pytest.fixture
def app() -> Celery:
    return Celery("shop", broker="memory://", set_as_current=False)


@pytest.fixture
def thread() -> Iterator[threading.Thread]:
    may_end = threading.Event()
    thread = threading.Thread(target=may_end.wait, name="collector")
    thread.start()
    yield thread
    may_end.set()
    thread.join()


@pytest.mark.alone  # a process of xdist is no program that could be run again
def test_where_nobody_has_said_otherwise_they_are_fresh_interpreters(
    app: Celery, thread: threading.Thread, caplog: pytest.LogCaptureFixture
) -> None:
    options = WorkerOptions()

    plan = settled(app, options, plan_node(app, options), None)

    assert (plan.start_method, plan.alive_s) == ("spawn", SPAWN_PATIENCE_S)
    assert thread.name in caplog.text


def test_a_method_that_was_asked_for_is_kept_and_the_threads_are_named(
    app: Celery, thread: threading.Thread, caplog: pytest.LogCaptureFixture
) -> None:
    options = WorkerOptions(start_method="fork")

    plan = settled(app, options, plan_node(app, options), None)

    assert plan.start_method == "fork"
    assert thread.name in caplog.text


def test_a_node_without_processes_of_its_own_does_not_mind(
    app: Celery, thread: threading.Thread, caplog: pytest.LogCaptureFixture
) -> None:
    options = WorkerOptions(pool="solo")
    planned = plan_node(app, options)

    assert settled(app, options, planned, None) == planned
    assert thread.name not in caplog.text
