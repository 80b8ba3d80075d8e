"""What a result backend keeps about one task, and its stored form.

In a job's life: settlement makes a TaskMeta and encodes it, the store keeps the bytes, the result decodes them. The form is
Celery's, key by key, so either side reads the other's results. Does not know: stores, who waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from celeriac.core import codecs, exceptions, typedjson
from celeriac.core.compression import compress, decompress, method_of
from celeriac.core.errors import ContentDisallowed, DecodeError, EncodeError
from celeriac.core.limits import DEFAULT_LIMITS, Limits
from celeriac.core.message import Message
from celeriac.core.states import EXCEPTION_STATES, PENDING, SUCCESS

_MARK: Final = b"\0celery-compressed\0"


class TaskMeta(Struct, frozen=True, kw_only=True, gc=False):
    """The state of one task. What is not known is ``None``."""

    task_id: str
    status: str = PENDING
    result: Any = None
    """What the function returned, the exception (as an object), or what ``update_state`` was given."""
    traceback: str | None = None
    children: Sequence[Any] = ()
    """Results of the tasks that it sent, each as ``[[id, parent], null]``."""
    date_done: datetime | None = None
    """When it ended, with time zone; ``None`` in states that are not final."""
    group_id: str | None = None
    parent_id: str | None = None
    name: str | None = None
    """From here on only with ``result_extended``."""
    args: Any = None
    kwargs: Any = None
    worker: str | None = None
    retries: int | None = None
    queue: str | None = None
    stamps: Mapping[str, Any] = {}


class _Stored(Struct):
    """What is read; all else is stamps."""

    status: str
    task_id: str = ""
    result: Any = None
    traceback: str | None = None
    children: list[Any] | None = None
    date_done: Any = None
    group_id: str | None = None
    parent_id: str | None = None
    name: str | None = None
    args: Any = None
    kwargs: Any = None
    worker: str | None = None
    retries: int | None = None
    queue: str | None = None
    stamped_headers: list[str] | None = None


_ITS_OWN_KEYS: Final = frozenset(_Stored.__struct_fields__)
"""No stamp may take the place of one of these."""


def extended(meta: TaskMeta, message: Message, *, worker: str, queue: str) -> TaskMeta:
    """Return ``meta`` with what ``result_extended`` adds: the call, and who ran it."""
    return replace(
        meta,
        name=message.task,
        args=message.args,
        kwargs=message.kwargs,
        worker=worker,
        retries=message.retries,
        queue=queue,
        stamps={name: message.stamps[name] for name in message.stamped_headers or () if name in message.stamps},
    )


def encode(meta: TaskMeta, serializer: str = "json", *, compression: str | None = None) -> bytes:
    """Return ``meta`` as bytes, with the keys in Celery's order. An exception as its result is described.

    Raises:
        EncodeError: the result cannot be written; the message says what in it and where. Or it is larger than what is read.
    """
    data = _bytes(_stored(meta, serializer), serializer)
    if len(data) > DEFAULT_LIMITS.raw:
        raise EncodeError(
            f"a result of {len(data)} bytes, more than {DEFAULT_LIMITS.raw}: keep it elsewhere, and return where that is"
        )
    if compression is None:
        return data
    method = method_of(compression)
    return _MARK + method.encode("ascii") + b"\0" + compress(data, method)


def encode_part(id: str, state: str, value: Any, serializer: str = "json") -> bytes:
    """Return what a member of a chord ended with, as it is kept until the others have ended, in Celery's form.

    Raises:
        EncodeError: the value cannot be written.
    """
    if isinstance(value, BaseException):
        value = exceptions.describe(value, serializer=serializer)
    return _bytes([1, id, state, value], serializer)


def decode_part(data: bytes, serializer: str = "json", *, limits: Limits = DEFAULT_LIMITS) -> TaskMeta:
    """Return id, state and result of a member.

    Raises:
        DecodeError: the bytes are no such part.
    """
    content_type = codecs.CONTENT_TYPES.get(serializer, serializer)
    found = codecs.decode(data, content_type, "utf-8", frozenset({content_type}), depth=limits.depth)
    if not isinstance(found, list | tuple) or len(found) != 4 or not isinstance(found[1], str) or not isinstance(found[2], str):
        raise DecodeError("not a part of a chord")
    _, id, state, value = found
    rebuilt = state != SUCCESS and value is not None
    return TaskMeta(task_id=id, status=state, result=exceptions.rebuild(value) if rebuilt else value)


def _bytes(stored: dict[str, Any] | list[Any], serializer: str) -> bytes:
    if serializer in {"json", codecs.JSON}:
        return typedjson.dumps(stored, place="the task meta")
    return codecs.encode(stored, serializer, place="the task meta").data


def _stored(meta: TaskMeta, serializer: str) -> dict[str, Any]:
    result = meta.result
    # An exception that was returned is a value, and no JSON: told as one that was raised, it would arrive as a dictionary.
    if isinstance(result, BaseException) and meta.status != SUCCESS and not _pickles(result, serializer):
        result = exceptions.describe(result, serializer=serializer)
    stored: dict[str, Any] = {
        "status": meta.status,
        "result": result,
        "traceback": meta.traceback,
        "children": meta.children,
        "date_done": meta.date_done and meta.date_done.isoformat(),
    }
    if meta.group_id:
        stored["group_id"] = meta.group_id
    if meta.parent_id:
        stored["parent_id"] = meta.parent_id
    if meta.name is not None:
        stored |= {"name": meta.name, "args": meta.args, "kwargs": meta.kwargs}
        stored |= {"worker": meta.worker, "retries": meta.retries, "queue": meta.queue}
        if meta.stamps:
            stored["stamped_headers"] = list(meta.stamps)
            stored |= {name: value for name, value in meta.stamps.items() if name not in _ITS_OWN_KEYS}
    stored["task_id"] = meta.task_id
    return stored


def _pickles(error: BaseException, serializer: str) -> bool:
    """Whether ``error`` survives as the object that it is. Some can be written and not read: try both."""
    if serializer not in {"pickle", codecs.PICKLE}:
        return False
    try:
        codecs.decode(codecs.encode(error, "pickle").data, codecs.PICKLE, "binary", frozenset({codecs.PICKLE}))
    except ValueError:
        return False
    return True


def decode(
    data: bytes, serializer: str = "json", *, accept: frozenset[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> TaskMeta:
    """Return the TaskMeta that these bytes stand for; a stored exception is rebuilt, safely.

    Args:
        data: As a result backend keeps it; compressed or not.
        serializer: ``result_serializer``; what is stored does not say.
        accept: Content types that may be read. ``None``: that of ``serializer``.
        limits: How large and how deep it may be.

    Raises:
        ContentDisallowed: ``serializer`` writes what ``accept`` does not have.
        DecodeError: the bytes are no task meta.
    """
    content_type = codecs.CONTENT_TYPES.get(serializer, serializer)
    if accept is not None and content_type not in accept:
        raise ContentDisallowed(
            f"results are written as {content_type} (result_serializer={serializer!r}), and this app does not accept that: "
            f"add {serializer!r} to result_accept_content, or to accept_content, if you trust whoever writes to the backend"
        )
    if len(data) > limits.raw:
        raise DecodeError(f"a result of {len(data)} bytes, more than {limits.raw}")
    if data.startswith(_MARK):
        method, _, packed = data[len(_MARK) :].partition(b"\0")
        data = decompress(packed, method.decode("ascii", "replace"), limit=limits.decompressed)
    found = codecs.decode(data, content_type, "utf-8", frozenset({content_type}), depth=limits.depth)
    try:
        return _understand(found, msgspec.convert(found, _Stored))
    except DecodeError:
        raise
    except (ValueError, OverflowError) as problem:
        raise DecodeError(f"not a task meta: {problem}"[:500]) from problem


def _understand(found: Mapping[str, Any], stored: _Stored) -> TaskMeta:
    rebuilt = stored.status in EXCEPTION_STATES and stored.result is not None
    names = stored.stamped_headers or ()
    return TaskMeta(
        task_id=stored.task_id,
        status=stored.status,
        result=exceptions.rebuild(stored.result) if rebuilt else stored.result,
        traceback=stored.traceback,
        children=stored.children or (),
        date_done=None if stored.date_done is None else _moment(stored.date_done),
        group_id=stored.group_id,
        parent_id=stored.parent_id,
        name=stored.name,
        args=stored.args,
        kwargs=stored.kwargs,
        worker=stored.worker,
        retries=stored.retries,
        queue=stored.queue,
        stamps={name: found[name] for name in names if name in found and name not in _ITS_OWN_KEYS},
    )


def _moment(given: object) -> datetime:
    """Return a moment with time zone; Celery up to 5.2 wrote UTC and did not say so."""
    moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    if not isinstance(moment, datetime):
        raise DecodeError("date_done is no moment")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
