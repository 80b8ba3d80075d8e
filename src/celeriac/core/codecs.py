"""Values to bytes and back: json, msgpack, yaml, pickle; and which of them an app accepts.

In a job's life: protocol and taskmeta call it for bodies and results. A serializer has a short name for settings and a
content type for the wire. Nothing is read whose content type the app has not accepted: pickle runs code while it is read.
Does not know: messages, results, compression.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from celeriac.core import typedjson
from celeriac.core.errors import ContentDisallowed, DecodeError, EncodeError, ImproperlyConfigured

JSON: Final = "application/json"
PICKLE: Final = "application/x-python-serialize"
YAML: Final = "application/x-yaml"
MSGPACK: Final = "application/x-msgpack"

CONTENT_TYPES: Final = {"json": JSON, "pickle": PICKLE, "yaml": YAML, "msgpack": MSGPACK}
"""Name in settings -> content type on the wire."""
SERIALIZERS: Final = {content_type: name for name, content_type in CONTENT_TYPES.items()}
"""Content type on the wire -> name in settings."""

_ENCODINGS: Final = {JSON: "utf-8", PICKLE: "binary", YAML: "utf-8", MSGPACK: "binary"}
_UTF_8: Final = frozenset({"utf-8", "UTF-8", "utf8", "us-ascii", "ascii", "binary", ""})
_CHARSETS: Final = frozenset({"latin-1", "iso-8859-1", "utf-16", "utf-32"})
_PICKLE_PROTOCOL: Final = 4
"""Celery's; every Python since 3.4 reads it."""
_DEEPEST: Final = 64
"""Levels down to which the part of a value that cannot be written is looked for."""
_MSGPACK_SCALARS: Final = (str, bytes, bool, float, type(None))


class Encoded(NamedTuple):
    """A value as bytes, and how to read them."""

    data: bytes
    content_type: str
    content_encoding: str


def content_types(names: Iterable[str]) -> frozenset[str]:
    """Return the content types of ``accept_content``, which may hold names and content types.

    Raises:
        ImproperlyConfigured: one of them is neither.
    """
    return frozenset(_content_type(name, ImproperlyConfigured) for name in names)


def encode(value: Any, serializer: str = "json", *, place: str = "value") -> Encoded:
    """Return ``value`` as bytes.

    Args:
        value: What to write.
        serializer: A name or a content type.
        place: What ``value`` is; stands in the error's message.

    Raises:
        EncodeError: no such serializer, or something that it cannot write; the message says what and where.
    """
    content_type = _content_type(serializer, EncodeError)
    if content_type == JSON:
        return Encoded(typedjson.dumps(value, place=place), JSON, "utf-8")
    try:
        data = _write(value, content_type)
    except Exception as problem:  # pickle and yaml call methods of the values
        if isinstance(problem.__cause__, ImportError):
            raise
        where, culprit = _culprit(value, content_type, place)
        what, said = f"cannot write {type(culprit).__qualname__} as {SERIALIZERS[content_type]}", _said(problem)
        raise EncodeError(f"{what}, at {where}{'' if said == what else f': {said}'}"[:500]) from problem
    return Encoded(data, content_type, _ENCODINGS[content_type])


def decode(data: bytes, content_type: str, content_encoding: str, accept: frozenset[str], *, depth: int = 128) -> Any:
    """Return the value that these bytes stand for.

    Args:
        data: The bytes.
        content_type: As it stands beside them.
        content_encoding: Character set of the text, or ``"binary"``.
        accept: Content types that may be read; see ``content_types``.
        depth: Lists and objects inside each other, at most.

    Raises:
        ContentDisallowed: ``content_type`` is not accepted. Nothing was read.
        DecodeError: the bytes are not what they claim to be.
    """
    if content_type not in accept:
        raise ContentDisallowed(f"content type {content_type!r} is not accepted here"[:200])
    try:
        if content_type == JSON:
            return typedjson.loads(_utf_8(data, content_encoding), depth=depth)
        return _read(data, content_type, content_encoding)
    except DecodeError:
        raise
    except Exception as problem:  # unpickling may raise anything
        raise DecodeError(f"not {content_type}: {problem}"[:500]) from problem


def _content_type(name: str, error: type[Exception]) -> str:
    content_type = CONTENT_TYPES.get(name, name)
    if content_type not in SERIALIZERS:
        raise error(f"there is no serializer {name!r}: choose one of {', '.join(CONTENT_TYPES)}")
    return content_type


def _write(value: Any, content_type: str) -> bytes:
    match content_type:
        case "application/x-python-serialize":
            return pickle.dumps(value, protocol=_PICKLE_PROTOCOL)
        case "application/x-msgpack":
            _check_msgpack(value, 128)
            return msgspec.msgpack.encode(value)
        case _:
            return _yaml_of(value)


def _said(problem: Exception) -> str:
    """Return what it says, which may quote the value's own repr."""
    try:
        return str(problem)
    except Exception as broken:
        return f"{type(problem).__name__}, whose text cannot be shown: {type(broken).__name__}"


def _culprit(value: Any, content_type: str, place: str) -> tuple[str, Any]:
    """Return where inside ``value`` the innermost thing is that cannot be written, and that thing."""
    for _ in range(_DEEPEST):
        if isinstance(value, dict):
            parts: Iterable[tuple[Any, Any]] = value.items()
        elif isinstance(value, list | tuple):
            parts = enumerate(value)
        else:
            break
        found = next(((key, part) for key, part in parts if not _can_write(part, content_type)), None)
        if found is None:
            break
        place, value = f"{place}[{found[0]!r}]"[:200], found[1]
    return place, value


def _can_write(value: Any, content_type: str) -> bool:
    try:
        _write(value, content_type)
    except Exception:
        return False
    return True


def _read(data: bytes, content_type: str, content_encoding: str) -> Any:
    match content_type:
        case "application/x-python-serialize":
            return pickle.loads(data)  # noqa: S301  accepted by the app, in so many words
        case "application/x-msgpack":
            return msgspec.msgpack.decode(data)
        case "application/x-yaml":
            return _yaml(DecodeError).safe_load(_utf_8(data, content_encoding))
        case _:
            raise DecodeError(f"no serializer reads {content_type!r}"[:200])


def _utf_8(data: bytes, content_encoding: str) -> bytes:
    """Return text as UTF-8. Only well-known character sets: some of Python's are slow, some are no character sets."""
    if content_encoding in _UTF_8:
        return data
    if content_encoding.lower() not in _CHARSETS:
        raise DecodeError(f"unknown content encoding {content_encoding!r}"[:200])
    return data.decode(content_encoding).encode("utf-8")


def _check_msgpack(value: Any, depth: int) -> None:
    """Refuse what msgspec would turn into something else without a word: sets, datetimes, Decimals."""
    if isinstance(value, dict):
        for key, item in value.items():
            _check_msgpack(key, depth - 1)
            _check_msgpack(item, depth - 1)
    elif isinstance(value, list | tuple):
        if depth < 1:
            raise EncodeError("cannot write this as msgpack: nested too deeply, or inside itself")
        for item in value:
            _check_msgpack(item, depth - 1)
    elif not isinstance(value, _MSGPACK_SCALARS) and type(value) is not int:
        raise EncodeError(f"cannot write {type(value).__qualname__} as msgpack")


def _yaml_of(value: Any) -> bytes:
    return str(_yaml(EncodeError).dump(value, Dumper=_yaml_writer())).encode("utf-8")


@cache
def _yaml_writer() -> Any:
    """Return a writer to which subclasses of mappings, such as signatures, are mappings."""
    yaml = _yaml(EncodeError)
    writer: Any = type("Writer", (yaml.SafeDumper,), {})
    writer.add_multi_representer(dict, yaml.representer.SafeRepresenter.represent_dict)
    return writer


def _yaml(error: type[Exception]) -> Any:
    try:
        import yaml
    except ImportError as problem:
        raise error("yaml needs a library: pip install 'celeriac[yaml]'") from problem
    return yaml
