"""What Celery stored as a result is understood, and what we store is the same."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from celeriac.core import taskmeta
from celeriac.core.errors import NotRegistered, RemoteError, TaskRevokedError

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors").joinpath("results.json").read_text())


def bytes_of(case: dict[str, Any]) -> bytes:
    raw = case["raw"]
    return b64decode(raw["$base64"]) if isinstance(raw, dict) else str(raw).encode()


def first(name: str) -> taskmeta.TaskMeta:
    case = next(each for each in VECTORS if each["name"] == name)
    return taskmeta.decode(bytes_of(case), case["serializer"])


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['name']}-{n}") for n, case in enumerate(VECTORS)])
def test_every_result_of_celery_is_understood(case: dict[str, Any]) -> None:
    meta = taskmeta.decode(bytes_of(case), case["serializer"])

    assert len(meta.task_id) == 36
    assert (meta.date_done is not None) == (meta.status in {"SUCCESS", "FAILURE", "REVOKED"})


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case['name']}-{n}")
        for n, case in enumerate(VECTORS)
        if case["serializer"] == "json"
        and not any(word in case["name"] for word in ("custom", "nested", "unserializable_args", "chord_failing", "gzip"))
    ],
)
def test_a_result_of_celery_is_written_again_as_it_was_key_by_key(case: dict[str, Any]) -> None:
    meta = taskmeta.decode(bytes_of(case))

    assert json.dumps(json.loads(taskmeta.encode(meta))) == json.dumps(json.loads(bytes_of(case)))


def test_a_compressed_result_bears_celerys_mark() -> None:
    meta = first("results_gzip_success")

    data = taskmeta.encode(meta, compression="gzip")

    mark = b"\0celery-compressed\0application/x-gzip\0"
    assert data.startswith(mark)
    assert json.loads(zlib.decompress(data[len(mark) :]))["result"] == meta.result


def test_an_exception_whose_class_is_loaded_is_that_class() -> None:
    assert first("results_failure_keyerror").result.args == ("missing",)
    assert type(first("results_failure_keyerror").result) is KeyError


def test_an_exception_whose_class_is_not_loaded_is_told_by_name() -> None:
    error = first("results_failure_custom").result

    assert isinstance(error, RemoteError)
    assert str(error) == "wireapp.CustomError(7, 'détail')"


def test_an_exception_that_celery_wrapped_is_told_by_its_own_name() -> None:
    error = first("results_failure_unserializable_args").result

    assert isinstance(error, RemoteError)
    assert error.type == "wireapp.BadArgsError"


def test_celerys_own_exceptions_are_ours() -> None:
    assert type(first("results_expired").result) is TaskRevokedError
    assert type(first("results_unknown_task").result) is NotRegistered


def test_stamps_of_an_extended_result_are_found() -> None:
    meta = first("results_extended_stamped")

    assert meta.stamps == {"trace": ["t1", "t2"], "team": "blue"}
