"""Names that a program makes up: what nobody could find again is refused at the call."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from celeriac import Celery, group
from unit.app.serving import waiting

NO_NAMES = ["", "two\nlines", "nul\x00", "q" * 256]


def declare(app: Celery, **said: Any) -> Any:
    @app.task(name="add", **said)
    def add(x: int, y: int) -> int:
        return x + y

    return add


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_queue_that_no_worker_could_serve_is_refused_at_the_call(app: Celery, name: str) -> None:
    add = declare(app)

    with pytest.raises(ValueError, match="queue="):
        add.apply_async((1, 1), queue=name)
    with pytest.raises(ValueError, match="queue="):
        app.send_task("add", (1, 1), queue=name)
    with pytest.raises(ValueError, match="queue="):
        add.s(1, 1).set(queue=name)

    assert waiting(app) == []


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_queue_that_a_task_or_a_route_names_is_held_to_the_same(app: Celery, name: str) -> None:
    mine = declare(app, queue=name)
    app.conf.task_routes = {"other": {"queue": name}}

    with pytest.raises(ValueError, match="queue="):
        mine.delay(1, 1)
    with pytest.raises(ValueError, match="queue="):
        app.send_task("other")

    assert waiting(app) == []


def test_a_routing_key_with_a_line_break_is_refused(app: Celery) -> None:
    add = declare(app)

    with pytest.raises(ValueError, match="routing_key="):
        add.apply_async((1, 1), routing_key="a\nb")


def test_names_with_spaces_and_letters_of_any_language_are_names(app: Celery) -> None:
    add = declare(app)

    add.apply_async((1, 1), queue="große Dinge", task_id="näher 1")

    [message] = waiting(app, "große Dinge")
    assert message.id == "näher 1"


def test_a_uuid_is_the_id_of_a_task_as_its_text_is(app: Celery) -> None:
    add = declare(app)
    id = UUID("6f1c5b8e-3d0e-4a40-9a5f-0b5c9a3d7e11")

    result = add.apply_async((1, 1), task_id=id)

    [message] = waiting(app)
    assert message.id == result.id == str(id)


def test_a_uuid_is_the_id_of_a_group_as_its_text_is(app: Celery) -> None:
    add = declare(app)
    id = UUID("6f1c5b8e-3d0e-4a40-9a5f-0b5c9a3d7e11")

    result = group([add.s(1, 1)], app=app).apply_async(task_id=id)

    [message] = waiting(app)
    assert message.group == result.id == str(id)


@pytest.mark.parametrize(("id", "error"), [("", ValueError), ("a\nb", ValueError), ("i" * 256, ValueError), (5, TypeError)])
def test_an_id_that_no_result_could_be_found_under_is_refused(app: Celery, id: Any, error: type[Exception]) -> None:
    add = declare(app)

    with pytest.raises(error, match="task_id="):
        add.apply_async((1, 1), task_id=id)
    with pytest.raises(error, match="task_id="):
        app.send_task("add", (1, 1), task_id=id)

    assert waiting(app) == []
