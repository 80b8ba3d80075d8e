"""Events become notices, and notices events; what is none harms no monitor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from celeriac.core import codecs, envelope
from celeriac.core.message import Parcel, Rejected
from celeriac.core.notice import Notice
from celeriac.events import types, wire
from celeriac.events.types import Told, make_event
from unit.events.telling import told

JSON = codecs.content_types(["json"])
VECTORS = json.loads((Path(__file__).parents[2] / "wire" / "vectors" / "events.json").read_text())


def written(*events: Told | dict[str, Any], many: bool = True, serializer: str = "json") -> Notice:
    return wire.write(events, exchange="celeryev", routing_key="task.multi", hostname="n", serializer=serializer, many=many)


def heard(body: bytes, content_type: str = codecs.JSON) -> Notice:
    return Notice("celeryev", "x", Parcel(body=body, content_type=content_type, content_encoding="utf-8", headers={}))


STARTED = types.Started(hostname="n", utcoffset=-1.0, pid=2, clock=3, timestamp=4.5, uuid="a")


def test_several_events_are_a_list_and_one_is_an_object() -> None:
    one, many = written(STARTED, many=False), written(STARTED, STARTED)

    event = {"type": "task-started", "hostname": "n", "utcoffset": -1.0, "pid": 2, "clock": 3, "timestamp": 4.5, "uuid": "a"}
    assert json.loads(one.parcel.body) == event
    assert json.loads(many.parcel.body) == [event, event]
    assert (one.parcel.headers, one.parcel.properties) == ({"hostname": "n"}, {"delivery_mode": 1})


@pytest.mark.parametrize("serializer", ["json", "yaml", "msgpack", "pickle"])
@pytest.mark.parametrize("event", [STARTED, make_event("shop-paid", {"amount": 3}, time=lambda: 1.0)])
def test_events_are_written_as_the_setting_has_it(serializer: str, event: Any) -> None:
    notice = written(event, many=False, serializer=serializer)

    [read] = wire.read(notice, codecs.content_types([serializer]))  # type: ignore[misc]
    assert (notice.parcel.content_type, read["type"]) == (
        codecs.CONTENT_TYPES[serializer],
        event["type"] if isinstance(event, dict) else "task-started",
    )


def test_text_that_json_cannot_hold_as_it_is_is_written_nevertheless() -> None:
    failed = types.Failed(hostname="n", utcoffset=0, pid=2, clock=3, timestamp=4, uuid="a", exception="\ud800", traceback=None)

    [read] = wire.read(written(failed, many=False), JSON)  # type: ignore[misc]
    assert read["exception"] == "\ud800"


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_what_celery_says_is_understood(vector: dict[str, Any]) -> None:
    parcel = envelope.unpack(vector["raw"].encode())
    assert isinstance(parcel, Parcel)

    events = wire.read(Notice("celeryev", vector["routing_key"], parcel), JSON)

    expected = vector["body"] if isinstance(vector["body"], list) else [vector["body"]]
    assert events == expected


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_our_events_have_the_fields_of_celerys(vector: dict[str, Any]) -> None:
    """``active``, ``processed`` and ``loadavg`` are missing from a heartbeat that somebody asked Celery for."""
    kinds = {cls.__struct_config__.tag: set(cls.__struct_fields__) | {"type"} for cls in TOLD}
    for event in vector["body"] if isinstance(vector["body"], list) else [vector["body"]]:
        if event["type"].startswith("task-") and event["type"] in kinds:
            missing = {"traceback"} if event["type"] == "task-failed" else set()
            assert set(event) | missing == kinds[event["type"]]


TOLD: tuple[type[Told], ...] = (
    types.Sent, types.Received, types.Started, types.Succeeded, types.Failed, types.Retried, types.Rejected,
    types.Revoked, types.Cancelled,
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed"),
        (b"nonsense", "malformed"),
        (b"null", "malformed"),
        (b"[]", "malformed"),
        (b"[[1], 2, null]", "malformed"),
        (b'{"type": 7}', "malformed"),
        (b'{"no": "type"}', "malformed"),
        (b'{"type": "task-sent", "uuid": ["a"]}', "malformed"),
        (b'{"type": "task-sent", "clock": "late"}', "malformed"),
        (b'{"type": "task-sent", "timestamp": 1e300}', "malformed"),
        (b'{"type": "' + b"x" * 300 + b'"}', "malformed"),
        (b"[" * 1000 + b"]" * 1000, "malformed"),
        (b'"' + b"x" * (5 * 1024 * 1024) + b'"', "oversized"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_what_is_no_event_is_refused_and_never_raises(body: bytes, reason: str) -> None:
    answer = wire.read(heard(body), JSON)

    assert isinstance(answer, Rejected)
    assert answer.reason == reason


def test_pickle_is_not_read_unless_it_was_asked_for() -> None:
    notice = written({"type": "x"}, serializer="pickle")

    answer = wire.read(notice, JSON)

    assert isinstance(answer, Rejected)
    assert answer.reason == "content-type"


def test_the_good_among_bad_are_read_and_long_texts_are_cut() -> None:
    body = json.dumps([{"type": "a-b", "text": "x" * 100_000}, 7, {"type": None}]).encode()

    events = wire.read(heard(body), JSON)

    assert events == [{"type": "a-b", "text": "x" * 65536}]


def test_an_event_of_a_test_is_an_event() -> None:
    assert isinstance(wire.read(heard(json.dumps(told("task-started")).encode()), JSON), list)
