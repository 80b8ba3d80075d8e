"""Being called when a task has ended, without waiting; and nothing left behind by those who were not."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from celeriac import AsyncResult, Celery
from celeriac.app.results.promise import Promise
from system.patience import eventually


class Calls:
    """What was called, in whatever thread; a test waits until it is enough."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._come = threading.Semaphore(0)

    def __call__(self, value: Any) -> None:
        self.seen.append(value)
        self._come.release()

    def after(self, count: int) -> list[Any]:
        for _ in range(count):
            assert self._come.acquire(timeout=30)
        return self.seen


def test_then_returns_at_once_and_calls_back_at_the_end(app: Celery) -> None:
    calls, result = Calls(), app.AsyncResult("a")

    promise = result.then(calls)
    assert promise.ready is False
    app.backend.store_result("a", {"current": 1}, "PROGRESS")
    app.backend.mark_as_done("a", 3)

    assert calls.after(1) == [result]
    assert (promise.ready, promise.value, result.get(timeout=0)) == (True, result, 3)


def test_a_failed_task_calls_the_callback_or_the_one_for_errors(app: Celery) -> None:
    calls, errors = Calls(), Calls()
    app.AsyncResult("a").then(calls)
    app.AsyncResult("a").then(calls, on_error=errors)

    app.backend.mark_as_failure("a", KeyError("gone"))

    assert [result.state for result in calls.after(1)] == ["FAILURE"]
    assert [type(error) for error in errors.after(1)] == [KeyError]


def test_who_asks_after_the_end_is_called_as_well(app: Celery) -> None:
    calls, result = Calls(), app.AsyncResult("a")
    app.backend.mark_as_done("a", 3)

    result.then(calls)
    calls.after(1)
    result.on_ready.then(calls)

    assert calls.after(1) == [result, result]


def test_a_callback_that_fails_is_logged_and_keeps_nobody_from_his_call(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    calls, errors, result = Calls(), Calls(), app.AsyncResult("a")

    def fail(_: Any) -> None:
        raise RuntimeError("a mistake of the user's")

    result.then(fail)
    result.then(fail, on_error=errors)
    result.then(calls)
    app.backend.mark_as_done("a", 3)

    assert calls.after(1) == [result]
    assert [type(error) for error in errors.after(1)] == [RuntimeError]
    assert "a mistake of the user's" in caplog.text


def test_a_set_calls_back_when_the_last_of_its_members_has_ended(app: Celery) -> None:
    calls, results = Calls(), app.ResultSet([app.AsyncResult("a"), app.AsyncResult("b")])

    results.then(calls)
    app.backend.mark_as_done("a", 1)
    app.backend.mark_as_done("b", 2)

    assert calls.after(1) == [results]
    results.add(app.AsyncResult("c"))
    results.then(calls)
    app.backend.mark_as_done("c", 3)
    assert calls.after(1) == [results, results]


def test_a_set_that_was_added_to_after_its_end_calls_back_at_the_end_of_the_newcomer_too(app: Celery) -> None:
    before, after, results = Calls(), Calls(), app.ResultSet([app.AsyncResult("a")])
    app.backend.mark_as_done("a", 1)
    results.then(before)
    before.after(1)

    results.add(app.AsyncResult("b"))
    results.then(after)
    early = list(after.seen)
    app.backend.mark_as_done("b", 2)

    assert (early, after.after(1)) == ([], [results])
    assert results.get(timeout=0) == [1, 2]


def test_many_callbacks_need_one_thread(app: Celery) -> None:
    calls, before = Calls(), threading.active_count()
    results = [app.AsyncResult(str(number)) for number in range(500)]

    for result in results:
        result.then(calls)
    between = threading.active_count()
    for result in results:
        app.backend.mark_as_done(result.id, 1)

    assert len(calls.after(500)) == 500
    assert between - before <= 2  # one that subscribes, one that calls


def test_a_result_that_wants_to_be_kept_weakly_is_dropped_with_its_subscription(app: Celery) -> None:
    calls, result = Calls(), app.AsyncResult("a")
    result.then(calls, weak=True)
    eventually(lambda: app.results.waiting.size == 1, what="the subscription")

    dropped = weakref.ref(result)
    del result
    gc.collect()

    assert dropped() is None
    eventually(lambda: app.results.waiting.size == 0, what="the end of the subscription")
    assert calls.seen == []


def test_a_result_that_is_dropped_leaves_nothing_behind_while_somebody_else_waits(app: Celery) -> None:
    got: list[int] = []
    waiter = threading.Thread(target=lambda: got.append(app.AsyncResult("a").get(timeout=30)))
    waiter.start()
    eventually(lambda: app.results.waiting.size == 1, what="the subscription")

    dropped = AsyncResult[int]("a", app=app)
    with pytest.raises(TimeoutError):
        dropped.get(timeout=0)
    gone = weakref.ref(dropped)
    del dropped

    assert gone() is None
    assert app.results.waiting.size == 1
    app.backend.mark_as_done("a", 3)
    waiter.join(30)
    assert got == [3]
    assert app.results.waiting.size == 0


def test_an_iterator_that_is_left_early_leaves_no_subscription(app: Celery) -> None:
    results = app.ResultSet([app.AsyncResult("a"), app.AsyncResult("never")])
    app.backend.mark_as_done("a", 1)

    for id_, _ in results.iter_native(timeout=30):
        assert id_ == "a"
        break
    gc.collect()

    assert app.results.waiting.size == 0


def test_without_a_result_backend_nobody_is_called_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = Celery("none", broker="memory://then-no-results", set_as_current=False)

    app.AsyncResult("a").then(lambda _: None)

    eventually(lambda: "no result backend" in caplog.text, what="the line in the log")
    app.close()


def test_a_callback_may_close_the_app(app: Celery) -> None:
    calls = Calls()

    def close(result: AsyncResult[Any]) -> None:
        app.close()
        calls(result)

    app.AsyncResult("a").then(close)
    app.backend.mark_as_done("a", 1)

    assert calls.after(1) == ["a"]


def test_a_promise_raises_what_it_is_told_to() -> None:
    with pytest.raises(KeyError, match="a"):
        Promise().throw(KeyError("a"))
