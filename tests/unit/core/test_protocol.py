"""Messages to parcels and back: nothing is lost, and nothing from outside can raise or reach user code."""

from __future__ import annotations

import json
import math
import pickle
import zlib
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from celeriac.core import codecs, envelope, protocol
from celeriac.core.errors import EncodeError
from celeriac.core.limits import Limits
from celeriac.core.message import Message, Outgoing, Parcel, Rejected

NOON = datetime(2030, 1, 2, 12, 0, tzinfo=UTC)
JSON = codecs.content_types(["json"])
ALL = codecs.content_types(["json", "yaml", "msgpack", "pickle"])
SIGNATURE: dict[str, Any] = {
    "task": "shop.done",
    "args": [],
    "kwargs": {},
    "options": {},
    "subtask_type": None,
    "immutable": False,
}


def a_message(**changes: Any) -> Message:
    fields: dict[str, Any] = {"id": "i1", "task": "shop.add", "args": [2, 3], "root_id": "i1", "correlation_id": "i1"}
    return Message(**(fields | {"argsrepr": "(2, 3)", "kwargsrepr": "{}"} | changes))


def a_full_message() -> Message:
    return a_message(
        kwargs={"at": NOON, "raw": b"\xff"},
        eta=NOON,
        expires=NOON + timedelta(hours=1),
        retries=2,
        time_limit=30,
        soft_time_limit=1.5,
        priority=3,
        parent_id="p",
        group="g",
        group_index=4,
        reply_to="r",
        origin="gen1@host",
        shadow="shown",
        ignore_result=True,
        replaced_task_nesting=1,
        stamped_headers=["team"],
        stamps={"team": "blue"},
        callbacks=[SIGNATURE],
        errbacks=[SIGNATURE],
        chain=[],
        chord=SIGNATURE,
        headers={"x-tenant": "acme", "at": NOON},
        deliveries=2,
        redelivered=True,
    )


def a_parcel(headers: dict[str, Any] | None = None, body: object = None, **changes: Any) -> Parcel:
    raw = body if isinstance(body, bytes) else json.dumps([[1], {}, None] if body is None else body).encode()
    fields: dict[str, Any] = {
        "body": raw,
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "headers": {"task": "shop.add", "id": "i1"} if headers is None else headers,
    }
    return Parcel(**(fields | changes))


def reason(parcel: Parcel, **options: Any) -> str:
    result = protocol.decode(parcel, accept=options.pop("accept", JSON), **options)
    assert isinstance(result, Rejected), result
    return result.reason


@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml", "pickle"])
@pytest.mark.parametrize("compression", [None, "gzip", "bzip2", "lzma"])
def test_a_message_comes_back_whole(serializer: str, compression: str | None) -> None:
    message = replace(a_full_message(), kwargs={"a": 1}) if serializer == "msgpack" else a_full_message()

    parcel = protocol.encode(message, now=NOON, serializer=serializer, compression=compression)

    assert protocol.decode(parcel, accept=ALL) == message


def test_a_message_comes_back_whole_through_the_envelope() -> None:
    message = a_full_message()
    outgoing = Outgoing(parcel=protocol.encode(message, now=NOON), queue="celery", priority=message.priority)

    parcel = envelope.unpack(envelope.pack(outgoing, tag="t"))

    assert isinstance(parcel, Parcel)
    assert protocol.decode(parcel, accept=JSON) == message


def test_expires_is_sent_as_milliseconds_from_now_too() -> None:
    parcel = protocol.encode(a_message(expires=NOON + timedelta(seconds=60)), now=NOON)

    assert parcel.properties["expiration"] == "60000"


def test_what_has_expired_is_sent_with_nothing_left() -> None:
    parcel = protocol.encode(a_message(expires=NOON - timedelta(seconds=60)), now=NOON)

    assert parcel.properties["expiration"] == "0"


def test_an_argument_that_cannot_be_written_is_named_with_its_place() -> None:
    with pytest.raises(EncodeError, match=r"cannot write set as JSON, at kwargs\['tags'\]\[1\]"):
        protocol.encode(a_message(kwargs={"tags": [1, {2}]}), now=NOON)


def test_a_message_without_representation_gets_one() -> None:
    parcel = protocol.encode(a_message(args=(2, "x"), argsrepr=None, kwargsrepr=None), now=NOON)

    assert (parcel.headers["argsrepr"], parcel.headers["kwargsrepr"]) == ("(2, 'x')", "{}")


def test_the_least_message_is_understood() -> None:
    message = protocol.decode(a_parcel(), accept=JSON)

    assert message == Message(id="i1", task="shop.add", args=[1])


def test_headers_win_over_the_fields_of_an_object_body() -> None:
    parcel = a_parcel({"task": "shop.add", "id": "i1", "retries": 2}, {"task": "x", "retries": 1, "args": [5], "kwargs": {}})

    message = protocol.decode(parcel, accept=JSON)

    assert isinstance(message, Message)
    assert (message.task, message.retries, message.args) == ("shop.add", 2, [5])


@pytest.mark.parametrize("text", ["2030-01-02T12:00:00+00:00", "2030-01-02T12:00:00Z", "2030-01-02T17:30:00+05:30"])
def test_every_offset_names_the_same_moment(text: str) -> None:
    message = protocol.decode(a_parcel({"task": "a", "id": "1", "eta": text}), accept=JSON)

    assert isinstance(message, Message)
    assert message.eta == NOON


@pytest.mark.parametrize(
    "headers",
    [
        {"task": "a"},
        {"id": "1"},
        {"task": None, "id": "1"},
        {"task": "", "id": "1"},
        {"task": "a" * 256, "id": "1"},
        {"task": "a\n", "id": "1"},
        {"task": "a", "id": "1\x1b[2J"},
        {"task": "a", "id": 1},
        {"task": "a", "id": "1", "retries": -1},
        {"task": "a", "id": "1", "retries": True},
        {"task": "a", "id": "1", "retries": 2**40},
        {"task": "a", "id": "1", "retries": "3"},
        {"task": "a", "id": "1", "timelimit": [-1, None]},
        {"task": "a", "id": "1", "timelimit": [math.nan, None]},
        {"task": "a", "id": "1", "timelimit": [1]},
        {"task": "a", "id": "1", "timelimit": "soon"},
        {"task": "a", "id": "1", "eta": "tomorrow"},
        {"task": "a", "id": "1", "eta": 5},
        {"task": "a", "id": "1", "eta": "2" * 1000},
        {"task": "a", "id": "1", "eta": "0001-01-01T00:00:00+14:00"},
        {"task": "a", "id": "1", "eta": "9999-12-31T23:59:59-14:00"},
        {"task": "a", "id": "1", "group_index": "x"},
        {"task": "a", "id": "1", "stamps": []},
        {"task": "a", "id": "1", "stamped_headers": [1]},
        {"task": "a", "id": "1", "celeriac-deliveries": "many"},
        {"task": "a", "id": "1", "redelivered": "yes"},
        {"task": "a", "id": "1", "compression": 7},
        {"task": "a", "id": "1", "x": {"__type__": "datetime", "__value__": 5}},
    ],
)
def test_a_header_of_the_wrong_kind_is_malformed(headers: dict[str, Any]) -> None:
    assert reason(a_parcel(headers)) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        [],
        [[1], {}],
        [[1], {}, {}, {}],
        [5, {}, {}],
        [[1], [1], {}],
        [[1], {}, 5],
        [[1], {}, []],
        [[1], {}, {"callbacks": 5}],
        [[1], {}, {"callbacks": [5]}],
        [[1], {}, {"chain": {}}],
        [[1], {}, {"chord": []}],
        "text",
        17,
        b"",
        b"{",
        b"\xff",
        {"args": 5},
    ],
)
def test_a_body_of_the_wrong_kind_is_malformed(body: object) -> None:
    assert reason(a_parcel(None, body)) == "malformed"


def test_a_content_type_that_is_not_accepted_is_refused_unread() -> None:
    body = pickle.dumps(Bomb())

    verdict = reason(a_parcel(None, body, content_type="application/x-python-serialize", content_encoding="binary"))

    assert verdict == "content-type"
    assert not Bomb.went_off


def test_a_bomb_in_the_body_is_oversized() -> None:
    headers = {"task": "a", "id": "1", "compression": "application/x-gzip"}
    body = zlib.compress(b" " * 10_000_000)

    assert reason(a_parcel(headers, body), limits=Limits(decompressed=1_000_000)) == "oversized"


def test_an_unknown_compression_is_unsupported() -> None:
    assert reason(a_parcel({"task": "a", "id": "1", "compression": "application/x-nothing"})) == "unsupported"


def test_a_body_nested_too_deeply_is_refused() -> None:
    assert reason(a_parcel(None, b"[" * 100_000)) == "too-deep"


def test_a_redelivery_is_counted_and_leaves_the_body_alone() -> None:
    parcel = protocol.redelivery(a_parcel(None, b"not even json"), deliveries=3)

    assert parcel.body == b"not even json"
    assert protocol.decode(replace(parcel, body=b"[[], {}, {}]"), accept=JSON) == Message(
        id="i1", task="shop.add", args=[], deliveries=3, redelivered=True
    )


def test_a_retry_is_the_same_call_once_more() -> None:
    message = a_full_message()

    again = protocol.retry(message, eta=NOON)

    assert (again.id, again.retries, again.parent_id, again.root_id) == ("i1", 3, "p", "i1")
    assert protocol.retry(replace(message, parent_id=None), eta=NOON).parent_id == "i1"
    assert (again.deliveries, again.redelivered) == (0, False)
    assert (again.headers, again.chain, again.expires) == (message.headers, message.chain, message.expires)


class Bomb:
    """Says that code ran which must not run."""

    went_off = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Bomb, "went_off", True)


VALID = json.loads(envelope.pack(Outgoing(parcel=protocol.encode(a_full_message(), now=NOON), queue="q"), tag="t"))
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 2**70, 1.5, math.inf, "", "x" * 300, "\ud800", "\x00", [], {}, [[]], {"a": {}}, "2030-01-01", [None] * 3]
) | st.text(max_size=5)


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_a_valid_message_with_something_changed_is_understood_or_rejected(data: st.DataObject) -> None:
    document = deepcopy(VALID)
    body = json.loads(protocol.encode(a_full_message(), now=NOON).body)
    places: list[Any] = [document, document["headers"], document["properties"], body, body[1], body[2]]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places))
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
        place[key] = data.draw(ODD)

    raw = json.dumps(document).encode()
    parcel = envelope.unpack(raw)
    if isinstance(parcel, Parcel):
        result = protocol.decode(replace(parcel, body=json.dumps(body).encode()), accept=ALL)
        assert isinstance(result, Message | Rejected)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=60), st.sampled_from(sorted(ALL - {codecs.PICKLE})), st.sampled_from(["utf-8", "binary", "x", "utf-16"])
)
def test_no_bytes_in_a_body_make_it_raise(body: bytes, content_type: str, encoding: str) -> None:
    result = protocol.decode(a_parcel(None, body, content_type=content_type, content_encoding=encoding), accept=ALL)

    assert isinstance(result, Message | Rejected)
