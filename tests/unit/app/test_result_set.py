"""Several results as one: sets, groups within groups, and groups that another process restores."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, GroupResult, ResultSet, TaskRevokedError
from celeriac.core.errors import TimeoutError  # noqa: A004 - the builtin's subclass


def done(app: Celery, *ids: str) -> ResultSet[Any]:
    """Store a value for each id, and return their results."""
    for number, id_ in enumerate(ids):
        app.backend.mark_as_done(id_, number)
    return app.ResultSet([app.AsyncResult(id_) for id_ in ids])


def test_a_set_has_the_values_of_its_members_in_order(app: Celery) -> None:
    results = done(app, "a", "b", "c")

    assert results.get(timeout=1) == results.join(timeout=1) == results.join_native(timeout=1) == [0, 1, 2]
    assert (results.ready(), results.successful(), results.failed(), results.waiting()) == (True, True, False, False)
    assert (results.completed_count(), len(results), results[1], results.supports_native_join) == (3, 3, "b", True)
    assert (results.app, results.backend) == (app, app.backend)


def test_an_argument_that_nobody_knows_is_refused(app: Celery) -> None:
    with pytest.raises(TypeError, match="GroupResult has no argument 'ap'"):
        GroupResult("g", [], ap=app)  # type: ignore[call-arg]


def test_members_come_once_and_go_by_their_ids(app: Celery) -> None:
    results: ResultSet[int] = app.ResultSet([])
    a, b = app.AsyncResult("a"), app.AsyncResult("b")

    results.add(a)
    results.add(app.AsyncResult("a"))
    results.update([a, b])
    assert list(results) == [a, b]
    results.remove(a)
    results.discard(a)
    with pytest.raises(KeyError, match="a"):
        results.remove(a)
    results.discard("b")
    assert list(results) == []
    results.update([a, b])
    results.clear()

    assert results == app.ResultSet([])


def test_the_first_failure_is_raised_or_stands_among_the_values(app: Celery) -> None:
    results = done(app, "a", "b")
    app.backend.mark_as_revoked("c", "expired")
    results.add(app.AsyncResult("c"))

    with pytest.raises(TaskRevokedError):
        results.get(timeout=1)
    assert [type(value) for value in results.get(timeout=1, propagate=False)] == [int, int, TaskRevokedError]
    with pytest.raises(TaskRevokedError):
        results.maybe_throw()
    called: list[Any] = []
    results.maybe_reraise(lambda id_, value: called.append((id_, type(value))), propagate=False)
    assert called == [("a", int), ("b", int), ("c", TaskRevokedError)]


def test_a_timeout_of_nothing_does_not_wait(app: Celery) -> None:
    results = done(app, "a")

    assert results.get(timeout=0) == [0]
    results.add(app.AsyncResult("never"))

    with pytest.raises(TimeoutError, match="never"):
        results.get(timeout=0)


def test_one_task_may_be_a_member_twice(app: Celery) -> None:
    app.backend.mark_as_done("a", 1)

    results: ResultSet[int] = ResultSet([app.AsyncResult("a"), app.AsyncResult("a")])

    assert results.get(timeout=1) == [1, 1]


def test_groups_may_be_members(app: Celery) -> None:
    inner = app.GroupResult("inner", list(done(app, "a", "b")))
    app.backend.mark_as_done("c", 2)
    called: list[tuple[str, Any]] = []

    results: ResultSet[Any] = ResultSet([inner, app.AsyncResult("c")], app)

    assert results.get(timeout=1, callback=lambda id_, value: called.append((id_, value))) == [[0, 1], 2]
    assert called == [("inner", [0, 1]), ("c", 2)]
    assert sorted(id_ for id_, _ in results.iter_native(timeout=1)) == ["a", "b", "c"]


def test_on_interval_is_called_while_nothing_comes_and_may_end_the_wait(app: Celery) -> None:
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            app.backend.mark_as_done("a", 7)

    assert app.ResultSet([app.AsyncResult("a")]).get(timeout=30, interval=0.001, on_interval=tick) == [7]
    assert len(ticks) == 3


def test_members_are_revoked_together_and_by_their_stamps(app: Celery) -> None:
    results, said = app.ResultSet([app.AsyncResult("a"), app.AsyncResult("b")]), []
    app.store.broadcast.listen("celery.pidbox", ["#"], lambda notice: said.append(json.loads(notice.parcel.body)))

    results.revoke(terminate=True)
    results.revoke_by_stamped_headers({"job": 1})

    assert app.store.rules().revoked == {"a", "b"}
    assert app.store.rules().revoked_stamps == {"job": {"1"}}
    assert [(each["method"], each["arguments"].get("task_id"), each["arguments"]["terminate"]) for each in said] == [
        ("revoke", ["a", "b"], True),
        ("revoke_by_stamped_headers", None, False),
    ]


def test_a_group_is_saved_and_restored_by_its_id(app: Celery) -> None:
    results: GroupResult[int] = app.GroupResult("g", list(done(app, "a", "b")), app.AsyncResult("before"))

    results.save()
    restored = app.GroupResult.restore("g")

    assert restored == results
    assert (restored.get(timeout=1), restored.parent, restored.children) == ([0, 1], results.parent, restored.results)
    assert GroupResult.restore("g", backend=app.backend) == results
    assert GroupResult.restore("g", app=app) == results
    results.add(app.AsyncResult("c"))
    results.save()
    assert len(app.GroupResult.restore("g")) == 3
    results.delete()
    assert app.GroupResult.restore("g") is None
    assert app.GroupResult.restore("a") is None


def test_results_become_tuples_and_come_back(app: Celery) -> None:
    chain = AsyncResult[int]("last", app=app, parent=app.AsyncResult("first"))
    several: GroupResult[int] = GroupResult("g", [chain], app=app)

    assert app.result_from_tuple(chain.as_tuple()) == chain
    assert app.result_from_tuple(chain.as_tuple()).parent == chain.parent
    assert app.result_from_tuple(several.as_tuple()) == several
    assert app.result_from_tuple(several) is several
    assert several.as_list() == ["g", "last", "first"]
    for nonsense in ("abc", 7, None, [1], [[7, None], None], [["g", None], 3], [[None, None], None]):
        with pytest.raises(ValueError, match="not the stored form"):
            app.result_from_tuple(nonsense)


def test_groups_compare_by_id_members_and_parent_and_survive_pickling(app: Celery) -> None:
    app.set_current()
    results: GroupResult[int] = app.GroupResult("g", [app.AsyncResult("a")])

    assert results == "g"
    assert results != app.GroupResult("g", [])
    assert pickle.loads(pickle.dumps(results)) == results
    assert {results: 1}[app.GroupResult("g", [app.AsyncResult("a")])] == 1
    assert bool(app.GroupResult("g")) is True
    assert bool(app.GroupResult()) is False
