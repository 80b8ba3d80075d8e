"""The envelope: what is packed comes out again, and no bytes can do harm."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celeriac.core import envelope
from celeriac.core.errors import EncodeError
from celeriac.core.limits import Limits
from celeriac.core.message import Outgoing, Parcel, Rejected


def a_parcel(**changes: Any) -> Parcel:
    fields: dict[str, Any] = {
        "body": b"[[1], {}, {}]",
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "headers": {"task": "shop.add", "id": "1"},
        "properties": {"correlation_id": "1", "reply_to": None, "delivery_mode": 2},
    }
    return Parcel(**(fields | changes))


def packed(**changes: Any) -> bytes:
    return envelope.pack(Outgoing(parcel=a_parcel(**changes), queue="celery"), tag="t1")


def reason(raw: bytes, limits: Limits | None = None) -> str:
    result = envelope.unpack(raw, limits=limits or Limits())
    assert isinstance(result, Rejected), result
    return result.reason


def test_what_is_packed_comes_out_again() -> None:
    parcel = a_parcel(body=b"\x00\xff", headers={"task": "é", "n": [1, {"a": None}]})

    result = envelope.unpack(envelope.pack(Outgoing(parcel=parcel, queue="q", priority=3), tag="t"))

    assert isinstance(result, Parcel)
    assert (result.body, result.headers) == (parcel.body, parcel.headers)
    assert result.properties["priority"] == 3


def test_the_keys_stand_in_celerys_order() -> None:
    written = json.loads(packed())

    assert list(written) == ["body", "content-encoding", "content-type", "headers", "properties"]
    assert list(written["properties"]) == [
        "correlation_id",
        "reply_to",
        "delivery_mode",
        "delivery_info",
        "priority",
        "body_encoding",
        "delivery_tag",
    ]


def test_a_message_without_exchange_is_addressed_to_its_queue() -> None:
    assert json.loads(packed())["properties"]["delivery_info"] == {"exchange": "", "routing_key": "celery"}


def test_a_redelivered_message_says_so_where_kombu_looks_for_it() -> None:
    written = json.loads(packed(headers={"task": "a", "id": "1", "redelivered": True}))

    assert written["properties"]["delivery_info"]["redelivered"] is True


def test_half_a_surrogate_pair_in_a_header_is_written_as_an_escape() -> None:
    raw = packed(headers={"task": "a", "x": "\ud800"})

    result = envelope.unpack(raw)
    assert isinstance(result, Parcel)
    assert result.headers["x"] == "\ud800"


def test_a_header_that_is_no_json_is_refused_by_name() -> None:
    with pytest.raises(EncodeError, match="object as JSON, at message"):
        packed(headers={"x": object()})


def test_a_body_without_encoding_is_taken_as_it_is() -> None:
    raw = json.dumps({"body": "[1]", "headers": {}, "properties": {"body_encoding": None}}).encode()

    result = envelope.unpack(raw)

    assert isinstance(result, Parcel)
    assert result.body == b"[1]"


def test_celerys_nan_in_a_header_is_read_as_text() -> None:
    raw = b'{"body": "", "headers": {"a": NaN, "b": -Infinity, "c": 1e999}, "properties": {}}'

    result = envelope.unpack(raw)

    assert isinstance(result, Parcel)
    assert result.headers == {"a": "NaN", "b": "-Infinity", "c": "1e999"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"null",
        b"[]",
        b"17",
        b'{"body": "W10=", "headers": {',
        b'{"headers": {}}',
        b'{"body": 1}',
        b'{"body": null}',
        b'{"body": "a"}',
        b'{"body": "", "headers": []}',
        b'{"body": "", "headers": 1}',
        b'{"body": "", "properties": "x"}',
        b'{"body": "", "content-type": {}}',
        b'{"body": "", "properties": {"body_encoding": "rot13"}}',
        b'{"body": "", "properties": {"body_encoding": {}}}',
        b'{"body": "\\ud800", "properties": {"body_encoding": null}}',
        '{"body": "é"}'.encode(),
        '{"body": ""}'.encode("utf-16"),
    ],
)
def test_what_is_no_envelope_is_malformed(raw: bytes) -> None:
    assert reason(raw) == "malformed"


def test_too_many_bytes_are_oversized() -> None:
    assert reason(packed(), Limits(raw=100)) == "oversized"


def test_too_many_headers_are_oversized() -> None:
    assert reason(packed(headers={str(n): n for n in range(10_001)})) == "oversized"


@pytest.mark.parametrize("bomb", [b"[" * 10_000_000, b'{"a":' * 2_000_000, b'{"headers":' + b"[" * 200 + b"]" * 200 + b"}"])
def test_a_nesting_bomb_is_too_deep_and_costs_little_time(bomb: bytes) -> None:
    start = time.process_time()

    verdict = reason(bomb)

    assert verdict == "too-deep"
    assert time.process_time() - start < 2


def test_brackets_inside_of_texts_are_no_nesting() -> None:
    raw = packed(headers={"task": "a", "x": '"[{\\' * 200})

    assert isinstance(envelope.unpack(raw), Parcel)


def test_many_shallow_lists_are_not_deep() -> None:
    raw = packed(headers={"task": "a", "x": [[n] for n in range(1000)]})

    assert isinstance(envelope.unpack(raw), Parcel)


def test_an_unfinished_text_full_of_escapes_costs_linear_time() -> None:
    raw = b"[" * 200 + b'"' + b'\\"' * 1_000_000
    start = time.process_time()

    reason(raw)

    assert time.process_time() - start < 2


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    assert isinstance(envelope.unpack(raw), Parcel | Rejected)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(["body", "headers", "properties", "content-type", "content-encoding"]), JSON_VALUES, max_size=5
    )
)
def test_no_json_makes_it_raise(document: dict[str, Any]) -> None:
    document = {"body": b64encode(b"[]").decode(), **document}

    result = envelope.unpack(json.dumps(document).encode())

    assert isinstance(result, Parcel | Rejected)
