"""JSON as Celery speaks it: plain JSON, and typed objects for what JSON lacks.

In a job's life: bodies, results and envelopes are written and read here. A datetime, date, time, Decimal, UUID or bytes is
written as ``{"__type__": "datetime", "__value__": "..."}``; an object with exactly these two keys is read back as the value.
Source: kombu's JSON (5.3 and later). Does not know: what the values are for.

Plain values take msgspec, several times faster than the standard library. Only what is known to be plain may: msgspec
writes NaN as null, sets as lists and datetimes as bare text, all silently.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from celeriac.core.errors import DecodeError, EncodeError
from celeriac.core.limits import too_deep

_T = TypeVar("_T")

MAX_DEPTH: Final = 128
"""Of what is written or read, unless the reader says otherwise."""

_SCALARS: Final = frozenset({str, int, bool, type(None)})
_TEXT: Final = frozenset({str})
_write_fast: Final = msgspec.json.Encoder().encode
_read_fast: Final = msgspec.json.Decoder().decode

_WRITERS: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {
    # A datetime is a date, too: the narrower type stands first.
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    Decimal: ("decimal", str),
    UUID: ("uuid", lambda value: {"hex": value.hex}),
}
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
    "uuid": lambda value: UUID(hex=value["hex"]),
    "bytes": lambda value: value.encode("utf-8"),
    "base64": b64decode,
}


class TooDeep(DecodeError):
    """More lists and objects inside each other than allowed."""


def register_type(kind: type[_T], marker: str, writer: Callable[[_T], Any], reader: Callable[[Any], _T]) -> None:
    """Teach JSON one more type; for the whole process, as in kombu.

    Args:
        kind: Values of this type and its subclasses are meant.
        marker: Stands in ``__type__``. The reader must know the same.
        writer: Turns a value into what JSON can hold.
        reader: Turns that into the value again.
    """
    _WRITERS[kind] = (marker, writer)
    _READERS[marker] = reader


def has_form(value: Any) -> bool:
    """Say whether ``value`` is no plain JSON, but has a typed object that stands for it."""
    return isinstance(value, (*_WRITERS, bytes))


def is_plain(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Say whether ``value`` consists of nothing but what JSON has: exact types, text keys, finite numbers."""
    kind = type(value)
    if kind is dict:
        if not _TEXT.issuperset(map(type, value)):
            return False
        inner = value.values()
    elif kind is list or kind is tuple:
        inner = value
    else:
        return kind in _SCALARS or (kind is float and value - value == 0)  # NaN and the infinities: NaN
    # Without a loop in Python where nothing is nested: each message comes by here three times.
    if _SCALARS.issuperset(map(type, inner)):
        return True
    if depth == 0:
        return False
    for item in inner:  # noqa: SIM110  a generator costs more than all the rest
        if type(item) not in _SCALARS and not is_plain(item, depth - 1):
            return False
    return True


def dumps(value: Any, *, place: str = "value", plain: bool = False) -> bytes:
    """Write ``value`` as JSON.

    Args:
        value: What to write. Tuples become lists, keys become text.
        place: What ``value`` is; stands in the error's message.
        plain: The caller has looked: ``is_plain`` holds.

    Raises:
        EncodeError: something in it cannot be written; the message names its type and its place.
    """
    if plain or is_plain(value):
        try:
            return _write_fast(value)
        except ValueError:
            pass  # half of a surrogate pair, which JSON can hold as an escape and UTF-8 cannot; or a number too long
    try:
        data = _ENCODER.encode(value).encode("ascii")
    except Exception as problem:
        raise EncodeError(_blame(value, place, problem)) from problem
    if len(data) > 2 * MAX_DEPTH and too_deep(data, MAX_DEPTH):  # what nobody would read
        raise EncodeError(f"cannot write {place} as JSON: nested more than {MAX_DEPTH} levels deep")
    return data


def flatten(value: Any, *, place: str = "value") -> Any:
    """Return ``value`` with everything that JSON lacks replaced by typed objects. Raises EncodeError."""
    return value if is_plain(value) else json.loads(dumps(value, place=place), parse_constant=str)


def unflatten(value: Any) -> Any:
    """Return ``value`` with its typed objects replaced by what they stand for. Raises DecodeError."""
    if type(value) is not dict and type(value) is not list:
        return value
    data = _ENCODER.encode(value).encode("ascii")
    return loads(data) if b'"__type__"' in data else value


def loads(data: bytes, *, depth: int = MAX_DEPTH) -> Any:
    """Read JSON, typed objects included.

    Raises:
        TooDeep: it is nested too deeply.
        DecodeError: it is no JSON, or has a typed object that cannot be built.
    """
    if too_deep(data, depth):
        raise TooDeep(f"nested more than {depth} levels deep")
    try:
        if b'"__type__"' not in data:
            try:
                return _read_fast(data)
            except (ValueError, RecursionError):
                pass  # NaN, Infinity, surrogates: the standard library reads them
        return json.loads(data.decode("utf-8"), object_hook=_restore)
    except DecodeError:
        raise
    # A registered reader is anybody's code and may raise anything.
    except Exception as problem:
        raise DecodeError(f"not JSON: {problem}"[:500]) from problem


def _replace(value: Any) -> Any:
    """Return what stands for ``value``, a thing that JSON lacks."""
    reducer = getattr(type(value), "__json__", None)
    if reducer is not None:
        return reducer(value)
    for kind, (marker, writer) in _WRITERS.items():
        if isinstance(value, kind):
            return {"__type__": marker, "__value__": writer(value)}
    if isinstance(value, bytes):
        try:
            return {"__type__": "bytes", "__value__": value.decode("utf-8")}
        except UnicodeDecodeError:
            return {"__type__": "base64", "__value__": b64encode(value).decode("ascii")}
    raise TypeError(f"{type(value).__qualname__} is not JSON")


_ENCODER: Final = json.JSONEncoder(default=_replace)


def _restore(found: dict[str, Any]) -> Any:
    if len(found) != 2 or "__type__" not in found or "__value__" not in found:
        return found
    marker = found["__type__"]
    reader = _READERS.get(marker) if isinstance(marker, str) else None
    if reader is None:
        raise DecodeError(f"unsupported type {marker!r}"[:200])
    return reader(found["__value__"])


def _blame(value: Any, place: str, problem: Exception, depth: int = MAX_DEPTH) -> str:
    """Name the first thing in ``value`` that cannot be written."""
    children = _children(value) if depth else ()
    for inner, where in children:
        try:
            _ENCODER.encode(inner)
        except Exception as deeper:
            return _blame(inner, place + where, deeper, depth - 1)
    return f"cannot write {type(value).__qualname__} as JSON, at {place}: {problem}"[:500]


def _children(value: Any) -> list[tuple[Any, str]]:
    if isinstance(value, dict):
        return [(item, f"[{key!r}]") for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [(item, f"[{index}]") for index, item in enumerate(value)]
    return []
