"""Where a chord can be joined, and where it is refused by name when it is called. Source: Celery's guide, "Canvas", "Chords"."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from celeriac import Celery, ImproperlyConfigured, chain, chord, group
from celeriac.app.streaming import STREAMED_FROM
from celeriac.core.errors import NoResultBackend
from guide.conftest import Serve
from guide.serving import InProcess
from system.patience import eventually

WAIT_S = 10
_names = itertools.count()


def with_tasks(app: Celery) -> Celery:
    @app.task(name="add")
    def add(x: int = 0, y: int = 0) -> int:
        return x + y

    @app.task(name="total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    return app


@pytest.fixture(params=[None, "disabled://"])
def lone(request: pytest.FixtureRequest) -> Iterator[Celery]:
    """Give an app with a broker and no result backend."""
    url = f"memory://lone-{next(_names)}"
    with Celery("lone", broker=url, backend=request.param, set_as_current=False) as made:
        yield with_tasks(made)


CALLED: dict[str, Callable[[Any, Any], Any]] = {
    "chord": lambda add, total: chord([add.s(1), add.s(2)], total.s()),
    "a group that is followed": lambda add, total: group(add.s(1), add.s(2)) | total.s(),
    "later in a chain": lambda add, total: add.s(1) | group(add.s(1), add.s(2)) | total.s(),
    "in a group": lambda add, total: group(add.s(1), chord([add.s(1)], total.s())),
    "as a body": lambda add, total: chord([add.s(1)], chain(group(add.s(), add.s()), total.s())),
    "over a generator": lambda add, total: chord((add.s(x) for x in range(STREAMED_FROM + 1)), total.s()),
}


@pytest.mark.parametrize("called", CALLED.values(), ids=CALLED)
def test_without_a_result_backend_a_chord_is_refused_by_name_before_anything_is_sent(lone: Celery, called: Any) -> None:
    workflow = called(lone.tasks["add"], lone.tasks["total"])

    with pytest.raises(NoResultBackend, match=r"a chord needs a result backend .* result_backend is 'disabled' or not set"):
        workflow.delay()

    assert list(lone.store.depth(["celery"])) == [0]


def test_a_worker_without_a_result_backend_logs_why_a_chord_cannot_follow_and_goes_on(
    lone: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []

    @lone.task(name="note")
    def note(value: int) -> None:
        ran.append(value)

    add, total = lone.tasks["add"], lone.tasks["total"]

    with InProcess(lone):
        add.apply_async((1, 1), link=[chord([add.s(1), add.s(2)], total.s())])
        note.delay(7)
        eventually(lambda: ran == [7], what="the next task")

    assert "a chord needs a result backend" in caplog.text
    assert list(lone.store.depth(["celery"])) == [0]


@pytest.mark.parametrize("place", ["rpc://", "mongodb://localhost", "proj.backends:Mine"])
def test_a_backend_that_no_driver_serves_is_refused_by_name_when_a_chord_is_called(place: str) -> None:
    with Celery("elsewhere", broker="memory://elsewhere", backend=place, set_as_current=False) as app:
        with_tasks(app)

        with pytest.raises(ImproperlyConfigured, match=place.partition("/")[0]):
            chord([app.tasks["add"].s(1)], app.tasks["total"].s()).delay()


def test_a_broker_and_a_backend_that_are_two_join_as_one_does(url: str) -> None:
    results = f"memory://results-{next(_names)}"
    with Celery("two", broker=url, backend=results, set_as_current=False) as app:
        with_tasks(app)

        with InProcess(app):
            workflow: Any = group(app.tasks["add"].s(1, 1), app.tasks["add"].s(2, 2)) | app.tasks["total"].s()
            assert workflow.delay().get(timeout=WAIT_S) == 6


def test_members_and_bodies_with_a_backend_of_their_own_are_joined_in_the_apps(app: Celery, serve: Serve) -> None:
    with_tasks(app)
    place = f"memory://own-{next(_names)}"

    @app.task(name="far", backend=place)
    def far(x: int) -> int:
        return x * 10

    @app.task(name="far_total", backend=place)
    def far_total(numbers: list[int]) -> int:
        return sum(numbers)

    serve()
    body: Any = chord([far.s(1), app.tasks["add"].s(2)], far_total.s()).delay()

    assert app.AsyncResult(body.id, backend=place).get(timeout=WAIT_S) == 12
