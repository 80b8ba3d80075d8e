"""The examples of Celery's chapter "Calling Tasks": how a call is made, when it runs, what follows it.

Each is an example of that chapter in words and names of our own, and a test of what it does, on every store.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from celeriac import Celery, TaskRevokedError, group, states
from guide.conftest import Serve
from system.patience import eventually

INDIA = timezone(timedelta(hours=5, minutes=30))

# ---- Basics --------------------------------------------------------------------------------------------------------


def test_delay_and_apply_async_make_the_same_call(app: Celery, serve: Serve) -> None:
    @app.task
    def label(name: str, count: int, colour: str = "red") -> str:
        return f"{count} {colour} {name}"

    serve()

    assert label.delay("pens", 2, colour="blue").get(timeout=5) == "2 blue pens"
    assert label.apply_async(("pens",), {"count": 2, "colour": "blue"}).get(timeout=5) == "2 blue pens"
    assert label.apply_async(args=["pens", 2], kwargs={"colour": "blue"}).get(timeout=5) == "2 blue pens"


def test_calling_a_task_runs_it_here_and_sends_nothing(app: Celery) -> None:
    @app.task
    def thread() -> int:
        return threading.get_ident()

    assert thread() == threading.get_ident()
    assert list(app.store.depth(["celery"])) == [0]


def test_an_id_of_ones_own_finds_the_result(app: Celery, serve: Serve) -> None:
    @app.task
    def double(x: int) -> int:
        return 2 * x

    serve()
    sent = double.apply_async((21,), task_id="order-7")

    assert sent.id == "order-7"
    assert app.AsyncResult("order-7").get(timeout=5) == 42


def test_a_task_that_is_not_here_is_called_by_its_name(app: Celery, serve: Serve, url: str) -> None:
    app.task(name="far.away.double")(lambda x: 2 * x)
    serve()

    with Celery("caller", broker=url, backend=url, set_as_current=False) as caller:
        assert caller.send_task("far.away.double", (4,)).get(timeout=5) == 8


def test_a_signature_can_be_called_the_same_ways(app: Celery, serve: Serve) -> None:
    @app.task
    def minus(x: int, y: int, times: int = 1) -> int:
        return (x - y) * times

    serve()
    call = minus.s(9, 4, times=2)

    assert call.apply_async().get(timeout=5) == 10
    assert call.delay().get(timeout=5) == 10
    assert call() == 10


# ---- Linking -------------------------------------------------------------------------------------------------------


class Follower:
    """What callbacks and errbacks have seen."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._more = threading.Condition()

    def see(self, what: Any) -> None:
        """Note something."""
        with self._more:
            self.seen.append(what)
            self._more.notify_all()

    def wait(self, count: int = 1) -> list[Any]:
        """Return what was seen, when it is so much."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.seen) >= count, timeout=10), self.seen
            return self.seen


@pytest.fixture
def follower() -> Follower:
    return Follower()


def test_a_callback_is_called_with_the_result_before_its_own_arguments(app: Celery, serve: Serve) -> None:
    @app.task
    def power(base: int, exponent: int) -> int:
        return int(base**exponent)

    serve()
    first = power.apply_async((2, 3), link=power.s(2))

    assert first.get(timeout=5) == 8
    assert first.children[0].get(timeout=5) == 64


def test_several_callbacks_are_all_called(app: Celery, serve: Serve, follower: Follower) -> None:
    @app.task
    def price() -> int:
        return 5

    @app.task
    def book(amount: int, account: str) -> None:
        follower.see((account, amount))

    serve()
    price.apply_async(link=[book.s("sales"), book.s("taxes")])

    assert sorted(follower.wait(2)) == [("sales", 5), ("taxes", 5)]


def test_an_error_handler_is_called_with_request_exception_and_traceback(app: Celery, serve: Serve, follower: Follower) -> None:
    @app.task
    def divide(x: int, y: int) -> float:
        return x / y

    @app.task
    def tell(request: Any, error: BaseException, traceback: str) -> None:
        follower.see((request.id, type(error), "in divide" in str(traceback), threading.current_thread().name))

    serve()
    failed = divide.apply_async((1, 0), link_error=tell.s())
    with pytest.raises(ZeroDivisionError):
        failed.get(timeout=5)

    assert follower.wait() == [(failed.id, ZeroDivisionError, True, "guide-child")]


def test_several_error_handlers_old_and_new_are_all_told(app: Celery, serve: Serve, follower: Follower) -> None:
    @app.task
    def fail() -> None:
        raise LookupError("no such book")

    @app.task
    def by_id(id: str) -> None:
        follower.see(("by id", id))

    @app.task
    def by_request(request: Any, error: BaseException, traceback: str) -> None:
        follower.see(("by request", request.id))

    serve()
    failed = fail.apply_async(link_error=[by_id.s(), by_request.s()])

    assert sorted(follower.wait(2)) == [("by id", failed.id), ("by request", failed.id)]


def test_a_callback_is_not_called_after_a_failure_nor_an_errback_after_a_success(
    app: Celery, serve: Serve, follower: Follower
) -> None:
    @app.task
    def perhaps(works: bool) -> None:
        if not works:
            raise ValueError

    note = app.task(name="note")(lambda what, *_: follower.see(what))

    serve()
    for works in (True, False):
        perhaps.apply_async((works,), link=note.si("success"), link_error=note.si("failure"))

    assert sorted(follower.wait(2)) == ["failure", "success"]


# ---- On message ----------------------------------------------------------------------------------------------------


def test_every_state_on_the_way_is_handed_to_on_message(app: Celery, serve: Serve) -> None:
    steps: Any = {at: threading.Event() for at in (50, 90)}

    @app.task(bind=True)
    def copy(self: Any, files: int) -> str:
        for done, seen in steps.items():
            self.update_state(state="COPYING", meta={"percent": done})
            assert seen.wait(10)
        return f"{files} files"

    bodies = []

    def on_message(body: dict[str, Any]) -> None:
        bodies.append(body)
        if body["status"] == "COPYING":
            steps[body["result"]["percent"]].set()

    serve()
    result = copy.delay(3)
    value = result.get(timeout=10, on_message=on_message, propagate=False)

    assert value == "3 files"
    assert [(body["status"], body["result"]) for body in bodies] == [
        ("COPYING", {"percent": 50}),
        ("COPYING", {"percent": 90}),
        ("SUCCESS", "3 files"),
    ]
    assert {"task_id", "status", "result", "traceback", "children"} <= set(bodies[-1])


# ---- ETA, countdown, expiry ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["countdown", "eta", "eta elsewhere"])
def test_a_task_does_not_run_before_its_time(app: Celery, serve: Serve, how: str) -> None:
    @app.task(bind=True)
    def now(self: Any) -> tuple[float, str]:
        return time.time(), self.request.eta

    serve()
    due = datetime.now(UTC) + timedelta(seconds=0.4)
    ways: Any = {"countdown": {"countdown": 0.4}, "eta": {"eta": due}, "eta elsewhere": {"eta": due.astimezone(INDIA)}}
    ran, eta = now.apply_async(**ways[how]).get(timeout=10)

    assert ran >= due.timestamp()
    assert abs((datetime.fromisoformat(eta) - due).total_seconds()) < 5


@pytest.mark.parametrize("expires", [0.05, timedelta(seconds=0.05), "a date"])
def test_a_task_that_expires_before_it_starts_is_revoked(app: Celery, serve: Serve, expires: Any) -> None:
    ran = []

    @app.task
    def report() -> None:
        ran.append(1)

    moment = datetime.now(UTC) + timedelta(seconds=0.05)
    late = report.apply_async(expires=moment if expires == "a date" else expires)
    in_time = report.apply_async(expires=60)
    eventually(lambda: datetime.now(UTC) > moment + timedelta(seconds=0.1), what="it has expired")
    serve()

    with pytest.raises(TaskRevokedError):
        late.get(timeout=5)
    in_time.get(timeout=5)
    assert (late.state, ran) == (states.REVOKED, [1])


def test_a_countdown_and_an_expiry_go_together(app: Celery, serve: Serve) -> None:
    @app.task
    def greet() -> str:
        return "hello"

    serve()

    assert greet.apply_async(countdown=0.1, expires=120).get(timeout=5) == "hello"


# ---- Several at once, routing, results -----------------------------------------------------------------------------


def test_a_connection_and_a_publisher_may_be_held_for_several_calls(app: Celery, serve: Serve) -> None:
    @app.task
    def square(x: int) -> int:
        return x * x

    serve()
    with app.pool.acquire(block=True) as connection, app.amqp.Producer(connection) as producer:
        results = [square.apply_async((number,), producer=producer, connection=connection) for number in (2, 3, 5)]

    assert [result.get(timeout=5) for result in results] == [4, 9, 25]


def test_the_same_is_better_said_as_a_group(app: Celery, serve: Serve) -> None:
    @app.task
    def square(x: int) -> int:
        return x * x

    serve()
    results = group(square.s(number) for number in (2, 3, 5, 7)).apply_async()

    assert results.get(timeout=5) == [4, 9, 25, 49]


def test_a_queue_is_served_by_workers_that_were_told_so(app: Celery, serve: Serve) -> None:
    @app.task(bind=True)
    def who(self: Any) -> str:
        return str(self.request.hostname)

    serve(name="everyday")
    serve(name="hasty", queues=["celery", "hasty"])
    urgent = [who.apply_async(queue="hasty") for _ in range(5)]

    assert {result.get(timeout=5) for result in urgent} == {"hasty@here"}


def test_results_may_be_unwanted_for_one_call(app: Celery, serve: Serve) -> None:
    @app.task
    def plus(x: int, y: int) -> int:
        return x + y

    serve()
    wanted = plus.apply_async((1, 2), ignore_result=False)
    unwanted = plus.apply_async((1, 2), ignore_result=True)

    assert unwanted.get(timeout=5) is None
    assert wanted.get(timeout=5) == 3


def test_an_extended_result_tells_of_the_call(app: Celery, serve: Serve) -> None:
    app.conf.result_extended = True

    @app.task
    def plus(x: int, y: int) -> int:
        return x + y

    serve()
    result = plus.apply_async((1,), {"y": 2}, headers={"periodic_task_name": "nightly"})
    result.get(timeout=5)

    assert (result.name, result.kwargs, result.queue) == (plus.name, {"y": 2}, "celery")
    assert list(result.args or ()) == [1]
    assert result.worker == "guide@here"


def test_a_header_of_ones_own_is_read_by_the_task(app: Celery, serve: Serve) -> None:
    @app.task(bind=True)
    def asked_by(self: Any) -> Any:
        return self.request.headers["periodic_task_name"]

    serve()

    assert asked_by.apply_async(headers={"periodic_task_name": "nightly"}).get(timeout=5) == "nightly"


def test_what_has_a_better_priority_runs_first(app: Celery, serve: Serve, follower: Follower) -> None:
    @app.task
    def note(what: str) -> None:
        follower.see(what)

    note.apply_async(("everyday",), priority=6)
    note.apply_async(("urgent",), priority=0)  # as Redis counts: 0 is served first
    serve()

    assert follower.wait(2) == ["urgent", "everyday"]
