"""The task by which Celery's clients whose result backend cannot count members have a worker look for them."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery, ChordError
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10


@pytest.fixture
def tasks(app: Celery, tasks: dict[str, Any]) -> dict[str, Any]:
    heard: list[Any] = []

    @app.task(name="hear")
    def hear(id: str) -> None:
        heard.append(id)

    @app.task(name="be_told")
    def be_told(request: Any, error: Exception, traceback: str) -> None:
        heard.append(repr(error))

    return {**app.tasks, "heard": heard}


def unlock(app: Celery, members: list[Any], body: Any, **said: Any) -> None:
    told = {"result": [each.as_tuple() for each in members], **said}
    app.send_task("celery.chord_unlock", ("group", body), told, queue="celery")


def test_the_body_is_called_when_all_results_are_there(app: Celery, tasks: Any, serve: Serve) -> None:
    members = [tasks["add"].apply_async((number, 1), queue="later") for number in range(3)]
    unlock(app, members, tasks["total"].s().set(task_id="body"), interval=0.01)
    serve()
    assert app.AsyncResult("body").state == "PENDING"

    serve(queues=["later"], name="later")

    assert app.AsyncResult("body").get(timeout=WAIT_S) == 6


def test_a_member_that_failed_ends_the_chord_and_its_errbacks_hear_of_it_once(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    members = [tasks["add"].delay(1, 1), tasks["broken"].delay()]
    body = tasks["total"].s().set(task_id="body")
    body.link_error(tasks["hear"].s())
    body.link_error(tasks["be_told"].s())

    unlock(app, members, body, interval=0.01)

    with pytest.raises(ChordError, match=f"Dependency {members[1].id} raised ValueError"):
        app.AsyncResult("body").get(timeout=WAIT_S)
    eventually(lambda: len(tasks["heard"]) == 2, what="both errbacks have heard")
    assert "body" in tasks["heard"]
    assert any("Dependency" in each for each in tasks["heard"])


def test_it_is_not_looked_for_for_ever(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()

    unlock(
        app,
        [tasks["add"].apply_async((1,), queue="nobody")],
        tasks["total"].s().set(task_id="body"),
        interval=0.01,
        max_retries=2,
    )

    with pytest.raises(ChordError, match="could not be retried"):
        app.AsyncResult("body").get(timeout=WAIT_S)
