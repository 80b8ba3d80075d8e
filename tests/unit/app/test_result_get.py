"""What one result can be asked: every argument of ``get``, what is known of it, and where waiting is forbidden."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from datetime import timedelta
from threading import Timer
from traceback import extract_tb
from typing import Any
from uuid import uuid4

import pytest

from celeriac import AsyncResult, Celery, EagerResult, allow_join_result, denied_join_result
from celeriac.app.joining import assert_will_not_block, join_will_block
from celeriac.core.errors import ImproperlyConfigured, TimeoutError  # noqa: A004 - the builtin's subclass
from unit.app.serving import serve


def a_chain(app: Celery) -> AsyncResult[Any]:
    return AsyncResult("last", app=app, parent=AsyncResult("middle", app=app, parent=AsyncResult("first", app=app)))


def test_the_failure_of_a_task_before_this_one_in_its_chain_is_raised_since_this_one_can_never_run(app: Celery) -> None:
    app.backend.mark_as_failure("first", KeyError("gone"))

    with pytest.raises(KeyError, match="gone"):
        a_chain(app).get(timeout=30)
    with pytest.raises(KeyError, match="gone"):
        asyncio.run(a_chain(app).aget(timeout=30))
    app.close()


def test_it_is_raised_when_it_comes_while_waiting(app: Celery) -> None:
    def fail() -> None:
        app.backend.mark_as_failure("middle", KeyError("gone"))

    with pytest.raises(KeyError, match="gone"):
        a_chain(app).get(timeout=30, interval=0.001, on_interval=fail)


def test_it_is_not_looked_for_when_nothing_is_to_be_raised_or_the_caller_says_so(app: Celery) -> None:
    app.backend.mark_as_failure("first", KeyError("gone"))
    app.backend.mark_as_done("last", 3)

    assert a_chain(app).get(timeout=30, propagate=False) == 3
    assert a_chain(app).get(timeout=30, follow_parents=False) == 3


def test_members_of_a_group_before_this_task_count_as_its_parents(app: Celery) -> None:
    group = app.GroupResult("g", [app.AsyncResult("one"), app.AsyncResult("two")])
    app.backend.mark_as_failure("two", KeyError("gone"))

    with pytest.raises(KeyError, match="gone"):
        AsyncResult[int]("after", app=app, parent=group).get(timeout=30)


def test_parents_that_end_well_do_not_end_the_wait(app: Celery) -> None:
    app.backend.mark_as_done("first", 1)

    with pytest.raises(TimeoutError):
        a_chain(app).get(timeout=0.01)


@pytest.mark.parametrize("timeout", [0, 0.0, timedelta(0)])
def test_a_timeout_of_nothing_takes_what_is_there(app: Celery, timeout: float | timedelta) -> None:
    app.backend.mark_as_done("a", 1)

    assert app.AsyncResult("a").get(timeout=timeout) == 1
    with pytest.raises(app.AsyncResult("b").TimeoutError):
        app.AsyncResult("b").get(timeout=timeout)


@pytest.mark.parametrize("timeout", [float("inf"), 1e30, timedelta.max])
def test_a_timeout_beyond_what_threads_can_wait_is_for_ever(app: Celery, timeout: float | timedelta) -> None:
    ender = Timer(0.05, app.backend.mark_as_done, ("a", 1))
    ender.start()

    assert app.AsyncResult("a").get(timeout=timeout) == 1
    assert app.ResultSet([app.AsyncResult("a")]).get(timeout=timeout) == [1]
    ender.join()


def test_a_timeout_that_is_none_is_told(app: Celery) -> None:
    with pytest.raises(TypeError, match=r"timeout='5': it is a number of seconds"):
        app.AsyncResult("a").get(timeout="5")  # type: ignore[call-overload]


def test_an_id_may_be_a_uuid_and_nothing_else_but_text(app: Celery) -> None:
    number = uuid4()

    assert AsyncResult[int](number, app=app).id == str(number)
    with pytest.raises(TypeError, match="text or a UUID"):
        AsyncResult[int](7, app=app)  # type: ignore[arg-type]


def test_what_on_interval_raises_ends_the_wait(app: Celery) -> None:
    def stop() -> None:
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError):
        app.AsyncResult("a").get(timeout=30, interval=0.001, on_interval=stop)
    assert app.results.waiting.size == 0


def frames(error: BaseException) -> int:
    count, trace = 0, error.__traceback__
    while trace is not None:
        count, trace = count + 1, trace.tb_next
    return count


def test_an_exception_that_is_raised_again_and_again_does_not_grow(app: Celery) -> None:
    app.backend.mark_as_failure("a", KeyError("gone"))
    stored, eager = app.AsyncResult("a"), EagerResult[int]("b", failed_here(), "FAILURE", app=app)
    depths: list[tuple[int, int]] = []

    for _ in range(3):
        depth = []
        for result in (stored, eager):
            with pytest.raises(KeyError) as caught:
                result.get(timeout=1)
            depth.append(frames(caught.value))
        depths.append((depth[0], depth[1]))

    assert depths[0] == depths[1] == depths[2]
    assert "failed_here" in [entry.name for entry in extract_tb(caught.value.__traceback__)]


def failed_here() -> KeyError:
    try:
        raise KeyError("gone")
    except KeyError as error:
        return error


def test_the_states_that_raise_may_be_named(app: Celery) -> None:
    app.backend.mark_as_failure("a", KeyError("gone"))

    assert isinstance(app.AsyncResult("a").get(timeout=1, PROPAGATE_STATES=frozenset({"REVOKED"})), KeyError)


def test_exists_tells_an_id_that_nobody_knows_from_a_task_on_its_way(app: Celery) -> None:
    app.backend.store_result("a", None, "STARTED")

    assert (app.AsyncResult("a").exists(), app.AsyncResult("b").exists()) == (True, False)


def test_programs_of_third_parties_may_read_and_hand_over_metas(app: Celery) -> None:
    result = app.AsyncResult("a")

    result._maybe_set_cache({"status": "PROGRESS", "result": 1})
    assert result._cache is None
    result._maybe_set_cache({"status": "SUCCESS", "result": 3, "children": [], "unknown": 1})

    assert result.get() == 3
    assert result._cache == result._get_task_meta() == next(result._iter_meta())
    assert result._get_task_meta()["status"] == "SUCCESS"
    results = app.ResultSet([result])
    assert [meta["result"] for meta in results._iter_meta()] == [3]
    assert list(results._failed_join_report()) == []


def test_a_known_result_of_a_forgotten_task_is_asked_for_anew(app: Celery) -> None:
    app.backend.mark_as_done("first", 1)
    app.backend.mark_as_done("last", 1)
    result = a_chain(app)
    result.get(timeout=1)

    result.forget()

    assert (result.state, app.AsyncResult("first").state) == ("PENDING", "PENDING")


def test_copies_pickles_and_tuples_of_a_result_are_the_same_result(app: Celery) -> None:
    app.set_current()
    result = a_chain(app)

    for twin in (
        copy.copy(result),
        pickle.loads(pickle.dumps(result)),
        app.result_from_tuple(json.loads(json.dumps(result.as_tuple()))),
    ):
        assert (twin, twin.as_list(), hash(twin), str(twin)) == (result, ["last", "middle", "first"], hash("last"), "last")
    assert repr(result) == "<AsyncResult: last>"
    assert pickle.loads(pickle.dumps(AsyncResult[int]("a", app=app, ignored=True))).get() is None


def test_what_is_said_to_nodes_is_said_with_its_arguments(app: Celery) -> None:
    result, said = app.AsyncResult("a"), []
    app.store.broadcast.listen("celery.pidbox", ["#"], lambda notice: said.append(json.loads(notice.parcel.body)))

    result.revoke(terminate=True, signal="KILL")
    result.revoke(wait=True, timeout=0.01)
    result.revoke_by_stamped_headers({"job": "1"}, terminate=True)

    assert [(each["method"], each["arguments"], "reply_to" in each) for each in said] == [
        ("revoke", {"task_id": "a", "terminate": True, "signal": "KILL"}, False),
        ("revoke", {"task_id": "a", "terminate": False, "signal": "SIGTERM"}, True),
        ("revoke_by_stamped_headers", {"headers": {"job": "1"}, "terminate": True, "signal": "SIGTERM"}, False),
    ]


def test_without_a_result_backend_the_error_is_the_one_that_programs_of_celery_catch() -> None:
    app = Celery("none", broker="memory://get-no-results", set_as_current=False)

    with pytest.raises(NotImplementedError, match="no result backend"):
        app.AsyncResult("a").get()
    with pytest.raises(ImproperlyConfigured):
        app.AsyncResult("a").ready()


def test_waiting_may_be_denied_anywhere_and_allowed_again_inside(app: Celery) -> None:
    app.backend.mark_as_done("a", 1)

    with denied_join_result():
        with pytest.raises(RuntimeError, match="never wait"):
            app.AsyncResult("a").get()
        with allow_join_result():
            assert app.AsyncResult("a").get(timeout=1) == 1
        assert join_will_block() is True
    assert_will_not_block()
    assert app.AsyncResult("a").get(timeout=1) == 1


def test_several_results_are_refused_inside_a_task_as_one_is(app: Celery) -> None:
    @app.task
    def outer() -> None:
        app.ResultSet([app.AsyncResult("a")]).get(timeout=1)

    @app.task
    def knows_better() -> Any:
        return app.AsyncResult("a").get(timeout=1, disable_sync_subtasks=False)

    app.backend.mark_as_done("a", 1)
    first, second = outer.delay(), knows_better.delay()
    serve(app)

    with pytest.raises(RuntimeError, match="never wait"):
        first.get(timeout=1)
    assert second.get(timeout=1) == 1
