"""What a result backend keeps of a group."""

from __future__ import annotations

import json
from typing import Any

import pytest

from celeriac.core import codecs, groupmeta
from celeriac.core.errors import ContentDisallowed, DecodeError, EncodeError
from celeriac.core.limits import DEFAULT_LIMITS
from celeriac.drivers.redis.keys import Keys

STORED = [["g", [["before", None], None]], [[["a", None], None], [["inner", None], [[["b", None], None]]]]]


@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml", "pickle"])
def test_what_was_written_is_read(serializer: str) -> None:
    if serializer in {"msgpack", "yaml"}:
        pytest.importorskip(serializer)

    assert groupmeta.decode(groupmeta.encode(STORED, serializer), serializer) == STORED


def test_it_is_written_as_celery_writes_it() -> None:
    assert json.loads(groupmeta.encode((("g", None), [(("a", None), None)]))) == {"result": [["g", None], [[["a", None], None]]]}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"{}", b'{"result": null}', b'{"status": "SUCCESS", "result": 5}', b"\xff\xfe"]
)
def test_what_is_no_group_is_told_as_that(body: bytes) -> None:
    with pytest.raises(DecodeError):
        groupmeta.decode(body)


def test_what_is_too_deep_or_too_large_is_not_read() -> None:
    deep: Any = [["g", None], []]
    for _ in range(DEFAULT_LIMITS.depth):
        deep = [["g", None], [deep]]

    with pytest.raises(DecodeError):
        groupmeta.decode(json.dumps({"result": deep}).encode())
    with pytest.raises(EncodeError, match="levels deep"):
        groupmeta.encode(deep)
    with pytest.raises(DecodeError, match="more than"):
        groupmeta.decode(b" " * (DEFAULT_LIMITS.raw + 1))


def test_a_serializer_that_is_not_accepted_is_not_asked() -> None:
    with pytest.raises(ContentDisallowed):
        groupmeta.decode(groupmeta.encode(STORED, "pickle"), "pickle", accept=frozenset({codecs.JSON}))


def test_a_group_and_a_task_of_one_id_have_two_places() -> None:
    place = groupmeta.place_of("same")

    assert (groupmeta.group_at(place), groupmeta.group_at("same")) == ("same", None)
    assert (Keys().result(place), Keys().result("same")) == ("celery-taskset-meta-same", "celery-task-meta-same")
