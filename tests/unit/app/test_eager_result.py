"""The result of a task that was run here and now: it has ended, and no store is asked."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, EagerResult, TaskRevokedError, allow_join_result
from celeriac.core.errors import EncodeError
from unit.app.serving import serve


def test_it_has_its_value_and_asks_nobody() -> None:
    app = Celery("none", broker="memory://eager-asks-nobody", set_as_current=False)
    result: EagerResult[int] = EagerResult("a", 3, "SUCCESS", name="add", app=app)

    assert (result.get(), result.wait(), result.get(timeout=1, interval=2)) == (3, 3, 3)
    assert (result.state, result.status, result.result, result.info) == ("SUCCESS", "SUCCESS", 3, 3)
    assert (result.ready(), result.successful(), result.failed(), result.exists()) == (True, True, False, True)
    assert (result.name, result.traceback, result.children, result.parent) == ("add", None, [], None)
    assert result.supports_native_join is False
    assert isinstance(result, AsyncResult)


def test_a_failure_is_raised_or_returned(app: Celery) -> None:
    error = KeyError("gone")
    result: EagerResult[Any] = EagerResult("a", error, "FAILURE", "Traceback ...", app=app)

    with pytest.raises(KeyError, match="gone"):
        result.get()
    assert result.get(propagate=False) is error
    assert (result.failed(), result.traceback) == (True, "Traceback ...")
    with pytest.raises(KeyError):
        result.maybe_throw()


def test_one_that_was_ignored_has_no_value(app: Celery) -> None:
    assert EagerResult("a", "what it said", "IGNORED", app=app).get() is None


def test_the_callback_is_called_with_id_and_value(app: Celery) -> None:
    called: list[tuple[str, int]] = []

    EagerResult("a", 5, "SUCCESS", app=app).get(callback=lambda id_, value: called.append((id_, value)))

    assert called == [("a", 5)]


def test_an_argument_that_get_does_not_have_is_refused(app: Celery) -> None:
    with pytest.raises(TypeError, match="'timout'"):
        EagerResult("a", 5, "SUCCESS", app=app).get(timout=1)


def test_then_is_called_at_once(app: Celery) -> None:
    seen: list[Any] = []
    good: EagerResult[int] = EagerResult("a", 1, "SUCCESS", app=app)
    bad: EagerResult[int] = EagerResult("b", ValueError("no"), "FAILURE", app=app)

    good.then(seen.append)
    bad.then(seen.append, on_error=lambda error: seen.append(type(error)))

    assert seen == [good, ValueError]


def test_forget_leaves_it_and_revoke_makes_it_look_revoked(app: Celery) -> None:
    result: EagerResult[int] = EagerResult("a", 1, "SUCCESS", app=app)

    result.forget()
    assert result.get() == 1
    result.revoke(terminate=True)

    assert result.state == "REVOKED"
    with pytest.raises(TaskRevokedError):
        result.get()


def test_a_copy_and_a_pickle_of_it_are_equal_to_it(app: Celery) -> None:
    app.set_current()
    result: EagerResult[int] = EagerResult("a", 1, "SUCCESS", name="add", app=app)

    for twin in (copy.copy(result), pickle.loads(pickle.dumps(result))):
        assert (twin, twin.get(), twin.name) == (result, 1, "add")


def test_inside_a_task_that_a_worker_runs_get_is_refused_as_for_any_result(app: Celery) -> None:
    @app.task
    def outer() -> Any:
        return EagerResult("a", 1, "SUCCESS", app=app).get()

    @app.task
    def knows_better() -> Any:
        with allow_join_result():
            return EagerResult("a", 1, "SUCCESS", app=app).get()

    first, second = outer.delay(), knows_better.delay()
    serve(app)

    with pytest.raises(RuntimeError, match="never wait"):
        first.get(timeout=1)
    assert second.get(timeout=1) == 1


def test_apply_returns_one(app: Celery) -> None:
    @app.task
    def add(x: int, y: int) -> int:
        return x + y

    result: Any = add.apply((1, 2))

    assert isinstance(result, EagerResult)
    assert result.get() == 3


def test_waiting_inside_an_eager_task_is_allowed_where_no_worker_runs_it(app: Celery) -> None:
    @app.task
    def inner() -> int:
        return 1

    @app.task
    def outer() -> int:
        value: int = inner.apply().get()
        return value + 1

    assert outer.apply().get() == 2


def test_it_is_no_argument_that_travels_as_json(app: Celery) -> None:
    @app.task
    def takes(thing: Any) -> None: ...

    with pytest.raises(EncodeError):
        takes.delay(EagerResult("a", object(), "SUCCESS", app=app).get())
