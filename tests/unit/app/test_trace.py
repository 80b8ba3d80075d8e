"""The seam for tracing tools: what they put around runs is around runs, and what they break does not cost the job."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from celeriac import Celery, Task, signals
from celeriac.app import trace
from celeriac.app.handlers import ExceptionInfo

Wrap = Callable[[Callable[..., Any], tuple[Any, ...]], Any]


@pytest.fixture
def app() -> Celery:
    return Celery("traced", broker="memory://traced", backend="memory://traced", set_as_current=False)


@pytest.fixture
def take_hold() -> Iterator[Callable[[Wrap], list[str]]]:
    """Replace ``build_tracer`` as a tool does; the answer lists the tasks that it was called for."""
    built: list[str] = []

    def take_hold(wrap: Wrap) -> list[str]:
        def build_tracer(name: str, task: Any, *args: Any, **kwargs: Any) -> trace.Tracer:
            built.append(name)
            tracer = trace.OWN(name, task, *args, **kwargs)
            return lambda *given: wrap(tracer, given)

        trace.build_tracer = build_tracer
        return built

    yield take_hold
    trace.build_tracer = trace.OWN


def test_a_tracer_is_around_the_run_with_its_signals_and_is_built_once(
    app: Celery, take_hold: Callable[[Wrap], list[str]]
) -> None:
    order: list[Any] = []

    @app.task(name="traced.add")
    def add(x: int, y: int) -> int:
        order.append("run")
        return x + y

    def note(**named: Any) -> None:
        order.append("prerun")

    def wrap(tracer: trace.Tracer, given: tuple[Any, ...]) -> Any:
        uuid, args, kwargs, request = given
        order.append((tuple(args), kwargs, request.get("id") == uuid))
        answer = tracer(*given)
        order.append((answer.retval, answer.info, answer.retstr, answer.runtime >= 0))
        return answer

    built = take_hold(wrap)
    signals.task_prerun.connect(note)
    try:
        first, second = add.apply((1, 2)).get(), add.apply((3,), {"y": 4}).get()
    finally:
        signals.task_prerun.disconnect(note)

    assert (first, second) == (3, 7)
    assert built == ["traced.add"]
    assert order[:4] == [((1, 2), {}, True), "prerun", "run", (3, None, "3", True)]
    assert len(order) == 8


def test_what_a_run_raised_is_told_to_the_tracer(app: Celery, take_hold: Callable[[Wrap], list[str]]) -> None:
    told: list[Any] = []

    @app.task(name="traced.fail")
    def fail() -> None:
        raise ValueError("no")

    take_hold(lambda tracer, given: told.append(tracer(*given)))
    result = fail.apply()

    assert result.state == "FAILURE"
    assert (told[0].info.state, repr(told[0].info.retval)) == ("FAILURE", "ValueError('no')")


def test_a_tracer_that_fails_after_the_run_changes_nothing(app: Celery, take_hold: Callable[[Wrap], list[str]]) -> None:
    @app.task(name="traced.fine")
    def fine() -> int:
        return 1

    def wrap(tracer: trace.Tracer, given: tuple[Any, ...]) -> Any:
        tracer(*given)
        raise OSError("the collector does not answer")

    take_hold(wrap)

    assert fine.apply().get() == 1


def test_a_tracer_that_does_not_run_the_task_is_named(app: Celery, take_hold: Callable[[Wrap], list[str]]) -> None:
    @app.task(name="traced.forgotten")
    def forgotten() -> int:
        return 1

    take_hold(lambda tracer, given: None)

    with pytest.raises(RuntimeError, match=r"a tracer of traced\.forgotten did not run it"):
        forgotten.apply().get()


def test_tracers_are_built_anew_when_another_tool_takes_hold(app: Celery, take_hold: Callable[[Wrap], list[str]]) -> None:
    @app.task(name="traced.twice")
    def twice() -> int:
        return 1

    built = take_hold(lambda tracer, given: tracer(*given))
    twice.apply()
    take_hold(lambda tracer, given: tracer(*given))
    twice.apply()
    twice.apply()

    assert built == ["traced.twice", "traced.twice"]


def test_a_tracer_outside_of_a_worker_says_what_to_call(app: Celery) -> None:
    @app.task(name="traced.alone")
    def alone() -> int:
        return 1

    tracer = trace.build_tracer(alone.name, alone)

    with pytest.raises(RuntimeError, match=r"call traced\.alone\.apply"):
        tracer("some-id", (), {})


@pytest.mark.parametrize("own_call", [False, True])
def test_a_tool_may_hand_in_an_object_around_the_task(app: Celery, own_call: bool) -> None:
    spans: list[Any] = []

    class Own(Task[..., Any]):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            spans.append("own")
            return super().__call__(*args, **kwargs)

    class Around:
        def __init__(self, task: Any) -> None:
            self._task = task

        def __getattr__(self, name: str) -> Any:
            return getattr(self._task, name)

        def run(self, *args: Any, **kwargs: Any) -> Any:
            spans.append(("begin", self._task.name))
            return self._task(*args, **kwargs)

    @app.task(name="traced.inside", bind=True, max_retries=1, base=Own if own_call else Task)
    def inside(self: Task[..., Any], x: int) -> Any:
        if not self.request.retries:
            raise self.retry(countdown=0)
        return x, self.request.called_directly

    def build_tracer(name: str, task: Any, *args: Any, **kwargs: Any) -> trace.Tracer:
        return trace.OWN(name, Around(task), *args, **kwargs)

    trace.build_tracer = build_tracer
    try:
        value = inside.apply((7,)).get()
    finally:
        trace.build_tracer = trace.OWN

    assert value == (7, False)
    assert spans == [("begin", "traced.inside"), *(["own"] if own_call else [])] * 2


def test_who_hears_of_a_failure_may_ask_which_exception_is_active(app: Celery) -> None:
    active: list[Any] = []

    class Asking(Task[..., Any]):
        def on_failure(self, *args: Any, **kwargs: Any) -> None:
            active.append(sys.exc_info()[1])

    @app.task(name="traced.fails", base=Asking)
    def fails() -> None:
        raise ValueError("no")

    def receive(**named: Any) -> None:
        active.append(sys.exc_info()[1])

    signals.task_failure.connect(receive)
    try:
        fails.apply()
    finally:
        signals.task_failure.disconnect(receive)

    assert [repr(error) for error in active] == ["ValueError('no')"] * 2
    assert sys.exc_info() == (None, None, None)


def test_only_what_the_users_class_defines_is_custom(app: Celery) -> None:
    class Own(Task[..., Any]):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self.run(*args, **kwargs)

    @app.task(name="traced.plain")
    def plain() -> int:
        return 1

    @app.task(name="traced.own", base=Own)
    def own() -> int:
        return 1

    assert (trace.task_has_custom(plain, "__call__"), trace.task_has_custom(own, "__call__")) == (False, True)
    assert not trace.task_has_custom(own, "no_such_thing")


def test_exception_info_counts_as_billiards_where_somebody_has_brought_that(monkeypatch: pytest.MonkeyPatch) -> None:
    class Theirs:
        pass

    info = ExceptionInfo(ValueError("no"))
    alone = isinstance(info, Theirs)
    monkeypatch.setitem(sys.modules, "billiard.einfo", SimpleNamespace(ExceptionInfo=Theirs))

    assert (alone, isinstance(info, Theirs), isinstance(info, ExceptionInfo)) == (False, True, True)
