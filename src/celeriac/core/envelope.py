"""One piece of bytes for each message: the envelope that Redis, SQLite and memory keep.

In a job's life: protocol.encode -> **pack** -> store ... fetch -> **unpack** -> protocol.decode.
It is kombu's virtual envelope, a JSON object with the keys in the order in which Celery writes them. Only the white space
and the ASCII escapes of the JSON differ from Celery's; every JSON parser reads the same from both.
``unpack`` never raises: bytes of any kind give a Parcel or a Rejected. Does not know: tasks, the body's meaning, stores.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec import Struct

from celeriac.core.limits import DEFAULT_LIMITS, Limits, too_deep
from celeriac.core.message import Outgoing, Parcel, Rejected
from celeriac.core.typedjson import dumps


class _Envelope(Struct, rename="kebab", gc=False):
    """What is read of an envelope. ``Any`` where only our own check gives a good reason."""

    body: str
    properties: dict[str, Any] | None = None
    headers: dict[str, Any] | None = None
    content_type: str | None = None
    content_encoding: str | None = None


_LARGE: Final = 1 << 16
"""Bodies of so many bytes are written as text where they are text."""
_write: Final = msgspec.json.Encoder().encode
_read: Final = msgspec.json.Decoder(_Envelope).decode


def pack(outgoing: Outgoing, *, tag: str) -> bytes:
    """Return the message as one piece of bytes.

    Headers and properties must be plain JSON, as ``protocol.encode`` and ``unpack`` make them: this is not checked again.

    Args:
        outgoing: What to send. Its queue and priority are written into the envelope, its eta is not.
        tag: Names this copy of the message for consumers that use kombu: a fresh id for each publish and queue.

    Raises:
        EncodeError: a header's value cannot be written as JSON.
    """
    parcel = outgoing.parcel
    address: dict[str, Any] = {"exchange": outgoing.exchange, "routing_key": outgoing.routing_key or outgoing.queue}
    if "redelivered" in parcel.headers:
        address["redelivered"] = True
    properties = {**parcel.properties, "delivery_info": address}
    # Celery writes this one behind the address.
    properties.pop("priority", None)
    properties["priority"] = outgoing.priority
    properties["body_encoding"] = "base64"
    properties["delivery_tag"] = tag
    text = _as_text(parcel) if len(parcel.body) >= _LARGE else None
    if text is not None:
        properties["body_encoding"] = None
    envelope = {
        "body": b2a_base64(parcel.body, newline=False).decode("ascii") if text is None else text,
        "content-encoding": parcel.content_encoding,
        "content-type": parcel.content_type,
        "headers": parcel.headers,
        "properties": properties,
    }
    try:
        return _write(envelope)
    except (ValueError, TypeError, RecursionError):  # a surrogate; or what will be refused by name
        return dumps(envelope, place="message")


def _as_text(parcel: Parcel) -> str | None:
    """Return the body as it is, if it is text: kombu reads that, too. base64 would make it a third longer and cost
    more than everything else that happens to a large message."""
    if parcel.content_encoding != "utf-8" or "compression" in parcel.headers:
        return None
    try:
        return parcel.body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def unpack(raw: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Parcel | Rejected:
    """Return the Parcel inside these bytes, or why there is none. Never raises."""
    if len(raw) > limits.raw:
        return Rejected("oversized", f"{len(raw)} bytes, more than {limits.raw}")
    if too_deep(raw, limits.depth):
        return Rejected("too-deep", f"nested more than {limits.depth} levels deep")
    try:
        envelope = _read(raw)
    except (ValueError, RecursionError):
        try:
            envelope = _read_leniently(raw)
        except (ValueError, RecursionError, msgspec.MsgspecError) as problem:
            return Rejected("malformed", f"not an envelope: {problem}"[:500])
    return _open(envelope, limits)


def _read_leniently(raw: bytes) -> _Envelope:
    """Read what a strict parser refuses and Celery's writes: ``NaN``, ``Infinity``, halves of surrogate pairs.

    A header that is no number becomes its text, so that what was read once can be written again by any writer.
    """
    return msgspec.convert(json.loads(raw.decode("utf-8"), parse_constant=str, parse_float=_finite), _Envelope)


def _finite(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text


def _open(envelope: _Envelope, limits: Limits) -> Parcel | Rejected:
    headers = envelope.headers or {}
    properties = envelope.properties or {}
    if len(headers) > limits.headers:
        return Rejected("oversized", f"{len(headers)} headers, more than {limits.headers}")
    encoding = properties.get("body_encoding", "base64")
    try:
        if encoding == "base64":
            body = a2b_base64(envelope.body)
        elif encoding is None:
            body = envelope.body.encode("utf-8")
        else:
            return Rejected("malformed", f"unknown body_encoding {encoding!r}"[:500])
    except ValueError as problem:
        return Rejected("malformed", f"the body is not {encoding or 'utf-8'}: {problem}"[:500])
    return Parcel(
        body=body,
        content_type=envelope.content_type or "",
        content_encoding=envelope.content_encoding or "utf-8",
        headers=headers,
        properties=properties,
    )
