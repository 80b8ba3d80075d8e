"""Results: waiting, states, failures, children; one listener for all."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, GroupResult, SoftTimeLimitExceeded, TaskRevokedError, allow_join_result, group
from celeriac.app.runtime import SystemRuntime
from celeriac.core import taskmeta
from celeriac.core.errors import ImproperlyConfigured, TimeoutError  # noqa: A004 - the builtin's subclass
from celeriac.core.settlement import StoredResult
from celeriac.core.taskmeta import TaskMeta
from unit.app.serving import serve, waiting
from unit.app.stores import Over, Watching


def store(app: Celery, id: str, state: str, value: Any = None) -> None:
    app.store.store_results([StoredResult(id, state, taskmeta.encode(TaskMeta(task_id=id, status=state, result=value)))])


def declare(app: Celery) -> Any:
    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    return add


def test_get_returns_what_the_task_returned(app: Celery) -> None:
    result = declare(app).delay(1, 2)

    serve(app)

    assert result.get(timeout=1) == 3
    assert (result.state, result.successful(), result.ready(), result.failed()) == ("SUCCESS", True, True, False)


def test_get_waits_for_a_result_that_comes_later(app: Celery) -> None:
    result = declare(app).delay(1, 2)
    got: list[int] = []
    waiter = threading.Thread(target=lambda: got.append(result.get(timeout=30)))

    waiter.start()
    serve(app)
    waiter.join(30)

    assert got == [3]


def test_get_raises_the_exception_of_the_task_or_returns_it(app: Celery) -> None:
    @app.task
    def fail() -> None:
        raise KeyError("gone")

    result = fail.delay()
    serve(app)

    with pytest.raises(KeyError, match="gone"):
        result.get(timeout=1)
    assert isinstance(result.get(propagate=False), KeyError)
    assert (result.state, result.failed()) == ("FAILURE", True)
    assert "in fail" in (result.traceback or "")


def test_get_gives_up_after_its_timeout_and_the_task_goes_on(app: Celery) -> None:
    real = Celery("real", broker="memory://gives-up", backend="memory://gives-up", set_as_current=False)
    result = declare(real).delay(1, 2)

    with pytest.raises(TimeoutError, match=result.id):
        result.get(timeout=0.01)

    serve(real)
    assert result.get(timeout=1) == 3


def test_an_id_that_nobody_knows_is_pending(app: Celery) -> None:
    result = app.AsyncResult("nobody")

    assert (result.state, result.result, result.ready()) == ("PENDING", None, False)


def test_on_message_sees_each_state(app: Celery) -> None:
    result = app.AsyncResult("a")
    seen: list[tuple[str, Any]] = []
    store(app, "a", "PROGRESS", {"current": 1})

    def listen(meta: dict[str, Any]) -> None:
        seen.append((meta["status"], meta["result"]))
        if meta["status"] == "PROGRESS":
            store(app, "a", "SUCCESS", "end")

    value = result.get(timeout=5, on_message=listen)

    assert (value, seen) == ("end", [("PROGRESS", {"current": 1}), ("SUCCESS", "end")])


def test_callback_is_called_with_id_and_value(app: Celery) -> None:
    called: list[tuple[str, int]] = []
    store(app, "a", "SUCCESS", 5)

    app.AsyncResult("a").get(timeout=1, callback=lambda task_id, value: called.append((task_id, value)))

    assert called == [("a", 5)]


def test_a_revoked_task_raises_its_revocation(app: Celery) -> None:
    store(app, "a", "REVOKED", TaskRevokedError("revoked"))

    with pytest.raises(TaskRevokedError):
        app.AsyncResult("a").get(timeout=1)


def test_a_result_that_was_forgotten_is_pending_again(app: Celery) -> None:
    store(app, "a", "SUCCESS", 1)
    result = app.AsyncResult("a")
    result.get(timeout=1)

    result.forget()

    assert result.state == "PENDING"


def test_a_call_whose_result_is_ignored_returns_none_at_once(app: Celery) -> None:
    result = declare(app).apply_async((1, 2), ignore_result=True)

    assert result.get() is None


def test_without_a_result_backend_get_says_so_at_once() -> None:
    app = Celery("none", broker="memory://no-results", set_as_current=False)
    result = app.send_task("add")

    with pytest.raises(ImproperlyConfigured, match="no result backend"):
        result.get()
    with pytest.raises(ImproperlyConfigured, match="no result backend"):
        _ = result.state


def test_revoke_tells_the_store_also_when_no_node_hears_it(app: Celery) -> None:
    first, second = declare(app).delay(1, 2), declare(app).delay(3, 4)

    first.revoke()
    second.revoke(terminate=True, signal="KILL", wait=True, timeout=0.01)

    assert app.store.rules().revoked == {first.id, second.id}


def test_inside_a_task_get_is_refused_unless_it_is_allowed(app: Celery) -> None:
    store(app, "done", "SUCCESS", 7)

    @app.task
    def waits() -> Any:
        return app.AsyncResult("done").get(timeout=1)

    @app.task
    def knows_better() -> Any:
        with allow_join_result():
            return app.AsyncResult("done").get(timeout=1)

    first, second = waits.delay(), knows_better.delay()
    serve(app)

    with pytest.raises(RuntimeError, match="never wait for a result inside a task"):
        first.get(timeout=1)
    assert second.get(timeout=1) == 7


def test_children_are_the_tasks_that_a_task_sent(app: Celery) -> None:
    add = declare(app)

    @app.task
    def parent() -> str:
        child: str = add.delay(1, 1).id
        return child

    result = parent.delay()
    serve(app)
    serve(app)

    [child] = result.children
    assert (child.id, child.get(timeout=1)) == (result.get(timeout=1), 2)


def test_a_child_knows_its_parent_and_its_root(app: Celery) -> None:
    seen: list[tuple[str | None, str | None]] = []

    @app.task(bind=True)
    def child(self: Any) -> None:
        seen.append((self.request.parent_id, self.request.root_id))

    @app.task
    def parent() -> None:
        child.delay()

    result = parent.delay()
    serve(app)
    serve(app)

    assert seen == [(result.id, result.id)]


def test_two_results_of_one_id_are_equal_and_text_of_it_too(app: Celery) -> None:
    assert app.AsyncResult("a") == app.AsyncResult("a") == "a"
    assert str(app.AsyncResult("a")) == "a"
    assert app.AsyncResult("a").as_tuple() == (("a", None), None)


def test_an_app_that_nobody_made_is_an_error_and_not_a_guess(app: Celery) -> None:
    with pytest.raises(ValueError, match="id"):
        AsyncResult("", app=app)


def test_many_threads_wait_for_one_result_with_one_subscription(app: Celery) -> None:
    result = declare(app).delay(1, 2)
    got: list[int] = []
    waiters = [threading.Thread(target=lambda: got.append(app.AsyncResult(result.id).get(timeout=30))) for _ in range(20)]

    for waiter in waiters:
        waiter.start()
    serve(app)
    for waiter in waiters:
        waiter.join(30)

    assert got == [3] * 20


def test_a_group_is_sent_in_one_call_and_its_values_come_in_order(app: Celery) -> None:
    add = declare(app)

    results = group(add.s(i, i) for i in range(50)).apply_async()
    before = (results.ready(), results.completed_count())
    serve(app)

    assert before == (False, 0)
    assert results.get(timeout=5) == [2 * i for i in range(50)]
    assert (results.ready(), results.successful(), results.failed(), results.completed_count()) == (True, True, False, 50)
    assert [result.get(timeout=1) for result in results] == [2 * i for i in range(50)]
    assert sorted(results.iterate(timeout=1)) == [2 * i for i in range(50)]


def test_a_group_raises_the_first_failure_or_returns_it_among_the_values(app: Celery) -> None:
    @app.task
    def odd(x: int) -> int:
        if x % 2 == 0:
            raise ValueError(x)
        return x

    results = group([odd.s(1), odd.s(2), odd.s(3)]).apply_async()
    serve(app)

    with pytest.raises(ValueError, match="2"):
        results.get(timeout=1)
    values: list[Any] = list(results.get(timeout=1, propagate=False))
    first, failed, last = values
    assert (first, type(failed), last) == (1, ValueError, 3)
    assert (results.failed(), results.completed_count()) == (True, 2)


def test_an_empty_group_has_no_values(app: Celery) -> None:
    results: GroupResult[int] = group([], app=app).apply_async()

    assert (results.get(timeout=1), results.ready(), len(results)) == ([], True, 0)


def test_members_of_a_group_bear_its_id_and_their_place(app: Celery) -> None:
    results = group(declare(app).s(i, 0) for i in range(3)).apply_async(countdown=0, priority=2)

    messages = waiting(app)
    assert [(message.group, message.group_index, message.priority) for message in messages] == [
        (results.id, i, 2) for i in range(3)
    ]


def test_coroutines_send_and_wait_without_blocking_their_loop() -> None:
    app = Celery("loop", broker="memory://loop", backend="memory://loop", set_as_current=False)
    add = declare(app)

    async def program() -> list[int]:
        results = await asyncio.gather(*(add.adelay(i, 1) for i in range(100)))
        serving = asyncio.to_thread(serve_in_thread, app)
        values, _ = await asyncio.gather(asyncio.gather(*results), serving)
        return list(values)

    values = asyncio.run(program())
    app.close()

    assert values == [i + 1 for i in range(100)]


def serve_in_thread(app: Celery) -> None:
    serve(app)


def test_a_coroutine_gives_up_after_its_timeout() -> None:
    app = Celery("loop", broker="memory://loop-timeout", backend="memory://loop-timeout", set_as_current=False)

    async def program() -> None:
        with pytest.raises(TimeoutError):
            await app.AsyncResult("never").aget(timeout=0.01)

    asyncio.run(program())
    app.close()


def test_a_group_is_awaited_as_one() -> None:
    app = Celery("loop", broker="memory://loop-group", backend="memory://loop-group", set_as_current=False)
    add = declare(app)

    async def program() -> Any:
        results = await group(add.s(i, i) for i in range(10)).aapply_async()
        serve_later = asyncio.to_thread(serve_in_thread, app)
        values, _ = await asyncio.gather(results, serve_later)
        return values

    values = asyncio.run(program())
    app.close()

    assert values == [2 * i for i in range(10)]


def test_coroutines_learn_that_there_is_no_result_backend() -> None:
    app = Celery("none", broker="memory://no-results-loop", set_as_current=False)

    async def program() -> None:
        with pytest.raises(ImproperlyConfigured, match="no result backend"):
            await app.AsyncResult("a").aget()

    asyncio.run(program())
    app.close()


def test_a_stored_error_of_ours_comes_back_as_itself(app: Celery) -> None:
    store(app, "a", "FAILURE", SoftTimeLimitExceeded(3))

    with pytest.raises(SoftTimeLimitExceeded):
        app.AsyncResult("a").get(timeout=1)


def test_new_ids_are_uuids_of_version_4_and_never_the_same() -> None:
    runtime = SystemRuntime()

    ids = {runtime.new_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert all(str(uuid.UUID(id)) == id and uuid.UUID(id).version == 4 and uuid.UUID(id).variant == uuid.RFC_4122 for id in ids)


def test_a_state_that_is_told_twice_is_heard_once(app: Celery) -> None:
    seen: list[str] = []

    def listen(meta: dict[str, Any]) -> None:
        seen.append(meta["status"])
        if len(seen) == 1:
            store(app, "a", "PROGRESS", 1)
            store(app, "a", "PROGRESS", 2)
            store(app, "a", "SUCCESS", 3)

    store(app, "a", "PROGRESS", 1)
    app.AsyncResult("a").get(timeout=5, on_message=listen)

    assert seen == ["PROGRESS", "PROGRESS", "SUCCESS"]


def test_with_result_extended_a_state_on_the_way_tells_of_the_call(app: Celery) -> None:
    app.conf.result_extended = True
    seen: list[Any] = []

    @app.task(name="reports", bind=True)
    def reports(self: Any, x: int) -> None:
        self.update_state(state="PROGRESS", meta={"of": 3})
        result = self.AsyncResult(self.request.id)
        seen.append((result.state, result.info, app.AsyncResult(result.id).name, result.args, result.worker, result.queue))

    reports.delay(7)
    serve(app)

    assert seen == [("PROGRESS", {"of": 3}, "reports", [7], "node@here", "celery")]


def test_children_that_are_a_group_are_a_group_result(app: Celery) -> None:
    after_another: list[Any] = [["one", [["before", None], None]], None]
    of_a_group: list[Any] = [["group-id", None], [[["two", None], None], [["three", None], None]]]
    children = [after_another, of_a_group]
    meta = TaskMeta(task_id="a", status="SUCCESS", result=1, children=children)
    app.store.store_results([StoredResult("a", "SUCCESS", taskmeta.encode(meta))])

    found = app.AsyncResult("a").children

    assert [child.id for child in found] == ["one", "group-id"]
    assert isinstance(found[1], GroupResult)
    assert [member.id for member in found[1]] == ["two", "three"]
    assert found[0].as_list() == ["one", "before"]


class Overtaking(Watching):
    """A store that tells of the second failure while what it has loaded of the first is still on its way."""

    def load(self, ids: Sequence[str]) -> Any:
        if "end" in ids and self.store.load(["end"]) == [None]:
            self.store.store_results([failure("first", ValueError("why")), failure("end", KeyError("a consequence"))])
            return [None for _ in ids]
        return self.store.load(ids)


def failure(id: str, error: Exception) -> StoredResult:
    return StoredResult(id, "FAILURE", taskmeta.encode(TaskMeta(task_id=id, status="FAILURE", result=error)))


class Deaf(Overtaking):
    """And it announces of the first nothing at all: it had ended before anybody listened."""

    def watch(self, ids: Sequence[str], notify: Any) -> None:
        self.store.watch([id for id in ids if id != "first"], notify)


def test_what_failed_first_is_raised_even_when_its_consequence_is_heard_first() -> None:
    app = Over(Deaf)
    result: AsyncResult[Any] = AsyncResult("end", app=app, parent=AsyncResult("first", app=app))

    with pytest.raises(ValueError, match="why"):
        result.get(timeout=5)


def test_what_failed_first_is_raised_on_an_event_loop_too() -> None:
    app = Over(Deaf)
    result: AsyncResult[Any] = AsyncResult("end", app=app, parent=AsyncResult("first", app=app))

    with pytest.raises(ValueError, match="why"):
        asyncio.run(result.aget(timeout=5))
