"""A Message as Celery's task message, and back.

In a job's life: the producer calls **encode**, then the store's driver packs the Parcel; after a fetch the child calls
**decode**. ``encode`` writes protocol version 2, every header in Celery's order; ``decode`` reads version 2, version 1 (all in
the body) and the hybrid (both; headers win). ``decode`` never raises: what cannot be understood is Rejected. Headers that
nobody knows are kept in ``Message.headers`` and written again on a retry. Does not know: stores, tasks, the clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from celeriac.core import codecs, embedded, typedjson
from celeriac.core.compression import Oversized, Unsupported, compress, decompress, method_of
from celeriac.core.errors import ContentDisallowed, DecodeError, EncodeError
from celeriac.core.limits import DEFAULT_LIMITS, Limits
from celeriac.core.message import Message, Parcel, Rejected
from celeriac.core.representation import safe_repr
from celeriac.core.typedjson import TooDeep, flatten, unflatten

PERSISTENT: Final = 2
DELIVERIES: Final = "celeriac-deliveries"
"""Header: how often the message was handed out and lost with a dying process."""
REDELIVERED: Final = "redelivered"
"""Header: it was handed out before. kombu's name."""

_LONGEST_MOMENT: Final = 64
"""Characters."""
_MILLISECOND: Final = timedelta(milliseconds=1)
_Name = Annotated[str, Meta(min_length=1, max_length=255)]
_Id = Annotated[str, Meta(max_length=255)]
_Count = Annotated[int, Meta(ge=0, le=2**31)]
_Seconds = Annotated[int, Meta(ge=0, le=10**9)] | Annotated[float, Meta(ge=0, le=1e9)] | None
_Calls = list[dict[str, Any]] | None


class _Headers(Struct, gc=False):
    """The headers of version 2 as read: every one but two may be missing or null."""

    task: _Name
    id: _Name
    lang: str | None = None
    shadow: Annotated[str, Meta(max_length=1024)] | None = None
    eta: Any = None
    expires: Any = None
    group: _Id | None = None
    group_index: _Count | None = None
    retries: _Count | None = None
    timelimit: tuple[_Seconds, _Seconds] | None = None
    root_id: _Id | None = None
    parent_id: _Id | None = None
    argsrepr: str | None = None
    kwargsrepr: str | None = None
    origin: Annotated[str, Meta(max_length=1024)] | None = None
    ignore_result: bool | None = None
    replaced_task_nesting: _Count | None = None
    stamped_headers: list[str] | None = None
    stamps: dict[str, Any] | None = None
    compression: str | None = None
    redelivered: bool | None = None
    deliveries: _Count | None = msgspec.field(name=DELIVERIES, default=None)


class _Embed(Struct, frozen=True):
    """What travels in the body beside the arguments."""

    callbacks: _Calls = None
    errbacks: _Calls = None
    chain: _Calls = None
    chord: dict[str, Any] | None = None


_KNOWN: Final = frozenset(_Headers.__struct_encode_fields__)
_IN_BODY: Final = ("task", "id", "group", "group_index", "retries", "eta", "expires", "timelimit")
"""Fields of version 1's body that are headers of version 2."""
_NO_EMBED: Final = _Embed()
_NO_LIMITS: Final = (None, None)
_FOLLOWING: Final = ("callbacks", "chain", "chord")
"""What somebody waits for. An errback that cannot be understood harms nobody: it is logged where it would be told."""
_EMPTY_EMBED: Final = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


LARGEST: Final = DEFAULT_LIMITS.raw * 3 // 4 - 64 * 1024
"""Bytes of a body: on Redis it is written as base64, and there are headers beside it."""


def encode(
    message: Message,
    *,
    now: datetime,
    serializer: str = "json",
    compression: str | None = None,
    delivery_mode: int = PERSISTENT,
) -> Parcel:
    """Return the message as bytes, headers and properties.

    Args:
        message: What to send. Without ``argsrepr`` and ``kwargsrepr`` they are made from the arguments.
        now: The present moment, with time zone: ``expires`` is also sent as a duration.
        serializer: Name or content type of the body's form.
        compression: ``"gzip"``, ``"zstd"``, ...; ``None``: none.
        delivery_mode: ``PERSISTENT``, or 1 for what need not survive a restart of the broker.

    Raises:
        EncodeError: an argument or header cannot be written, or the message is larger than any worker reads; its text says which.
    """
    body, content_type, content_encoding = _encode_body(message, serializer)
    if len(body) > LARGEST:
        said = f"the arguments of {message.task} are {len(body)} bytes, more than the {LARGEST} that a message may have"
        raise EncodeError(f"{said}: keep them elsewhere, and send where that is")
    headers = _headers(message)
    if compression is not None:
        headers["compression"] = method_of(compression)
        body = compress(body, compression)
    properties: dict[str, Any] = {
        "correlation_id": message.correlation_id or message.id,
        "reply_to": message.reply_to,
        "delivery_mode": delivery_mode,
    }
    if message.expires is not None:
        properties["expiration"] = str(max(0, (message.expires - now) // _MILLISECOND))
    properties["priority"] = message.priority
    return Parcel(body=body, content_type=content_type, content_encoding=content_encoding, headers=headers, properties=properties)


def _encode_body(message: Message, serializer: str) -> codecs.Encoded:
    alone = _stands_alone(message)
    embed = _EMPTY_EMBED if alone else _embed(message)
    body = (message.args, message.kwargs, embed)
    try:
        if serializer == "json":
            plain = alone and typedjson.is_plain(message.args) and typedjson.is_plain(message.kwargs)
            return codecs.Encoded(typedjson.dumps(body, place="body", plain=plain), codecs.JSON, "utf-8")
        return codecs.encode(body, serializer, place="body")
    except EncodeError:
        # Once more, part by part and in the caller's words, to tell which it was.
        for place, part in _parts_of(message):
            codecs.encode(part, serializer, place=place)
        raise


def _parts_of(message: Message) -> Sequence[tuple[str, Any]]:
    return (
        ("args", message.args),
        ("kwargs", message.kwargs),
        ("link", message.callbacks),
        ("link_error", message.errbacks),
        ("chain", message.chain),
        ("chord", message.chord),
    )


def _embed(message: Message) -> dict[str, Any]:
    return {
        "callbacks": message.callbacks,
        "errbacks": message.errbacks,
        "chain": message.chain,
        "chord": message.chord,
    }


def _stands_alone(message: Message) -> bool:
    return message.callbacks is None and message.errbacks is None and message.chain is None and message.chord is None


def _limits(message: Message) -> Sequence[float | None]:
    if message.time_limit is None and message.soft_time_limit is None:
        return _NO_LIMITS  # one for all: a dict with nothing but plain values is none of the garbage collector's business
    return message.time_limit, message.soft_time_limit


def _headers(message: Message) -> dict[str, Any]:
    headers: dict[str, Any] = {
        "lang": "py",
        "task": message.task,
        "id": message.id,
        "shadow": message.shadow,
        "eta": message.eta and message.eta.isoformat(),
        "expires": message.expires and message.expires.isoformat(),
        "group": message.group,
        "group_index": message.group_index,
        "retries": message.retries,
        "timelimit": _limits(message),
        "root_id": message.root_id or message.id,
        "parent_id": message.parent_id,
        "argsrepr": safe_repr(message.args) if message.argsrepr is None else message.argsrepr,
        "kwargsrepr": safe_repr(message.kwargs) if message.kwargsrepr is None else message.kwargsrepr,
        "origin": message.origin,
        "ignore_result": message.ignore_result,
        "replaced_task_nesting": message.replaced_task_nesting,
        "stamped_headers": message.stamped_headers,
        "stamps": flatten(message.stamps, place="stamps") if message.stamps else {},
    }
    if message.headers:
        headers.update(flatten(message.headers, place="headers"))
    if message.redelivered:
        headers[REDELIVERED] = True
    if message.deliveries:
        headers[DELIVERIES] = message.deliveries
    return headers


def decode(parcel: Parcel, *, accept: frozenset[str], limits: Limits = DEFAULT_LIMITS, zone: tzinfo = UTC) -> Message | Rejected:
    """Return the Message in this Parcel, or why there is none. Never raises.

    Args:
        parcel: As it came out of its envelope.
        accept: Content types that may be read; see ``codecs.content_types``.
        limits: How large and how deep it may be.
        zone: Where an eta or expires without a time zone is meant.
    """
    if parcel.content_type not in accept:
        return Rejected("content-type", f"content type {parcel.content_type!r} is not accepted here"[:500])
    if len(parcel.body) > limits.raw or len(parcel.headers) > limits.headers:
        return Rejected("oversized", f"{len(parcel.body)} bytes of body, {len(parcel.headers)} headers")
    try:
        if "task" in parcel.headers:
            headers = msgspec.convert(parcel.headers, _Headers)
            body = _decode_body(parcel, headers.compression, accept, limits)
        else:
            body = _decode_body(parcel, parcel.headers.get("compression"), accept, limits)
            headers = msgspec.convert({**_headers_in(body), **parcel.headers}, _Headers)
        return _understand(parcel, headers, body, zone)
    except Oversized as problem:
        return Rejected("oversized", str(problem))
    except TooDeep as problem:
        return Rejected("too-deep", str(problem))
    except Unsupported as problem:
        return Rejected("unsupported", str(problem))
    except ContentDisallowed as problem:
        return Rejected("content-type", str(problem))
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        return Rejected("malformed", str(problem)[:500])


def _decode_body(parcel: Parcel, method: str | None, accept: frozenset[str], limits: Limits) -> Any:
    body = parcel.body
    if method:
        body = decompress(body, str(method), limit=limits.decompressed)
    return codecs.decode(body, parcel.content_type, parcel.content_encoding, accept, depth=limits.depth)


def _headers_in(body: Any) -> dict[str, Any]:
    """Return what version 1 keeps in the body and version 2 in the headers."""
    if not isinstance(body, dict) or "task" not in body:
        raise DecodeError("no header and no field of the body names a task")
    headers = {name: body.get(name) for name in _IN_BODY}
    if body.get("taskset") is not None:
        headers["group"] = body["taskset"]
    return headers


def _understand(parcel: Parcel, headers: _Headers, body: Any, zone: tzinfo) -> Message:
    args, kwargs, embed = _parts(body)
    if not headers.task.isprintable() or not headers.id.isprintable():
        raise DecodeError("control characters in the name or id of the task")
    names, properties = parcel.headers, parcel.properties
    extra = {} if names.keys() <= _KNOWN else {name: unflatten(names[name]) for name in names if name not in _KNOWN}
    time_limit, soft_time_limit = headers.timelimit or (None, None)
    return Message(
        id=headers.id,
        task=headers.task,
        args=args,
        kwargs=kwargs,
        eta=None if headers.eta is None else _moment(headers.eta, zone),
        expires=None if headers.expires is None else _moment(headers.expires, zone),
        retries=headers.retries or 0,
        time_limit=time_limit,
        soft_time_limit=soft_time_limit,
        priority=_priority(properties.get("priority")),
        root_id=headers.root_id,
        parent_id=headers.parent_id,
        group=headers.group,
        group_index=headers.group_index,
        reply_to=_text(properties.get("reply_to")),
        correlation_id=_text(properties.get("correlation_id")),
        origin=headers.origin,
        shadow=headers.shadow,
        argsrepr=headers.argsrepr,
        kwargsrepr=headers.kwargsrepr,
        ignore_result=headers.ignore_result,
        replaced_task_nesting=headers.replaced_task_nesting or 0,
        stamped_headers=headers.stamped_headers,
        stamps=unflatten(headers.stamps) if headers.stamps else {},
        callbacks=embed.callbacks,
        errbacks=embed.errbacks,
        chain=embed.chain,
        chord=embed.chord,
        headers=extra,
        deliveries=headers.deliveries or 0,
        redelivered=bool(headers.redelivered),
    )


def _parts(body: Any) -> tuple[Sequence[Any], Mapping[str, Any], _Embed]:
    """Return arguments and embedded signatures, from a body of either version."""
    if isinstance(body, list | tuple):
        if len(body) != 3:
            raise DecodeError(f"the body has {len(body)} parts and not three: args, kwargs, embed")
        args, kwargs, embed = body
    elif isinstance(body, dict):
        args, kwargs, embed = body.get("args"), body.get("kwargs"), {**body, "chain": None}
    else:
        raise DecodeError(f"the body is a {type(body).__name__}, neither a list nor an object")
    args, kwargs = args or [], kwargs or {}
    if not isinstance(args, list | tuple) or not isinstance(kwargs, dict):
        raise DecodeError("args is not a list, or kwargs is not an object")
    if kwargs and not all(isinstance(name, str) for name in kwargs):
        raise DecodeError("a name in kwargs is not text")
    if embed is None or embed == _EMPTY_EMBED:
        return args, kwargs, _NO_EMBED
    found = msgspec.convert(embed, _Embed)
    for place in _FOLLOWING:
        if (stored := getattr(found, place)) is not None:
            embedded.check(place, stored)
    return args, kwargs, found


def _moment(given: object, zone: tzinfo) -> datetime:
    if isinstance(given, datetime):  # a pickled body of version 1 may hold it as it is
        moment = given
    elif isinstance(given, str) and len(given) <= _LONGEST_MOMENT:
        moment = datetime.fromisoformat(given)
    else:
        raise DecodeError("eta or expires is no moment")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    # At the edges of the calendar an offset leads out of it: find out here, not when somebody compares.
    moment.astimezone(UTC)
    return moment


def eta_in(parcel: Parcel) -> datetime | None:
    """Return the date in the headers of a message that is not decoded; ``None``: there is none that can be read."""
    given = parcel.headers.get("eta")
    try:
        return None if given is None else _moment(given, UTC)
    except (ValueError, OverflowError):
        return None


def _priority(given: object) -> int:
    return given if type(given) is int and 0 <= given <= 255 else 0


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and len(given) <= 255 else None


def redelivery(parcel: Parcel, *, deliveries: int) -> Parcel:
    """Return the Parcel of a message that was handed out ``deliveries`` times and lost. The body is not looked at."""
    return replace(parcel, headers={**parcel.headers, REDELIVERED: True, DELIVERIES: deliveries})


def retry(message: Message, *, eta: datetime | None) -> Message:
    """Return the message that runs the task once more.

    The id stays, and everything that the caller said. It is sent from inside the task, so that one without a parent becomes its
    own. The deliveries are counted anew: this is another message.
    """
    return replace(
        message,
        retries=message.retries + 1,
        eta=eta,
        parent_id=message.parent_id or message.id,
        root_id=message.root_id or message.id,
        deliveries=0,
        redelivered=False,
    )
