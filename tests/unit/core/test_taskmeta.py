"""Task metas are written in Celery's order and read whatever else wrote them."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celeriac.core import codecs, taskmeta
from celeriac.core.errors import DecodeError, EncodeError
from celeriac.core.limits import Limits
from celeriac.core.message import Message
from celeriac.core.taskmeta import TaskMeta

NOON = datetime(2030, 1, 2, 12, 0, tzinfo=UTC)


def a_meta(**changes: Any) -> TaskMeta:
    fields: dict[str, Any] = {"task_id": "i1", "status": "SUCCESS", "result": 5, "date_done": NOON}
    return TaskMeta(**(fields | changes))


class StubbornError(Exception):
    """Can be pickled and not unpickled."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__("stubborn")


def test_the_keys_stand_in_celerys_order() -> None:
    message = Message(
        id="i1", task="shop.add", args=[1], stamped_headers=["team", "gone"], stamps={"team": "blue", "status": "x"}
    )
    meta = taskmeta.extended(a_meta(group_id="g", parent_id="p"), message, worker="w@h", queue="celery")

    written = json.loads(taskmeta.encode(meta))

    assert " ".join(written) == (
        "status result traceback children date_done group_id parent_id name args kwargs worker retries queue "
        "stamped_headers team task_id"
    )


def test_the_everyday_result_has_the_six_everyday_keys() -> None:
    assert json.loads(taskmeta.encode(a_meta())) == {
        "status": "SUCCESS",
        "result": 5,
        "traceback": None,
        "children": [],
        "date_done": "2030-01-02T12:00:00+00:00",
        "task_id": "i1",
    }


@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml", "pickle"])
@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_a_meta_comes_back_whole(serializer: str, compression: str | None) -> None:
    message = Message(id="i1", task="shop.add", args=[1], kwargs={"b": 2}, stamped_headers=["team"], stamps={"team": "blue"})
    meta = taskmeta.extended(a_meta(result=[1, {"a": None}]), message, worker="w@h", queue="celery")

    assert taskmeta.decode(taskmeta.encode(meta, serializer, compression=compression), serializer) == meta


@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml", "pickle"])
def test_an_exception_comes_back_as_an_exception(serializer: str) -> None:
    data = taskmeta.encode(a_meta(status="FAILURE", result=KeyError("a", 1)), serializer)

    error = taskmeta.decode(data, serializer).result

    assert type(error) is KeyError
    assert error.args == ("a", 1)


def test_an_exception_that_cannot_be_unpickled_is_described_instead() -> None:
    data = taskmeta.encode(a_meta(status="FAILURE", result=StubbornError(1, 2)), "pickle")

    assert codecs.decode(data, codecs.PICKLE, "binary", frozenset({codecs.PICKLE}))["result"]["exc_message"] == ["stubborn"]
    assert str(taskmeta.decode(data, "pickle").result) == "stubborn"


def test_a_dict_that_a_task_returned_stays_a_dict() -> None:
    meta = a_meta(result={"exc_type": "ValueError", "exc_message": [], "exc_module": "builtins"})

    assert taskmeta.decode(taskmeta.encode(meta)).result == meta.result


def test_a_retry_without_exception_has_no_result() -> None:
    data = taskmeta.encode(a_meta(status="RETRY", result=None, date_done=None))

    assert taskmeta.decode(data).result is None


def test_a_result_that_cannot_be_written_is_named_with_its_place() -> None:
    with pytest.raises(EncodeError, match=r"set as JSON, at the task meta\['result'\]\[0\]"):
        taskmeta.encode(a_meta(result=[{1}]))


def test_a_date_without_offset_is_utc_as_old_celery_wrote_it() -> None:
    data = b'{"status": "SUCCESS", "result": 1, "task_id": "i1", "date_done": "2030-01-02T12:00:00"}'

    assert taskmeta.decode(data).date_done == NOON


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"{}",
        b'{"status": 5}',
        b'{"status": "SUCCESS", "date_done": 5}',
        b'{"status": "SUCCESS", "date_done": "soon"}',
        b'{"status": "SUCCESS", "children": 5}',
        b"\0celery-compressed\0application/x-gzip\0garbage",
        b"\0celery-compressed\0",
        pickle.dumps({"status": "SUCCESS"}),
    ],
)
def test_what_is_no_meta_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        taskmeta.decode(data)


def test_a_result_beyond_the_limits_is_a_decode_error() -> None:
    data = taskmeta.encode(a_meta(result="x" * 1000), compression="gzip")

    with pytest.raises(DecodeError):
        taskmeta.decode(data, limits=Limits(decompressed=500))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda data: b"\0celery-compressed\0" + data))
def test_any_bytes_are_a_meta_or_a_decode_error(data: bytes) -> None:
    with suppress(DecodeError):
        taskmeta.decode(data)


def test_a_result_that_nobody_would_read_is_not_written() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]

    with pytest.raises(EncodeError, match="128 levels"):
        taskmeta.encode(a_meta(status="SUCCESS", result=deep))
    with pytest.raises(EncodeError, match="a result of 7000"):
        taskmeta.encode(a_meta(status="SUCCESS", result="x" * 70_000_000))
