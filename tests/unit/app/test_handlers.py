"""Handlers and signals around a run: which are called, in which order, with what; and what their own mistakes cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from celeriac import Celery, Retry, Task, signals
from celeriac.core.outcome import Success
from unit.app.serving import serve


class Diary(Task[..., Any]):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        self.heard.append(("before_start", task_id, list(args), dict(kwargs)))

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        self.heard.append(("on_success", retval, task_id))

    def on_retry(self, exc: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        self.heard.append(("on_retry", repr(exc), task_id, type(einfo.exception)))

    def on_failure(self, exc: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        self.heard.append(("on_failure", repr(exc), task_id, str(einfo)))

    def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        self.heard.append(("after_return", status, repr(retval), task_id))


def heard(task: Any) -> list[Any]:
    """Return what a task with this base has written down."""
    said: list[Any] = task.heard
    return said


@contextmanager
def hearing(*names: str) -> Iterator[list[Any]]:
    """Write down when these signals are sent, and with what."""
    heard: list[Any] = []
    receivers = {name: lambda sender, signal, name=name, **facts: heard.append((name, sender, facts)) for name in names}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver, weak=False)
    try:
        yield heard
    finally:
        for name, receiver in receivers.items():
            getattr(signals, name).disconnect(receiver)


def test_a_success_is_told_to_the_handlers_in_order(app: Celery) -> None:
    @app.task(base=Diary)
    def add(x: int, y: int) -> int:
        return x + y

    result = add.delay(1, y=2)
    serve(app)

    assert heard(add) == [
        ("before_start", result.id, [1], {"y": 2}),
        ("on_success", 3, result.id),
        ("after_return", "SUCCESS", "3", result.id),
    ]


def test_a_failure_is_told_with_an_info_object_that_prints_the_traceback(app: Celery) -> None:
    @app.task(base=Diary)
    def divide(x: int) -> float:
        return x / 0

    result = divide.delay(1)
    serve(app)

    [_, (name, error, id, text), last] = heard(divide)
    assert (name, error, id) == ("on_failure", "ZeroDivisionError('division by zero')", result.id)
    assert "return x / 0" in text
    assert "Traceback" in text
    assert last == ("after_return", "FAILURE", "ZeroDivisionError('division by zero')", result.id)


def test_a_retry_is_told_with_why_and_is_no_return(app: Celery) -> None:
    @app.task(base=Diary, bind=True)
    def again(self: Any) -> None:
        raise self.retry(exc=OSError("away"), countdown=1)

    again.delay()
    serve(app)

    assert [said[0] for said in heard(again)] == ["before_start", "on_retry"]
    assert heard(again)[1][1:2] == ("OSError('away')",)
    assert heard(again)[1][3] is Retry


def test_handlers_may_be_given_to_the_decorator_and_are_methods(app: Celery) -> None:
    heard = []

    def told(self: Any, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        heard.append((self.name, retval))

    @app.task(name="one", on_success=told)
    def one() -> int:
        return 1

    one.delay()
    serve(app)

    assert heard == [("one", 1)]


def test_an_error_in_before_start_fails_the_task_and_the_function_is_not_called(app: Celery) -> None:
    called = []

    class Refusing(Task[..., Any]):
        def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
            raise PermissionError("not today")

    @app.task(base=Refusing)
    def work() -> None:
        called.append(1)

    result = work.delay()
    serve(app)

    assert result.state == "FAILURE"
    assert isinstance(result.result, PermissionError)
    assert called == []


def test_an_error_in_another_handler_is_logged_and_announced_and_changes_nothing(
    app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    class Clumsy(Task[..., Any]):
        def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
            raise LookupError("nobody to tell")

    @app.task(base=Clumsy)
    def work() -> int:
        return 5

    with hearing("task_internal_error", "task_success") as heard, caplog.at_level(logging.ERROR):
        result = work.delay()
        serve(app)

    assert result.get() == 5
    assert "a handler of task" in caplog.text
    assert [name for name, *_ in heard] == ["task_internal_error", "task_success"]
    assert isinstance(heard[0][2]["exception"], LookupError)


def test_handlers_of_async_tasks_may_be_async(app: Celery) -> None:
    heard = []

    class Async(Task[..., Any]):
        async def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
            heard.append("before")

        async def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
            heard.append(retval)

    @app.task(base=Async)
    async def work() -> int:
        return 6

    work.delay()
    serve(app)

    assert heard == ["before", 6]


def test_signals_of_a_success_come_in_celerys_order_between_the_handlers(app: Celery) -> None:
    order: list[str] = []

    class Ordered(Task[..., Any]):
        def on_success(self, *facts: Any) -> None:
            order.append("on_success")

        def after_return(self, *facts: Any) -> None:
            order.append("after_return")

    @app.task(base=Ordered)
    def work() -> int:
        order.append("run")
        return 1

    def note(signal: Any, sender: Any, **facts: Any) -> None:
        order.append(signal.name)

    listened = (signals.task_prerun, signals.task_success, signals.task_postrun)
    for each in listened:
        each.connect(note, sender=work)
    work.delay()
    serve(app)
    for each in listened:
        each.disconnect(note, sender=work)

    assert order == ["task_prerun", "run", "on_success", "task_success", "after_return", "task_postrun"]


@pytest.mark.parametrize("coroutine", [False, True])
@pytest.mark.parametrize("name", ["task_prerun", "task_postrun", "task_success", "task_failure", "task_retry"])
def test_each_signal_of_a_run_is_sent_when_it_is_the_only_one_that_anybody_hears(app: Celery, name: str, coroutine: bool) -> None:
    def work(self: Any, how: str) -> None:
        if how == "fail":
            raise ValueError(how)
        if how == "retry" and not self.request.retries:
            self.retry(countdown=0)

    async def awork(self: Any, how: str) -> None:
        work(self, how)

    task = app.task(bind=True, name="work")(awork if coroutine else work)
    with hearing(name) as heard:
        for how in ("succeed", "fail", "retry"):
            task.delay(how)
        serve(app)
        serve(app)

    times = {"task_prerun": 4, "task_postrun": 4, "task_success": 2, "task_failure": 1, "task_retry": 1}
    assert [sender for _, sender, _ in heard] == [task] * times[name]


def test_signals_carry_what_celerys_page_says(app: Celery) -> None:
    @app.task(name="fails")
    def fails(x: int) -> None:
        raise KeyError(x)

    with hearing("task_prerun", "task_failure", "task_postrun") as heard:
        result = fails.delay(3)
        serve(app)

    (_, sender, prerun), (_, _, failure), (_, _, postrun) = heard
    assert sender is fails
    assert (prerun["task_id"], prerun["task"], list(prerun["args"]), prerun["kwargs"]) == (result.id, fails, [3], {})
    assert isinstance(failure["exception"], KeyError)
    assert failure["traceback"] is failure["exception"].__traceback__
    assert "raise KeyError(x)" in str(failure["einfo"])
    assert (postrun["state"], type(postrun["retval"])) == ("FAILURE", KeyError)


def test_a_custom_call_stands_around_the_run_and_sees_the_request(app: Celery) -> None:
    seen: list[Any] = []

    class InContext(Task[..., Any]):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            seen.append("entered")
            return super().__call__(*args, **kwargs)

    @app.task(base=InContext, bind=True)
    def work(self: Any) -> bool:
        seen.append(self.request.id)
        return bool(self.request.called_directly)

    result = work.delay()
    serve(app)

    assert seen == ["entered", result.id]
    assert result.get() is False


def test_a_task_called_inside_a_task_is_called_directly(app: Celery) -> None:
    @app.task(bind=True)
    def inner(self: Any) -> tuple[bool, Any]:
        return self.request.called_directly, self.request.id

    @app.task(bind=True)
    def outer(self: Any) -> list[Any]:
        return [*inner(), self.request.called_directly]

    result = outer.delay()
    serve(app)

    assert result.get() == [True, None, False]


def test_a_wrong_number_of_arguments_is_told_as_such_also_with_handlers(app: Celery) -> None:
    @app.task(base=Diary, name="two")
    def two(x: int, y: int) -> int:
        return x + y

    app.send_task("two", (1,))
    [outcome] = serve(app)

    assert outcome.uncallable  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "error", [SystemExit("enough"), GeneratorExit(), asyncio.CancelledError(), BaseExceptionGroup("g", [SystemExit()])]
)
@pytest.mark.parametrize("awaited", [False, True])
def test_nothing_that_a_handler_raises_ends_the_worker(
    app: Celery, caplog: pytest.LogCaptureFixture, error: BaseException, awaited: bool
) -> None:
    def refuse(self: Any, *_: Any) -> None:
        raise error

    async def arefuse(self: Any, *_: Any) -> None:
        raise error

    task = app.task(name="work", on_success=arefuse if awaited else refuse)(lambda: 7)
    task.delay()

    assert serve(app) == [Success(7)]
    assert "a handler of task work" in caplog.text
