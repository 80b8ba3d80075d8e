"""What may be asked of the result of a group: while it runs, after its workers were restarted, from another process, of nothing.

Source: Celery's reference of ``GroupResult``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, GroupResult, group
from celeriac import TimeoutError as GaveUp
from guide.conftest import Serve
from guide.serving import InProcess

WAIT_S = 10


@pytest.fixture
def add(app: Celery) -> Any:
    @app.task(name="add")
    def add(x: int, y: int = 0) -> int:
        return x + y

    return add


@pytest.fixture
def broken(app: Celery) -> Any:
    @app.task(name="broken")
    def broken() -> None:
        raise ValueError("it broke")

    return broken


def half_done(app: Celery, add: Any) -> Any:
    """Return the result of a group of which two have ended, and two wait in a queue that nobody serves yet."""
    result: Any = group(add.s(1), add.s(2).set(queue="later"), add.s(3), add.s(4).set(queue="later")).delay()
    result.save()
    with InProcess(app):
        result.results[0].get(timeout=WAIT_S)
        result.results[2].get(timeout=WAIT_S)
    return result


# ---- Restarts and other processes ----------------------------------------------------------------------------------


def test_a_group_outlives_the_worker_that_ran_half_of_it(app: Celery, add: Any, serve: Serve) -> None:
    id = half_done(app, add).id

    found = app.GroupResult.restore(id)
    before = (found.completed_count(), found.waiting(), found.ready(), found.successful(), found.failed())
    serve(queues=["later"], name="second")

    assert before == (2, True, False, False, False)
    assert found.join(timeout=WAIT_S) == [1, 2, 3, 4]
    assert (found.completed_count(), found.waiting(), found.ready(), found.successful(), found.failed()) == (
        4,
        False,
        True,
        True,
        False,
    )
    assert [child.get(timeout=WAIT_S) for child in found.children] == [1, 2, 3, 4]


def test_what_waits_for_the_second_worker_may_be_revoked_by_who_restored_the_group(app: Celery, add: Any, serve: Serve) -> None:
    id = half_done(app, add).id
    app.GroupResult.restore(id).revoke()

    serve(queues=["later"], name="second")

    found = app.GroupResult.restore(id)
    values = found.get(timeout=WAIT_S, propagate=False)
    assert [type(value).__name__ for value in values] == ["int", "TaskRevokedError", "int", "TaskRevokedError"]
    assert not found.failed()  # as Celery's: a revocation is no failure
    assert [child.state for child in found.children] == ["SUCCESS", "REVOKED", "SUCCESS", "REVOKED"]


OTHER = """
import json, sys
from celeriac import Celery
app = Celery("other", broker=sys.argv[1], backend=sys.argv[1])
found = app.GroupResult.restore(sys.argv[2])
said = {
    "count": found.completed_count(), "waiting": found.waiting(), "ready": found.ready(), "join": found.join(timeout=10),
    "native": found.join_native(timeout=10), "iterate": sorted(found.iterate(timeout=10)), "children": len(found.children),
}
found.delete()
said["deleted"] = app.GroupResult.restore(sys.argv[2]) is None
found.forget()
print(json.dumps(said))
"""


@pytest.mark.parametrize("url", ["sqlite", "redis"], indirect=True)
def test_another_process_asks_joins_deletes_and_forgets(app: Celery, url: str, add: Any, serve: Serve) -> None:
    serve()
    result: Any = group(add.s(1), add.s(2)).delay()
    result.save()
    result.get(timeout=WAIT_S)

    ran = subprocess.run([sys.executable, "-c", OTHER, url, result.id], capture_output=True, text=True, timeout=30, check=False)

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "count": 2, "waiting": False, "ready": True, "join": [1, 2], "native": [1, 2], "iterate": [1, 2], "children": 2,
        "deleted": True,
    }  # fmt: skip
    assert [app.AsyncResult(one.id).state for one in result.results] == ["PENDING", "PENDING"]


# ---- How to wait ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("join", ["get", "join", "join_native"])
def test_all_ways_to_join_call_back_in_order_and_while_they_wait(app: Celery, add: Any, serve: Serve, join: str) -> None:
    result, seen, turns = half_done(app, add), [], []

    def later() -> None:
        turns.append(1)
        if len(turns) == 2:
            serve(queues=["later"], name="second")

    values = getattr(result, join)(
        timeout=WAIT_S, interval=0.01, no_ack=False, on_interval=later, callback=lambda *each: seen.append(each)
    )

    assert values == [1, 2, 3, 4]
    assert seen == [(one.id, number) for one, number in zip(result.results, [1, 2, 3, 4], strict=True)]
    assert len(turns) >= 2


@pytest.mark.parametrize("join", ["get", "join", "join_native"])
def test_who_waits_too_long_is_told_and_may_go_on_waiting(app: Celery, add: Any, serve: Serve, join: str) -> None:
    result = half_done(app, add)

    with pytest.raises(GaveUp):
        getattr(result, join)(timeout=0.05)
    with pytest.raises(GaveUp):
        list(result.iterate(timeout=0.05))
    serve(queues=["later"], name="second")

    assert getattr(result, join)(timeout=WAIT_S) == [1, 2, 3, 4]


def test_failures_are_raised_or_stand_among_the_values(add: Any, broken: Any, serve: Serve) -> None:
    serve()

    result: Any = group(add.s(1), broken.s(), add.s(3)).delay()

    for join in (result.get, result.join, result.join_native, lambda **said: list(result.iterate(**said))):
        with pytest.raises(ValueError, match="it broke"):
            join(timeout=WAIT_S)
    assert [repr(value) for value in result.join(timeout=WAIT_S, propagate=False)] == ["1", "ValueError('it broke')", "3"]
    assert sorted(repr(value) for value in result.iterate(timeout=WAIT_S, propagate=False)) == [
        "1",
        "3",
        "ValueError('it broke')",
    ]
    assert (result.failed(), result.successful(), result.completed_count()) == (True, False, 2)


def test_a_group_that_is_forgotten_is_pending_and_its_ids_may_be_deleted(app: Celery, add: Any, serve: Serve) -> None:
    serve()
    result: Any = group(add.s(1), add.s(2)).delay()
    result.save()
    result.get(timeout=WAIT_S)

    result.forget()
    found = app.GroupResult.restore(result.id)

    assert (found.completed_count(), found.ready(), found.waiting()) == (0, False, True)
    found.delete()
    assert app.GroupResult.restore(result.id) is None


# ---- Of nothing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["sent", "restored"])
def test_an_empty_group_has_ended_and_has_nothing(app: Celery, add: Any, made: str) -> None:
    result: Any = group([], app=app).delay()
    result.save()
    if made == "restored":
        result = app.GroupResult.restore(result.id)

    called: list[Any] = []
    joined = [
        join(timeout=1, callback=lambda *said: called.append(said)) for join in (result.get, result.join, result.join_native)
    ]
    result.revoke()
    result.forget()

    assert joined == [[], [], []]
    assert (list(result.iterate(timeout=1)), list(result.iter_native(timeout=1)), list(result.children)) == ([], [], [])
    assert (result.completed_count(), result.waiting(), result.ready(), result.failed(), result.successful()) == (
        0, False, True, False, True,
    )  # fmt: skip
    assert (called, len(result)) == ([], 0)
    result.delete()
    assert app.GroupResult.restore(result.id) is None


def test_what_was_never_saved_is_not_restored_and_what_has_no_id_cannot_be_saved(app: Celery) -> None:
    nameless: GroupResult[Any] = GroupResult(None, [AsyncResult("a", app=app)], app=app)

    nameless.delete()

    assert app.GroupResult.restore("nobody") is None
    with pytest.raises(ValueError, match="has none"):
        nameless.save()
