"""The form of stored results, as programs see it that read or write it by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from celeriac import Celery, RemoteError
from celeriac.app.checking.secrets import Secret
from celeriac.app.context import Context
from celeriac.core.errors import ContentDisallowed, EncodeError

REQUEST = {
    "id": "x",
    "task": "form.add",
    "args": [1],
    "kwargs": {"y": 2},
    "hostname": "w@h",
    "retries": 3,
    "delivery_info": {"routing_key": "q"},
}


@pytest.fixture
def app() -> Celery:
    url = f"memory://{uuid4().hex}"
    return Celery("form", broker=url, backend=url, set_as_current=False)


@pytest.mark.parametrize(
    ("value", "marker", "written"),
    [
        (datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "datetime", "2020-01-02T03:04:05+00:00"),
        (date(2020, 1, 2), "date", "2020-01-02"),
        (Decimal("1.50"), "decimal", "1.50"),
        (UUID(int=1), "uuid", {"hex": UUID(int=1).hex}),
    ],
)
def test_values_are_written_in_celerys_form_and_read_back(app: Celery, value: Any, marker: str, written: Any) -> None:
    text = app.backend.encode({"x": value})

    assert isinstance(text, str)
    assert json.loads(text) == {"x": {"__type__": marker, "__value__": written}}
    assert app.backend.decode(text) == {"x": value}


def test_pickled_values_are_bytes_and_read_only_where_they_are_accepted(app: Celery) -> None:
    app.conf.update(result_serializer="pickle")

    body = app.backend.encode({1, 2})

    assert isinstance(body, bytes)
    with pytest.raises(ContentDisallowed):
        app.backend.decode(body)
    app.conf.update(result_accept_content=["pickle"])
    assert app.backend.decode(body) == {1, 2}


def test_what_cannot_be_written_is_named(app: Celery) -> None:
    with pytest.raises(EncodeError, match=r"set.*x"):
        app.backend.encode({"x": {1}})


def test_an_exception_is_described_and_made_again(app: Celery) -> None:
    stored = app.backend.prepare_exception(ValueError("no", 1))

    assert stored["exc_type"] == "ValueError"
    assert stored["exc_message"] == ["no", 1]
    assert stored["exc_module"] == "builtins"
    assert repr(app.backend.exception_to_python(stored)) == "ValueError('no', 1)"
    assert app.backend.exception_to_python(None) is None
    unknown = app.backend.exception_to_python({"exc_type": "Odd", "exc_module": "nowhere", "exc_message": ["x"]})
    assert isinstance(unknown, RemoteError)


def test_what_is_stored_can_be_read_by_its_key(app: Celery) -> None:
    app.backend.store_result("x", 3, "SUCCESS")

    key = app.backend.get_key_for_task("x")

    assert key == b"celery-task-meta-x"
    assert json.loads(app.backend.get(key) or b"")["result"] == 3
    assert app.backend.get("celery-task-meta-other") is None
    assert app.backend.get("another-key") is None


@pytest.mark.parametrize("extended", [False, True])
def test_with_result_extended_a_state_written_by_hand_says_what_was_called(app: Celery, extended: bool) -> None:
    app.conf.update(result_extended=extended)

    app.backend.store_result("x", 3, "SUCCESS", request=Context(REQUEST))

    stored = json.loads(app.backend.get(app.backend.get_key_for_task("x")) or b"")
    said = {name: stored.get(name) for name in ("name", "args", "kwargs", "worker", "retries", "queue")}
    known = {"name": "form.add", "args": [1], "kwargs": {"y": 2}, "worker": "w@h", "retries": 3, "queue": "q"}
    assert said == (known if extended else dict.fromkeys(known))


def test_secrets_of_a_call_are_not_stored_by_hand_either(app: Celery) -> None:
    app.conf.update(result_extended=True)

    @app.task(name="form.add")
    def add(x: Secret[int], y: int = 0) -> int:
        return x + y

    app.backend.store_result("x", 3, "SUCCESS", request=Context(REQUEST))

    stored = json.loads(app.backend.get(app.backend.get_key_for_task("x")) or b"")
    assert (stored["args"], stored["kwargs"]) == (["***"], {"y": 2})
