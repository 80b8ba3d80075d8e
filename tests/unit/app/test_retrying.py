"""Running again: asked for by the task, or by its rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from celeriac import Celery, MaxRetriesExceededError, Retry
from celeriac.core.message import Address
from celeriac.core.outcome import Failure, Retried, Success
from celeriac.testing.clock import BEGINNING, VirtualRuntime
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


def test_a_retry_may_change_whatever_was_said_of_the_call(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        raise self.retry(
            countdown=0,
            priority=5,
            headers={"second": 2},
            expires=60,
            link={"task": "after"},
            link_error=[{"task": "sorry"}],
            time_limit=7,
            shadow="shown",
            reply_to="me",
        )

    work.apply_async(headers={"first": 1})
    [outcome] = serve(app)

    assert isinstance(outcome, Retried)
    again = outcome.again
    assert (again.priority, again.headers, again.expires) == (5, {"first": 1, "second": 2}, BEGINNING + timedelta(seconds=60))
    assert (again.callbacks, again.errbacks) == ([{"task": "after"}], [{"task": "sorry"}])
    assert (again.time_limit, again.shadow, again.reply_to) == (7, "shown", "me")


def test_a_retry_says_where_it_goes_and_in_which_form(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        raise self.retry(countdown=0, queue="other", serializer="msgpack", compression="gzip")

    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Retried)
    assert outcome.address == Address(queue="other", serializer="msgpack", compression="gzip")
    sent = app.producer.again(outcome.again, queue="celery", address=outcome.address)
    assert (sent.queue, sent.parcel.content_type) == ("other", "application/x-msgpack")
    assert sent.parcel.headers["compression"] == "application/x-gzip"


def test_a_retry_cannot_choose_how_the_worker_sends_it(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        raise self.retry(producer=object())

    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Failure)
    assert "'producer'" in str(outcome.exception)


def test_a_retry_tells_when_why_and_what(app: Celery) -> None:
    seen: list[Retry] = []

    @app.task(bind=True)
    def work(self: Any, x: int) -> None:
        try:
            self.retry(exc=ValueError("why"), countdown=3, args=(2,))
        except Retry as retry:
            seen.append(retry)

    work.delay(1)
    serve(app)

    [retry] = seen
    assert (retry.when, str(retry.exc), retry.excs, retry.is_eager) == (3, "why", "ValueError('why')", False)
    assert (retry.sig.task, retry.sig.args, retry.sig.options["retries"]) == (work.name, (2,), 1)
    assert str(retry) == "Retry in 3s: ValueError('why')"


def test_a_retry_here_and_now_says_so(app: Celery) -> None:
    seen: list[Any] = []

    @app.task(bind=True)
    def work(self: Any) -> str:
        if self.request.retries == 0:
            try:
                self.retry(queue="other", countdown=60)
            except Retry as retry:
                seen.append((retry.is_eager, retry.sig.options["queue"]))
                raise
        return "done"

    assert work.apply().get() == "done"
    assert seen == [(True, "other")]


def test_what_would_be_retried_can_be_tested_with_a_request_of_ones_own(app: Celery) -> None:
    @app.task(bind=True, max_retries=1)
    def work(self: Any) -> None:
        raise self.retry(countdown=5)

    work.push_request(id="x", retries=0, called_directly=False)
    try:
        with pytest.raises(Retry) as first:
            work.run()
        work.request.retries = 1
        with pytest.raises(MaxRetriesExceededError) as second:
            work.run()
    finally:
        work.pop_request()

    assert first.value.when == 5
    assert "[x]" in str(second.value)


def test_retry_raised_by_hand_is_a_retry(app: Celery, clock: VirtualRuntime) -> None:
    @app.task(bind=True, max_retries=1, default_retry_delay=7)
    def work(self: Any, when: float | None) -> None:
        raise Retry(exc=ValueError("why"), when=when)

    work.delay(30)
    work.delay(None)
    now = clock.now()
    outcomes = serve(app)
    clock.advance(31)
    lasts = serve(app)

    assert [outcome.again.eta for outcome in outcomes if isinstance(outcome, Retried)] == [
        now + timedelta(seconds=30),
        now + timedelta(seconds=7),
    ]
    assert [str(last.exception) for last in lasts if isinstance(last, Failure)] == ["why", "why"]


def test_what_a_retry_raised_by_hand_says_is_told(app: Celery) -> None:
    told: list[str] = []

    @app.task(on_retry=lambda self, exc, task_id, args, kwargs, einfo: told.append(str(einfo.exception)))
    def work() -> None:
        raise Retry("the bank is closed", when=0)

    work.delay()
    serve(app)

    assert told == ["the bank is closed"]


def test_a_limit_of_none_in_retry_kwargs_means_the_tasks_own(app: Celery) -> None:
    @app.task(autoretry_for=(OSError,), max_retries=0, retry_kwargs={"max_retries": None})
    def work() -> None:
        raise OSError("once")

    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Failure)


def test_a_child_that_is_retried_keeps_its_parent(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        raise self.retry(countdown=0)

    work.apply_async(parent_id="p", root_id="r")
    [outcome] = serve(app)

    assert isinstance(outcome, Retried)
    assert (outcome.again.parent_id, outcome.again.root_id) == ("p", "r")


def test_what_a_task_sets_on_its_request_holds_for_its_retry(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None:
        self.request.callbacks = None
        raise self.retry(countdown=0)

    work.apply_async(link={"task": "after"})
    [outcome] = serve(app)

    assert isinstance(outcome, Retried)
    assert outcome.again.callbacks is None


def test_the_call_that_runs_can_be_made_again_as_a_signature(app: Celery) -> None:
    signatures: list[Any] = []

    @app.task(bind=True)
    def work(self: Any, x: int) -> None:
        signatures.append(self.signature_from_request(args=(2,), countdown=5))

    result = work.apply_async((1,), link={"task": "after"}, headers={"tenant": "acme"})
    serve(app)

    [again] = signatures
    assert (again.task, again.args, again.id) == (work.name, (2,), result.id)
    assert (again.options["countdown"], again.options["queue"]) == (5, "celery")
    assert again.options["headers"] == {"tenant": "acme"}
    assert [after["task"] for after in again.options["link"]] == ["after"]


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
    assert (result.traceback or "").count("  File ") == 1  # the task's own frame, and none of the rules'


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


def test_exception_classes_may_be_one_that_stands_alone_or_several_in_any_form(app: Celery) -> None:
    def fail() -> None:
        raise KeyError("expected")

    declare: Any = app.task
    work = declare(throws=KeyError, autoretry_for=[OSError], dont_autoretry_for=None)(fail)
    app.conf.task_annotations = {work.name: {"autoretry_for": ValueError}}
    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Failure)
    assert outcome.expected
    assert (work.throws, work.autoretry_for, work.dont_autoretry_for) == ((KeyError,), (ValueError,), ())


@pytest.mark.parametrize("option", ["throws", "autoretry_for", "dont_autoretry_for"])
@pytest.mark.parametrize("wrong", ["OSError", ("OSError",), 5, (int,), OSError("made")])
def test_what_is_no_exception_class_is_refused_where_it_is_said(app: Celery, option: str, wrong: Any) -> None:
    def work() -> None: ...

    declare: Any = app.task
    with pytest.raises(TypeError, match=rf"task shop.work: {option}=.* must be exception classes"):
        declare(name="shop.work", **{option: wrong})(work).delay()


def test_an_option_that_no_retry_has_is_called_by_its_own_name(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any, option: str) -> None:
        self.retry(**{option: 5})

    assert "'nightly'" in str(work.apply(("nightly",)).result)
    assert "'timeout'" in str(work.apply(("timeout",)).result)


def test_a_moment_among_the_retrys_own_arguments_is_when_a_rule_tries_again(app: Celery, clock: VirtualRuntime) -> None:
    moment = clock.now() + timedelta(hours=1)

    @app.task(autoretry_for=(OSError,), retry_kwargs={"eta": moment})
    def work() -> None:
        raise OSError

    work.delay()
    [outcome] = serve(app)

    assert isinstance(outcome, Retried)
    assert outcome.again.eta == moment
