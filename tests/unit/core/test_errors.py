"""The tree of errors: what programs catch, and what crosses processes."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from celeriac.core import errors, exceptions
from celeriac.core.errors import (
    BackendGetMetaError,
    BackendStoreError,
    MaxRetriesExceededError,
    NotRegistered,
    QueueNotFound,
    Reject,
    Retry,
    TaskError,
)


class Unpicklable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__("only one")


@pytest.mark.parametrize(
    "error",
    [
        Retry("why", ValueError("x"), 3.0),
        Retry(None, None, datetime(2030, 1, 1, tzinfo=UTC)),
        Reject("no", requeue=True),
        NotRegistered("shop.charge", ["shop.change"]),
        QueueNotFound("no queue 'x'"),
        MaxRetriesExceededError("enough", task_args=(1,), task_kwargs={"x": 2}),
        BackendGetMetaError("gone", task_id="a"),
        BackendStoreError("gone", state="SUCCESS", task_id="a"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_says_the_same_after_it_has_crossed_processes(error: Exception) -> None:
    back = pickle.loads(pickle.dumps(error))

    assert (type(back), str(back)) == (type(error), str(error))
    assert {name: repr(value) for name, value in vars(back).items()} == {name: repr(value) for name, value in vars(error).items()}


def test_a_retry_whose_reason_cannot_travel_travels_with_its_text() -> None:
    retry = Retry(None, Unpicklable(1, 2), 5)

    back = pickle.loads(pickle.dumps(retry))

    assert (back.exc, back.excs, back.when) == (None, retry.excs, 5)
    assert str(back) == str(retry) == "Retry in 5s: Unpicklable('only one')"


def test_what_programs_catch_is_a_task_error_and_what_it_was_before() -> None:
    assert issubclass(NotRegistered, (TaskError, KeyError))
    assert issubclass(NotRegistered, KeyError)
    assert issubclass(QueueNotFound, TaskError)
    assert issubclass(errors.TimeoutError, TimeoutError)
    assert issubclass(errors.WorkerShutdown, SystemExit)


@pytest.mark.parametrize(
    "kind", [errors.ChordError, errors.AlreadyRegistered, errors.QueueNotFound, errors.Terminated, errors.BackendStoreError]
)
def test_an_error_of_ours_is_stored_under_the_name_that_celery_knows_and_found_again(kind: type[Exception]) -> None:
    stored = exceptions.describe(kind("why"))

    back = exceptions.rebuild(stored)

    assert stored["exc_module"] in {"celery.exceptions", "billiard.exceptions"}
    assert (type(back), back.args) == (kind, ("why",))


def test_reraise_keeps_the_traceback() -> None:
    try:
        raise ValueError("first")
    except ValueError as error:
        value, trace = error, error.__traceback__

    with pytest.raises(ValueError, match="first") as caught:
        errors.reraise(ValueError, value, trace)

    assert caught.tb.tb_next is not None
