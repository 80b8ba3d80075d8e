"""The examples of Celery's chapter "Tasks", about options, and what a result tells: states, exceptions, semipredicates."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery, Ignore, Reject, RemoteError, TaskRevokedError, signals, states
from guide.bank import ForgetfulError, FullError, HttpError, PickyError, StatusError
from guide.conftest import Serve
from system.patience import eventually

# ---- Options -------------------------------------------------------------------------------------------------------


def test_any_keyword_is_an_attribute_of_the_task(app: Celery) -> None:
    declare: Any = app.task
    work = declare(rate_limit="100/m", max_retries=None, owner="billing")(lambda: None)

    assert (work.rate_limit, work.max_retries, work.owner) == ("100/m", None, "billing")


def test_expected_errors_fail_without_a_traceback_in_the_log(app: Celery, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    @app.task(throws=(LookupError,))
    def find(key: str) -> None:
        raise (KeyError if key == "expected" else ZeroDivisionError)(key)

    caplog.set_level("INFO")
    serve()
    expected, unexpected = find.delay("expected"), find.delay("unexpected")
    with pytest.raises(KeyError):
        expected.get(timeout=5)
    with pytest.raises(ZeroDivisionError):
        unexpected.get(timeout=5)

    told = {id: [each for each in caplog.records if id in each.getMessage()] for id in (expected.id, unexpected.id)}
    assert expected.state == states.FAILURE
    assert [(each.levelname, "Traceback" in each.getMessage() or bool(each.exc_info)) for each in told[expected.id][-1:]] == [
        ("INFO", False)
    ]
    assert told[unexpected.id][-1].levelname == "ERROR"


def test_a_rate_limit_holds_tasks_back(app: Celery, serve: Serve) -> None:
    work = app.task(name="work", rate_limit="4/s")(time.monotonic)
    serve()

    began = sorted(result.get(timeout=10) for result in [work.delay() for _ in range(8)])

    # The first ones may be early by a quarter of a second.
    assert began[-1] - began[0] > 7 / 4 - 0.3


def test_a_rate_limit_changes_nothing_of_a_result(app: Celery, serve: Serve) -> None:
    work = app.task(name="work", rate_limit=50)(lambda x: x)
    serve()

    assert [work.delay(x).get(timeout=5) for x in range(3)] == [0, 1, 2]


def test_errors_are_kept_though_results_are_ignored(app: Celery, serve: Serve) -> None:
    @app.task(ignore_result=True, store_errors_even_if_ignored=True)
    def work(fails: bool) -> str:
        if fails:
            raise ValueError("no")
        return "unwanted"

    @app.task
    def last() -> None: ...

    serve()
    failed, done = work.delay(True), work.delay(False)
    last.delay().get(timeout=5)

    assert app.AsyncResult(failed.id).state == states.FAILURE
    assert app.AsyncResult(done.id).state == states.PENDING


def test_a_task_may_have_a_result_backend_of_its_own(app: Celery, serve: Serve, tmp_path: Path) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"

    @app.task(backend=elsewhere)
    def answer() -> int:
        return 42

    serve()
    result = answer.delay()

    assert result.get(timeout=5) == 42
    assert app.AsyncResult(result.id).state == states.PENDING
    with Celery("other", broker=elsewhere, backend=elsewhere, set_as_current=False) as other:
        assert other.AsyncResult(result.id).state == states.SUCCESS


def test_a_task_that_acks_late_is_in_its_queue_until_it_has_ended(app: Celery, serve: Serve) -> None:
    begun, may_end = threading.Event(), threading.Event()

    @app.task(acks_late=True)
    def work() -> bool:
        begun.set()
        return may_end.wait(10)

    serve()
    result = work.delay()
    assert begun.wait(5)
    unfinished = app.AsyncResult(result.id).state
    may_end.set()

    assert (unfinished, result.get(timeout=5)) == (states.PENDING, True)
    assert list(app.store.depth(["celery"])) == [0]


# ---- States --------------------------------------------------------------------------------------------------------


def test_an_unknown_task_is_pending(app: Celery) -> None:
    assert app.AsyncResult("nobody-knows").state == states.PENDING


def test_a_tracked_task_says_where_it_runs(app: Celery, serve: Serve) -> None:
    begun, may_end = threading.Event(), threading.Event()

    @app.task(track_started=True)
    def work() -> bool:
        begun.set()
        return may_end.wait(10)

    serve()
    result = work.delay()
    assert begun.wait(5)
    state, info = result.state, result.info
    may_end.set()
    result.get(timeout=5)

    assert state == states.STARTED
    assert (info["pid"], info["hostname"]) == (os.getpid(), "guide@here")
    assert result.state == states.SUCCESS


def test_a_success_holds_the_value_and_a_failure_exception_and_traceback(app: Celery, serve: Serve) -> None:
    @app.task
    def divide(x: int, y: int) -> float:
        return x / y

    serve()
    good, bad = divide.delay(4, 2), divide.delay(4, 0)
    good.get(timeout=5)
    bad.get(timeout=5, propagate=False)

    assert (good.state, good.result, good.successful(), good.ready()) == (states.SUCCESS, 2, True, True)
    assert (bad.state, type(bad.result), bad.failed(), bad.ready()) == (states.FAILURE, ZeroDivisionError, True, True)
    assert "in divide" in str(bad.traceback)


def test_a_revoked_task_is_told_as_such(app: Celery, serve: Serve) -> None:
    ran: list[int] = []
    work = app.task(name="work")(lambda: ran.append(1))
    result = work.delay()
    result.revoke()
    serve()

    with pytest.raises(TaskRevokedError):
        result.get(timeout=5)
    assert (result.state, ran) == (states.REVOKED, [])


def test_sets_of_states_say_what_is_ready_and_what_is_raised() -> None:
    assert {"SUCCESS", "FAILURE", "REVOKED"} <= states.READY_STATES
    assert {"FAILURE", "REVOKED"} == states.PROPAGATE_STATES
    assert {"PENDING", "STARTED", "RETRY"} <= states.UNREADY_STATES


def test_a_task_may_have_states_of_its_own(app: Celery, serve: Serve) -> None:
    seen: dict[int, threading.Event] = {0: threading.Event(), 1: threading.Event()}

    @app.task(bind=True)
    def upload(self: Any, files: list[str]) -> int:
        for number, _file in enumerate(files):
            if not self.request.called_directly:
                self.update_state(state="PROGRESS", meta={"current": number, "total": len(files)})
                assert seen[number].wait(10)
        return len(files)

    serve()
    result = upload.delay(["a", "b"])
    for number, step in seen.items():
        eventually(
            lambda number=number: result.info == {"current": number, "total": 2},  # type: ignore[misc]
            what=f"file {number}",
        )
        assert result.state == "PROGRESS"
        step.set()

    assert result.get(timeout=5) == 2
    assert upload(["a"]) == 1


# ---- Exceptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        (HttpError("gone", 410), {"args": ("gone", 410)}),
        (StatusError(404), {"status_code": 404}),
        (FullError(500, {"retry-after": "9"}, "sorry"), {"status_code": 500, "headers": {"retry-after": "9"}, "body": "sorry"}),
        (ForgetfulError(403), {"status_code": 403}),
    ],
)
def test_an_exception_arrives_as_what_it_was(app: Celery, serve: Serve, error: Exception, attributes: dict[str, Any]) -> None:
    @app.task
    def fail() -> None:
        raise error

    serve()

    with pytest.raises(type(error)) as seen:
        fail.delay().get(timeout=5)
    assert {name: getattr(seen.value, name) for name in attributes} == attributes


def test_an_exception_that_cannot_be_made_again_is_told_by_its_name(app: Celery, serve: Serve) -> None:
    @app.task
    def fail() -> None:
        raise PickyError(status_code=404)

    serve()

    with pytest.raises((PickyError, RemoteError), match="404") as seen:
        fail.delay().get(timeout=5)
    assert "PickyError" in repr(seen.value)


@pytest.mark.parametrize("error", [HttpError("gone"), StatusError(404), PickyError(status_code=404)])
def test_with_pickle_too(app: Celery, serve: Serve, error: Exception) -> None:
    app.conf.update(result_serializer="pickle", accept_content=["json", "pickle"])

    @app.task
    def fail() -> None:
        raise error

    serve()

    with pytest.raises((type(error), RemoteError), match=r"gone|404"):
        fail.delay().get(timeout=5)


# ---- Semipredicates ------------------------------------------------------------------------------------------------


def test_a_task_that_is_ignored_leaves_no_state(app: Celery, serve: Serve) -> None:
    unwanted = {"order-7"}

    @app.task(bind=True)
    def work(self: Any) -> str:
        if self.request.id in unwanted:
            raise Ignore
        return "done"

    serve()
    ignored = work.apply_async(task_id="order-7")

    assert work.apply_async(task_id="order-8").get(timeout=5) == "done"
    assert ignored.state == states.PENDING
    assert list(app.store.depth(["celery"])) == [0]


def test_a_task_may_store_its_result_by_itself(app: Celery, serve: Serve) -> None:
    @app.task(bind=True)
    def timeline(self: Any, user: str) -> None:
        if not self.request.called_directly:
            self.update_state(state=states.SUCCESS, meta=[f"{user} was here"])
        raise Ignore

    serve()

    assert timeline.delay("ada").get(timeout=5) == ["ada was here"]


def test_a_rejected_task_has_failed_and_is_a_dead_letter(app: Celery, serve: Serve) -> None:
    @app.task(bind=True, acks_late=True)
    def render(self: Any, path: str) -> None:
        try:
            raise MemoryError(f"{path} is too large")
        except MemoryError as error:
            raise Reject(error, requeue=False)  # noqa: B904 - as everybody writes it

    serve()
    result = render.delay("castle.blend")
    result.get(timeout=5, propagate=False)
    [letter] = eventually(lambda: app.store.dead_letters(), what="it is kept")

    assert (result.state, result.failed()) == (states.FAILURE, True)
    assert "castle.blend is too large" in str(result.result)
    assert (letter.reason, letter.task_id) == ("rejected", result.id)


def test_errbacks_and_receivers_hear_of_a_rejected_task(app: Celery, serve: Serve) -> None:
    heard: list[Any] = []
    both = threading.Barrier(2)

    def receiver(task_id: str, exception: BaseException, **_named: Any) -> None:
        heard.append(("receiver", task_id, type(exception)))

    @app.task
    def errback(request: Any, error: BaseException, traceback: Any) -> None:
        heard.append(("errback", request.id, type(error)))
        both.wait(10)

    @app.task(acks_late=True)
    def render() -> None:
        raise Reject("too large", requeue=False)

    signals.task_failure.connect(receiver)
    serve()
    result = render.apply_async(link_error=errback.s())
    both.wait(10)
    signals.task_failure.disconnect(receiver)

    assert sorted(heard) == [("errback", result.id, Reject), ("receiver", result.id, Reject)]


def test_a_rejected_task_may_go_back_to_its_queue(app: Celery, serve: Serve) -> None:
    seen: list[bool] = []

    @app.task(bind=True, acks_late=True)
    def twice(self: Any) -> str:
        seen.append(self.request.delivery_info["redelivered"])
        if not self.request.delivery_info["redelivered"]:
            raise Reject("not now", requeue=True)
        return "received two times"

    serve()

    assert twice.delay().get(timeout=5) == "received two times"
    assert seen == [False, True]
