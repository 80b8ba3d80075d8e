"""Groups that are saved and found again by another process, in the form in which Celery saves them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, GroupResult, group
from celeriac.core.groupmeta import place_of
from guide.conftest import Serve

WAIT_S = 10


def a_group(app: Celery) -> Any:
    nested: GroupResult[Any] = GroupResult("inner", [AsyncResult("b", app=app), AsyncResult("c", app=app)], app=app)
    return GroupResult("outer", [AsyncResult("a", app=app), nested], parent=AsyncResult("before", app=app), app=app)


def test_a_saved_group_is_restored_with_what_lies_in_it(app: Celery) -> None:
    a_group(app).save()

    found = app.GroupResult.restore("outer")

    assert found == a_group(app)
    assert (found.parent.id, [type(member) for member in found.results]) == ("before", [AsyncResult, GroupResult])


def test_what_is_saved_has_celerys_form(app: Celery, url: str) -> None:
    a_group(app).save()

    [body] = app.store.load([place_of("outer")])

    stored = [
        ["outer", [["before", None], None]],
        [[["a", None], None], [["inner", None], [[["b", None], None], [["c", None], None]]]],
    ]
    assert json.loads(body or b"") == {"result": stored}
    if url.startswith("redis"):
        redis = pytest.importorskip("redis")
        with redis.Redis.from_url(url) as client:
            assert client.get("celery-taskset-meta-outer") == body
            assert 86_000 < client.ttl("celery-taskset-meta-outer") <= 86_400


def test_a_deleted_group_is_not_found_and_its_members_results_stay(app: Celery, serve: Serve) -> None:
    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    serve()
    result: Any = group(add.s(1, 1), add.s(2, 2)).delay()
    result.save()
    assert app.GroupResult.restore(result.id).get(timeout=WAIT_S) == [2, 4]

    result.delete()

    assert app.GroupResult.restore(result.id) is None
    assert [member.get(timeout=WAIT_S) for member in result.results] == [2, 4]


def test_a_group_may_be_saved_again_when_it_has_grown(app: Celery) -> None:
    result: GroupResult[Any] = GroupResult("grows", [AsyncResult("a", app=app)], app=app)
    result.save()
    result.add(AsyncResult("b", app=app))
    result.save()

    assert [member.id for member in app.GroupResult.restore("grows").results] == ["a", "b"]


def test_a_group_behind_a_long_chain_is_saved_with_the_last_steps_before_it(app: Celery) -> None:
    before: Any = None
    for step in range(3000):
        before = AsyncResult(f"step-{step}", app=app, parent=before)
    GroupResult("last", [AsyncResult("a", app=app)], parent=before, app=app).save()

    steps, node = [], app.GroupResult.restore("last").parent
    while node is not None:
        steps.append(node.id)
        node = node.parent

    assert steps == [f"step-{step}" for step in range(2999, 2950, -1)]


def test_no_task_is_taken_for_a_group_nor_a_group_for_a_task(app: Celery) -> None:
    app.backend.store_result("same", [["same", None], []], "SUCCESS")
    GroupResult("group", [AsyncResult("a", app=app)], app=app).save()

    assert app.GroupResult.restore("same") is None
    assert AsyncResult("group", app=app).state == "PENDING"
