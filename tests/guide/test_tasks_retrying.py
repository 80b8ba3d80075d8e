"""The examples of Celery's chapter "Tasks", about retrying: by hand, by rule, after which delay, how often."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from celeriac import Celery, MaxRetriesExceededError, Retry, Task, signals, states
from guide.bank import Busy
from guide.conftest import Serve
from system.patience import eventually


@pytest.fixture
def waits() -> Iterator[list[float | None]]:
    """Give the seconds that each retry is to wait."""
    seconds: list[float | None] = []

    def note(reason: Retry, **_named: Any) -> None:
        seconds.append(reason.when if isinstance(reason.when, int | float) else None)

    signals.task_retry.connect(note)
    yield seconds
    signals.task_retry.disconnect(note)


def test_a_task_asks_to_be_tried_again_with_the_same_id(app: Celery, serve: Serve) -> None:
    attempts: list[tuple[str, int]] = []

    @app.task(bind=True)
    def transfer(self: Any, amount: int) -> int:
        attempts.append((self.request.id, self.request.retries))
        try:
            if self.request.retries < 2:
                raise Busy
        except Busy as error:
            raise self.retry(exc=error, countdown=0)  # noqa: B904 - as everybody writes it
        return amount

    serve()
    result = transfer.delay(7)

    assert result.get(timeout=5) == 7
    assert attempts == [(result.id, 0), (result.id, 1), (result.id, 2)]


def test_while_it_waits_its_state_is_retry_with_exception_and_traceback(app: Celery, serve: Serve) -> None:
    @app.task(bind=True, default_retry_delay=30 * 60)
    def transfer(self: Any) -> None:
        try:
            raise Busy("come back later")
        except Busy as error:
            raise self.retry(exc=error)  # noqa: B904 - as everybody writes it

    serve()
    result = transfer.delay()
    eventually(lambda: result.state == states.RETRY, what="it waits")

    assert isinstance(result.info, Exception)
    assert "come back later" in str(result.info)
    assert "raise self.retry" in (result.traceback or "") or "raise Busy" in (result.traceback or "")
    assert not result.ready()
    assert app.store.scheduled() == 1


def test_a_retry_goes_to_the_queue_that_its_task_came_from(app: Celery, serve: Serve) -> None:
    @app.task(bind=True)
    def who(self: Any) -> str:
        if not self.request.retries:
            raise self.retry(countdown=0)
        return str(self.request.delivery_info["routing_key"])

    serve(queues=["aside"])

    assert who.apply_async(queue="aside").get(timeout=5) == "aside"


def test_the_default_delay_is_three_minutes_the_task_and_the_call_may_say_otherwise(
    app: Celery, serve: Serve, waits: list[float | None]
) -> None:
    def again(self: Any, /, **how: Any) -> None:
        raise self.retry(**how)

    tasks = [app.task(bind=True, name="default")(again), app.task(bind=True, name="own", default_retry_delay=30 * 60)(again)]
    serve()
    for task in tasks:
        call: Any = task
        call.delay()
        call.delay(countdown=60)

    eventually(lambda: len(waits) == 4, what="all four wait")
    assert waits == [180, 60, 1800, 60]


def test_what_comes_after_retry_is_not_reached_unless_throw_is_false(app: Celery, serve: Serve) -> None:
    reached: list[str] = []

    @app.task(bind=True)
    def work(self: Any, throw: bool) -> str:
        if not self.request.retries:
            self.retry(countdown=0, throw=throw)
            reached.append("after retry")
            return "first"
        return "second"

    serve()

    assert work.delay(True).get(timeout=5) == "second"
    assert reached == []
    work.delay(False).get(timeout=5)
    eventually(lambda: reached == ["after retry"], what="the first attempt went on")


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(("exc", "raised"), [(Busy("queue of 9"), Busy), (None, MaxRetriesExceededError)])
def test_after_the_last_retry_the_caller_sees_the_given_exception_or_that_retries_are_used_up(
    app: Celery, serve: Serve, inside: bool, exc: Exception | None, raised: type[Exception]
) -> None:
    attempts: list[int] = []

    @app.task(bind=True, max_retries=2, default_retry_delay=0)
    def transfer(self: Any) -> None:
        attempts.append(self.request.retries)
        if not inside:
            raise self.retry(exc=exc)
        try:
            raise ConnectionError
        except ConnectionError:
            raise self.retry(exc=exc)  # noqa: B904 - as everybody writes it

    serve()

    with pytest.raises(raised):
        transfer.delay().get(timeout=5)
    assert attempts == [0, 1, 2]


def test_known_exceptions_are_retried_by_rule(app: Celery, serve: Serve) -> None:
    @app.task(bind=True, autoretry_for=(ConnectionError,), default_retry_delay=0)
    def refresh(self: Any) -> int:
        if self.request.retries < 2:
            raise ConnectionResetError("reset")
        return int(self.request.retries)

    serve()

    assert refresh.delay().get(timeout=5) == 2


def test_arguments_of_retry_may_be_given_to_the_rule(app: Celery, serve: Serve) -> None:
    attempts: list[int] = []

    @app.task(bind=True, autoretry_for=(LookupError,), retry_kwargs={"max_retries": 1, "countdown": 0})
    def find(self: Any) -> None:
        attempts.append(self.request.retries)
        raise KeyError("x")

    serve()

    with pytest.raises(KeyError):
        find.delay().get(timeout=5)
    assert attempts == [0, 1]


def test_any_exception_may_be_one_to_retry_after_but_for_some(app: Celery, serve: Serve) -> None:
    attempts: list[str] = []

    @app.task(autoretry_for=(Exception,), dont_autoretry_for=(TypeError,), max_retries=1, default_retry_delay=0)
    def work(how: str) -> None:
        attempts.append(how)
        raise (TypeError if how == "wrong" else ValueError)(how)

    serve()
    for how in ("bad", "wrong"):
        with pytest.raises((TypeError, ValueError), match=how):
            work.delay(how).get(timeout=5)

    assert attempts == ["bad", "bad", "wrong"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"retry_backoff": True, "retry_jitter": False}, [1, 2, 4, 8, 16]),
        ({"retry_backoff": 3, "retry_jitter": False}, [3, 6, 12, 24, 48]),
        ({"retry_backoff": 200, "retry_jitter": False}, [200, 400, 600, 600, 600]),
        ({"retry_backoff": True, "retry_jitter": False, "retry_backoff_max": 5}, [1, 2, 4, 5, 5]),
    ],
)
def test_pauses_between_retries_by_rule_grow(
    app: Celery, serve: Serve, waits: list[float | None], options: dict[str, Any], expected: list[int]
) -> None:
    @app.task(autoretry_for=(ConnectionError,), max_retries=None, **options)
    def fetch() -> None:
        raise ConnectionError

    serve()
    for retries in range(5):
        fetch.apply_async(retries=retries)

    eventually(lambda: len(waits) == 5, what="all wait")
    assert waits == expected


def test_jitter_spreads_the_pauses_below_the_computed_one(app: Celery, serve: Serve, waits: list[float | None]) -> None:
    @app.task(autoretry_for=(ConnectionError,), retry_backoff=1000, retry_backoff_max=1000)
    def fetch() -> None:
        raise ConnectionError

    serve()
    for _ in range(10):
        fetch.delay()

    eventually(lambda: len(waits) >= 10, what="all wait; whose pause is short may wait again")
    assert all(seconds is not None and 0 <= seconds <= 1000 for seconds in waits)
    assert len(set(waits)) > 1


def test_a_class_may_have_the_rules(app: Celery, serve: Serve, waits: list[float | None]) -> None:
    class Stubborn(Task[..., Any]):
        autoretry_for = (TypeError,)
        max_retries = 5
        retry_backoff = True
        retry_backoff_max = 700
        retry_jitter = False

    @app.task(base=Stubborn)
    def work() -> None:
        raise TypeError("no")

    serve()
    for retries in range(6):
        work.apply_async(retries=retries)

    eventually(lambda: len(waits) == 5, what="five wait")
    assert waits == [1, 2, 4, 8, 16]


def test_without_a_limit_a_task_is_retried_for_ever(app: Celery, serve: Serve) -> None:
    @app.task(bind=True, max_retries=None)
    def work(self: Any) -> int:
        if self.request.retries < 12:
            raise self.retry(countdown=0)
        return int(self.request.retries)

    serve()

    assert work.delay().get(timeout=10) == 12


def test_a_retry_may_be_given_a_date(app: Celery, serve: Serve) -> None:
    due = datetime.now(UTC) + timedelta(seconds=0.3)

    @app.task(bind=True)
    def work(self: Any) -> float:
        if not self.request.retries:
            raise self.retry(eta=due)
        return time.time()

    serve()

    assert work.delay().get(timeout=5) >= due.timestamp()
