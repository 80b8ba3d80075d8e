"""Values to bytes and back, with each serializer; nothing is read that was not accepted."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celeriac import Signature
from celeriac.core import codecs, typedjson
from celeriac.core.errors import ContentDisallowed, DecodeError, EncodeError, ImproperlyConfigured

ALL = codecs.content_types(["json", "yaml", "msgpack", "pickle"])


def round_trip(value: Any, serializer: str = "json") -> Any:
    encoded = codecs.encode(value, serializer)
    return codecs.decode(encoded.data, encoded.content_type, encoded.content_encoding, ALL)


class Point(NamedTuple):
    x: int
    y: int


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __json__(self) -> dict[str, int]:
        return {"cents": self.cents}


@pytest.mark.parametrize("serializer", ["json", "yaml", "msgpack", "pickle"])
@pytest.mark.parametrize("value", [None, True, 5, -(2**60), 1.5, "é☃😀", "", [], {}, [1, [2, {"a": None}]], {"": [""]}])
def test_plain_values_survive_every_serializer(serializer: str, value: object) -> None:
    assert round_trip(value, serializer) == value


@pytest.mark.parametrize(
    "value",
    [
        datetime(2030, 1, 2, 3, 4, 5),
        datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        datetime(2030, 1, 2, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
        date(2030, 1, 2),
        time(3, 4, 5),
        Decimal("1.10"),
        UUID(int=7),
        b"text",
        b"\xff\x00",
        [{"a": Decimal(1)}, b""],
        2**80,
        "\ud800",
    ],
)
def test_json_keeps_the_types_that_kombu_keeps(value: object) -> None:
    assert round_trip(value) == value


def test_json_keeps_nan_and_infinity() -> None:
    nan, infinity = round_trip([math.nan, -math.inf])

    assert math.isnan(nan)
    assert infinity == -math.inf


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2030, 1, 2, tzinfo=UTC), b'{"__type__": "datetime", "__value__": "2030-01-02T00:00:00+00:00"}'),
        (UUID(int=7), b'{"__type__": "uuid", "__value__": {"hex": "00000000000000000000000000000007"}}'),
        (b"x", b'{"__type__": "bytes", "__value__": "x"}'),
        (b"\xff", b'{"__type__": "base64", "__value__": "/w=="}'),
        ({1: "a", None: "b"}, b'{"1": "a", "null": "b"}'),
        ([Money(5)], b'[{"cents": 5}]'),
        (Point(1, 2), b"[1, 2]"),
    ],
)
def test_json_is_written_as_kombu_writes_it(value: object, text: bytes) -> None:
    assert codecs.encode(value).data == text


def test_a_registered_type_is_written_under_its_marker_and_read_again() -> None:
    typedjson.register_type(complex, "test-complex", lambda value: [value.real, value.imag], lambda parts: complex(*parts))

    assert round_trip({"z": 1 + 2j}) == {"z": 1 + 2j}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, timedelta(1)]}, r"cannot write timedelta as JSON, at value\['a'\]\[1\]"),
        ([{1}], r"cannot write set as JSON, at value\[0\]"),
        (object(), "cannot write object as JSON, at value"),
        ([10**5000], r"cannot write int as JSON, at value\[0\]"),
    ],
)
def test_what_json_cannot_hold_is_named_with_its_place(value: object, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        codecs.encode(value)


@pytest.mark.parametrize("serializer", ["json", "msgpack"])
def test_a_list_inside_itself_is_refused(serializer: str) -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(EncodeError):
        codecs.encode(endless, serializer)


@pytest.mark.parametrize("value", [{1}, datetime(2030, 1, 1, tzinfo=UTC), Decimal(1), UUID(int=1), 2**70, object()])
def test_msgpack_refuses_what_it_would_change(value: object) -> None:
    with pytest.raises(EncodeError):
        codecs.encode([value], "msgpack")


def test_msgpack_keeps_bytes_and_keys() -> None:
    assert round_trip({1: b"\xff", "a": 1.5}, "msgpack") == {1: b"\xff", "a": 1.5}


def test_an_object_with_two_other_keys_is_left_alone() -> None:
    assert round_trip({"__type__": "datetime", "value": 1}) == {"__type__": "datetime", "value": 1}


@pytest.mark.parametrize(
    "text",
    [
        b'{"__type__": "os.system", "__value__": "ls"}',
        b'{"__type__": "datetime", "__value__": 5}',
        b'{"__type__": "uuid", "__value__": {}}',
        b'{"__type__": "decimal", "__value__": "x"}',
        b'{"__type__": [], "__value__": "x"}',
        b"{",
        b"\xff",
        b"",
        b"1" * 5000,
    ],
)
def test_bad_json_is_a_decode_error(text: bytes) -> None:
    with pytest.raises(DecodeError):
        codecs.decode(text, codecs.JSON, "utf-8", ALL)


@pytest.mark.parametrize("content_type", [codecs.PICKLE, codecs.YAML, codecs.MSGPACK])
def test_only_json_is_read_where_only_json_is_accepted(content_type: str) -> None:
    with pytest.raises(ContentDisallowed):
        codecs.decode(pickle.dumps(1), content_type, "binary", codecs.content_types(["json"]))


@pytest.mark.parametrize("encoding", ["zip", "rot13", "idna", "no-such"])
def test_an_unknown_character_set_is_a_decode_error(encoding: str) -> None:
    with pytest.raises(DecodeError):
        codecs.decode(b"1", codecs.JSON, encoding, ALL)


def test_text_in_another_character_set_is_read() -> None:
    assert codecs.decode('"é"'.encode("latin-1"), codecs.JSON, "latin-1", ALL) == "é"


def test_yaml_takes_signatures_in_each_other_for_mappings() -> None:
    linked = {"link_error": [Signature("b"), {"c": Signature("d")}]}

    read = codecs.decode(codecs.encode(linked, "yaml").data, codecs.YAML, "utf-8", frozenset({codecs.YAML}))

    assert [read["link_error"][0]["task"], read["link_error"][1]["c"]["task"]] == ["b", "d"]


def test_yaml_builds_no_objects() -> None:
    with pytest.raises(DecodeError):
        codecs.decode(b"!!python/object/apply:os.getcwd []", codecs.YAML, "utf-8", ALL)


def test_names_and_content_types_may_both_stand_in_accept_content() -> None:
    assert codecs.content_types(["json", "application/x-yaml"]) == {codecs.JSON, codecs.YAML}


def test_a_name_that_is_no_serializer_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match="jsno"):
        codecs.content_types(["jsno"])
    with pytest.raises(EncodeError, match="jsno"):
        codecs.encode(1, "jsno")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.datetimes()
    | st.decimals(allow_nan=False)
    | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: not key.startswith("__")), inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None, max_examples=300)
@given(VALUES)
def test_json_brings_back_any_value_that_it_takes(value: object) -> None:
    assert round_trip(value) == value


@settings(deadline=None, max_examples=200)
@given(st.recursive(st.none() | st.floats() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.tuples(inner)))
def test_what_counts_as_plain_has_no_nan_in_it(value: object) -> None:
    if typedjson.is_plain(value):
        assert "nan" not in repr(value).replace("'nan", "")
        assert "inf" not in repr(value).replace("'inf", "") or "'" in repr(value)


def test_what_yaml_cannot_write_nor_show_is_told_by_its_class() -> None:
    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    with pytest.raises(EncodeError, match=r"cannot write .*Mute as yaml, at args\[0\]"):
        codecs.encode([Mute()], "yaml", place="args")
