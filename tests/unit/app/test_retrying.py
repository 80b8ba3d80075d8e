"""Running again: asked for by the task, or by its rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from celeriac import Celery, MaxRetriesExceededError, Retry
from celeriac.core.outcome import Failure, Retried, Success
from celeriac.testing.clock import VirtualRuntime
from unit.app.serving import serve


def test_a_retry_is_the_same_call_later_with_one_retry_more(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True)
    def work(self: Any, x: int) -> int:
        if self.request.retries == 0:
            raise self.retry(countdown=30)
        return x

    result = work.apply_async((5,), headers={"tenant": "a"}, priority=3)
    [first] = serve(app)
    meanwhile = (result.state, serve(app))
    clock.advance(31)
    [second] = serve(app)

    assert isinstance(first, Retried)
    assert meanwhile == ("RETRY", [])
    assert (first.again.id, first.again.retries, first.again.parent_id) == (result.id, 1, result.id)
    assert (first.again.headers, first.again.priority) == ({"tenant": "a"}, 3)
    assert second == Success(5)


def test_without_a_time_it_waits_for_the_default_delay(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True, default_retry_delay=7)
    def work(self: Any) -> None:
        self.retry()

    work.delay()
    now = clock.now()
    [outcome] = serve(app)

    assert isinstance(outcome, Retried)
    assert outcome.again.eta == now + timedelta(seconds=7)


def test_when_no_retries_are_left_the_given_exception_is_raised(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True, max_retries=1)
    def work(self: Any) -> None:
        raise self.retry(exc=ValueError("the reason"), countdown=0)

    result = work.delay()
    serve(app)
    serve(app)

    with pytest.raises(ValueError, match="the reason"):
        result.get(timeout=1)


def test_when_no_retries_are_left_and_nothing_was_given_it_says_so(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True, max_retries=0)
    def work(self: Any) -> None:
        raise self.retry()

    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Failure)
    assert isinstance(outcome.exception, MaxRetriesExceededError)
    assert "Can't retry" in str(outcome.exception)


def test_a_limit_given_to_retry_holds_for_this_time(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True, max_retries=None)
    def work(self: Any) -> None:
        self.retry(max_retries=0, exc=ValueError("stop"))

    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Failure)
    assert isinstance(outcome.exception, ValueError)


def test_a_retry_may_change_arguments_however_they_were_passed(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True)
    def by_keyword(self: Any, a: int, b: int) -> tuple[int, int]:
        if self.request.retries == 0:
            raise self.retry(kwargs={"a": 10}, countdown=0)
        return a, b

    @app.task(bind=True)
    def by_position(self: Any, a: int, b: int) -> tuple[int, int]:
        if self.request.retries == 0:
            raise self.retry(args=(10,), countdown=0)
        return a, b

    by_keyword.delay(1, 2)
    by_position.delay(a=1, b=2)
    serve(app)

    assert serve(app) == [Success((10, 2)), Success((10, 2))]


def test_called_as_a_function_a_task_that_would_retry_raises_its_error(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        try:
            raise KeyError("cause")
        except KeyError as error:
            raise self.retry(exc=error) from error

    with pytest.raises(KeyError, match="cause"):
        work()


def test_called_as_a_function_without_a_reason_it_raises_retry(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        raise self.retry()

    with pytest.raises(Retry):
        work()


def test_a_retry_that_is_not_thrown_is_sent_and_the_run_goes_on(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True)
    def work(self: Any) -> str:
        if self.request.retries == 0:
            self.retry(countdown=0, throw=False)
        return f"run {self.request.retries}"

    work.delay()

    assert serve(app) == [Success("run 0")]
    assert serve(app) == [Success("run 1")]


def test_a_retry_cannot_move_to_another_queue_and_says_so(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        raise self.retry(queue="other")

    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Failure)
    assert "cannot change 'queue'" in str(outcome.exception)


def test_autoretry_runs_again_for_the_classes_it_names_and_no_others(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(autoretry_for=(OSError,), dont_autoretry_for=(FileNotFoundError,), retry_kwargs={"countdown": 0})
    def work(name: str) -> None:
        raise {"os": OSError, "file": FileNotFoundError, "value": ValueError}[name](name)

    for name in ("os", "file", "value"):
        work.delay(name)
    outcomes = serve(app)

    assert [type(outcome) for outcome in outcomes] == [Retried, Failure, Failure]


def test_autoretry_ends_with_the_exception_itself(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(autoretry_for=(OSError,), max_retries=2, retry_kwargs={"countdown": 0})
    def work() -> None:
        raise OSError("always")

    result = work.delay()
    ends = [serve(app) for _ in range(3)]

    assert [type(end[0]) for end in ends] == [Retried, Retried, Failure]
    with pytest.raises(OSError, match="always"):
        result.get(timeout=1)


def test_backoff_doubles_up_to_its_maximum(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(autoretry_for=(OSError,), max_retries=None, retry_backoff=2, retry_backoff_max=10, retry_jitter=False)
    def work() -> None:
        raise OSError

    work.delay()
    delays = []
    for _ in range(5):
        now = clock.now()
        [outcome] = serve(app)
        assert isinstance(outcome, Retried)
        assert outcome.again.eta is not None
        delays.append((outcome.again.eta - now).total_seconds())
        clock.advance(11)

    assert delays == [2, 4, 8, 10, 10]


def test_update_state_is_seen_by_whoever_looks(app: Celery) -> None:
    looked: list[tuple[str, Any]] = []

    @app.task(bind=True)
    def work(self: Any) -> None:
        self.update_state(state="PROGRESS", meta={"current": 3})
        result = app.AsyncResult(self.request.id)
        looked.append((result.state, result.info))

    work.delay()
    serve(app)

    assert looked == [("PROGRESS", {"current": 3})]


def test_update_state_outside_of_a_worker_tells_nobody(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> bool:
        self.update_state(state="PROGRESS")
        return bool(self.request.called_directly)

    assert work() is True
