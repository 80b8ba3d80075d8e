"""``apply`` and ``task_always_eager``: the run of a worker, here and now."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from celeriac import Celery, Ignore, MaxRetriesExceededError, Reject, Task
from celeriac.app.eager_result import EagerResult
from celeriac.core.errors import EncodeError
from unit.app.serving import waiting


def eager(app: Celery, **settings: Any) -> Celery:
    app.conf.update(task_always_eager=True, **settings)
    return app


def test_apply_runs_here_and_returns_how_it_ended(app: Celery) -> None:
    @app.task
    def add(x: int, y: int) -> int:
        return x + y

    result = add.apply((1, 2))

    assert isinstance(result, EagerResult)
    assert (result.get(), result.state, result.successful()) == (3, "SUCCESS", True)
    assert waiting(app) == []


def test_apply_keeps_an_exception_unless_it_is_to_be_thrown(app: Celery) -> None:
    @app.task
    def fail() -> None:
        raise ValueError("no")

    result = fail.apply()

    assert (result.state, type(result.result)) == ("FAILURE", ValueError)
    assert "raise ValueError" in (result.traceback or "")
    with pytest.raises(ValueError, match="no"):
        result.get()
    with pytest.raises(ValueError, match="no"):
        fail.apply(throw=True)
    app.conf.task_eager_propagates = True
    with pytest.raises(ValueError, match="no"):
        fail.apply()


def test_a_request_of_apply_says_that_it_is_eager(app: Celery) -> None:
    @app.task(bind=True)
    def seen(self: Any) -> list[Any]:
        request = self.request
        return [request.is_eager, request.called_directly, request.id, request.retries, request.delivery_info["is_eager"]]

    assert seen.apply(task_id="one").get() == [True, False, "one", 0, True]


@pytest.mark.parametrize("how", ["apply", "apply_async"])
def test_headers_of_the_caller_are_seen_here_as_in_a_worker_in_each_try(app: Celery, how: str) -> None:
    @eager(app).task(bind=True)
    def seen(self: Any) -> list[Any]:
        if self.request.retries < 1:
            raise self.retry(countdown=0)
        return [self.request.headers, self.request.tenant]

    assert getattr(seen, how)(headers={"tenant": "acme"}).get() == [{"tenant": "acme"}, "acme"]


def test_retries_run_at_once_until_there_are_none_left(app: Celery) -> None:
    tried = []

    @app.task(bind=True, max_retries=2, default_retry_delay=3600)
    def flaky(self: Any, enough: int) -> int:
        tried.append(self.request.retries)
        if self.request.retries < enough:
            raise self.retry()
        return int(self.request.retries)

    assert flaky.apply((2,)).get() == 2
    assert tried == [0, 1, 2]
    assert isinstance(flaky.apply((9,)).result, MaxRetriesExceededError)


def test_autoretry_holds_here_too(app: Celery) -> None:
    tried = []

    @app.task(autoretry_for=(OSError,), retry_backoff=True, max_retries=3)
    def flaky() -> int:
        tried.append(1)
        if len(tried) < 3:
            raise OSError("away")
        return len(tried)

    assert flaky.apply().get() == 3


def test_ignored_and_rejected_runs_have_celerys_states(app: Celery) -> None:
    @app.task
    def ignore() -> None:
        raise Ignore

    @app.task
    def reject() -> None:
        raise Reject("no", requeue=False)

    assert ignore.apply().state == "IGNORED"
    assert reject.apply().state == "REJECTED"


def test_always_eager_sends_nothing_and_runs_delay_and_signatures_here(app: Celery) -> None:
    @eager(app).task
    def add(x: int, y: int) -> int:
        return x + y

    assert add.delay(1, 2).get() == 3
    assert add.apply_async((1, 2), countdown=3600).get() == 3
    assert add.s(1).delay(2).get() == 3
    assert waiting(app) == []


def test_always_eager_arguments_become_bytes_and_come_back(app: Celery) -> None:
    @eager(app).task
    def kind(*values: Any) -> list[str]:
        return [type(value).__name__ for value in values]

    assert kind.delay((1, 2), {1: 2}, datetime(2026, 1, 1)).get() == ["list", "dict", "datetime"]
    with pytest.raises(EncodeError):
        kind.delay(object())


def test_always_eager_may_be_set_after_a_task_was_used(app: Celery) -> None:
    @app.task
    def one() -> int:
        return 1

    one.delay()
    app.conf.task_always_eager = True

    assert one.delay().get() == 1
    assert len(waiting(app)) == 1


def test_callbacks_are_called_with_the_result_and_errbacks_with_the_id(app: Celery) -> None:
    heard: list[Any] = []

    @eager(app).task
    def note(*facts: Any) -> None:
        heard.append(list(facts))

    @app.task
    def note_id(id: str) -> None:
        heard.append(id)

    @app.task
    def half(x: int) -> float:
        return x / 2

    @app.task
    def fail() -> None:
        raise ValueError

    half.apply_async((4,), link=note.s("kept"))
    failed = fail.apply_async(link_error=[note.s(), note_id.s()])

    assert heard[0] == [2.0, "kept"]
    assert (heard[1][0].id, type(heard[1][1])) == (failed.id, ValueError)
    assert heard[2:] == [failed.id]


def test_results_are_stored_only_when_that_is_asked_for(app: Celery) -> None:
    @eager(app).task
    def one() -> int:
        return 1

    quiet = one.delay()
    app.conf.task_store_eager_result = True
    kept = one.delay()

    assert app.AsyncResult(quiet.id).state == "PENDING"
    assert app.AsyncResult(kept.id).get() == 1


def test_coroutines_run_with_and_without_a_loop_in_this_thread(app: Celery) -> None:
    @app.task
    async def slow(x: int) -> int:
        await asyncio.sleep(0)
        return x

    @app.task
    def plain(x: int) -> int:
        return x

    async def program() -> Any:
        inside = slow.apply((2,)).get()
        eager(app)
        sent = await slow.adelay(3)
        return [inside, await sent.aget(), await (await plain.adelay(4)).aget()]

    alone: Any = slow.apply((1,)).get()
    assert alone == 1
    assert asyncio.run(program()) == [2, 3, 4]


def test_a_coroutine_beside_a_running_loop_sees_its_own_request(app: Celery) -> None:
    @app.task(bind=True)
    async def seen(self: Any) -> str:
        await asyncio.sleep(0)
        return str(self.request.id)

    async def program() -> Any:
        return seen.apply(task_id="inside").get()

    assert asyncio.run(program()) == "inside"


def test_a_result_that_is_to_be_ignored_is_not_stored_here_either(app: Celery) -> None:
    @eager(app, task_store_eager_result=True).task(ignore_result=True)
    def quiet() -> int:
        return 1

    of_the_task, of_the_call = quiet.delay(), quiet.apply_async(ignore_result=False)

    assert (app.AsyncResult(of_the_task.id).state, app.AsyncResult(of_the_call.id).state) == ("PENDING", "SUCCESS")


@pytest.mark.parametrize("heard_of", [False, True])
def test_a_result_that_cannot_be_stored_is_a_failure_here_too(app: Celery, heard_of: bool) -> None:
    heard: list[str] = []

    declare: Any = eager(app, task_store_eager_result=True).task
    handlers = {"on_failure": lambda *facts: heard.append("failed")} if heard_of else {}
    work = declare(name="work", **handlers)(lambda: object())

    @app.task
    def after(x: Any) -> None:
        heard.append("linked")

    result = work.apply_async(link=after.s())

    assert (result.state, type(result.result), app.AsyncResult(result.id).state) == ("FAILURE", EncodeError, "FAILURE")
    assert heard == ["failed"] * heard_of


def test_the_trail_is_the_parents_to_keep_here_as_in_a_worker(app: Celery) -> None:
    @eager(app).task(trail=False)
    def child() -> None: ...

    def call() -> None:
        child.apply_async(add_to_parent=False)
        child.apply_async(task_id="child")

    parent, forgetful = app.task(name="parent")(call), app.task(name="forgetful", trail=False)(call)

    assert [each.id for each in parent.delay().children] == ["child"]
    assert forgetful.delay().children == []


def test_handlers_are_called_here_too(app: Celery) -> None:
    heard: list[Any] = []

    class Told(Task[..., Any]):
        def on_failure(self, exc: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            heard.append((task_id, type(exc)))

    @app.task(base=Told)
    def fail() -> None:
        raise ValueError

    fail.apply(task_id="x")

    assert heard == [("x", ValueError)]


def test_inside_an_eager_task_results_of_eager_children_may_be_read(app: Celery) -> None:
    @eager(app).task
    def child() -> int:
        return 1

    @app.task
    def parent() -> int:
        return child.delay().get(disable_sync_subtasks=False) + 1

    result = parent.delay()

    assert result.get() == 2
    assert [each.get() for each in result.children] == [1]


def test_a_rejected_run_tells_its_errbacks_as_a_worker_does(app: Celery) -> None:
    heard: list[Any] = []

    @eager(app).task
    def called(request: Any, exc: Any, traceback: Any) -> None:
        heard.append((request.id, type(exc)))

    @app.task
    def sent(id: str) -> None:
        heard.append(id)

    @app.task
    def reject() -> None:
        raise Reject("no", requeue=False)

    result = reject.apply_async(link_error=[called.s(), sent.s()])

    assert (result.state, heard) == ("REJECTED", [(result.id, Reject), result.id])
