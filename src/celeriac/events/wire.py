"""Events as a Notice, and back.

In an event's life: type -> **write** -> Broadcast.say ... hear -> **read** -> receiver. One event is an object, several are a
list in one notice under ``<group>.multi``; Celery's monitors read both. ``read`` never raises: who may speak on the exchange can
say anything, and a monitor goes on. Does not know: what an event means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from celeriac.core import codecs
from celeriac.core.errors import ContentDisallowed, DecodeError
from celeriac.core.message import Parcel, Rejected
from celeriac.core.notice import Notice
from celeriac.events.types import Event, Told

TRANSIENT: Final = 1
"""Delivery mode: no event outlives its broker."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a notice that is read."""
MOST: Final = 10_000
"""Events of one notice that are read."""
LONGEST_NAME: Final = 255
"""Characters of a type, a host's name, an id, a task's name."""
LONGEST_TEXT: Final = 64 * 1024
"""Characters that are kept of any text in an event."""
_NAMES: Final = ("type", "hostname", "uuid", "name")
_END_OF_TIME: Final = 253402300799
"""What dates can hold, in seconds since 1970."""
_write: Final = msgspec.json.Encoder().encode


def write(
    events: Sequence[Told | Mapping[str, Any]],
    *,
    exchange: str,
    routing_key: str,
    hostname: str,
    serializer: str,
    delivery_mode: int = TRANSIENT,
    many: bool,
) -> Notice:
    """Return what is said of these events. ``many``: as a list, also of one.

    Raises:
        EncodeError: a field cannot be written; it is named.
    """
    body = _encoded(events if many else events[0], serializer)
    parcel = Parcel(
        body=body.data,
        content_type=body.content_type,
        content_encoding=body.content_encoding,
        headers={"hostname": hostname},
        properties={"delivery_mode": delivery_mode},
    )
    return Notice(exchange, routing_key, parcel)


def _encoded(value: Any, serializer: str) -> codecs.Encoded:
    own = isinstance(value[0] if isinstance(value, Sequence) else value, Told)
    if own and serializer == "json":
        try:
            return codecs.Encoded(_write(value), codecs.JSON, "utf-8")
        except ValueError:
            pass  # half of a surrogate pair
    return codecs.encode(msgspec.to_builtins(value) if own else value, serializer, place="event")


def read(notice: Notice, accept: frozenset[str]) -> list[Event] | Rejected:
    """Return the events of a notice, without those that are none; or why there are none. Never raises."""
    parcel = notice.parcel
    if len(parcel.body) > LARGEST:
        return Rejected("oversized", f"{len(parcel.body)} bytes, more than {LARGEST}")
    try:
        value = codecs.decode(parcel.body, parcel.content_type, parcel.content_encoding, accept)
    except ContentDisallowed as error:
        return Rejected("content-type", str(error))
    except DecodeError as error:
        return Rejected("malformed", str(error))
    found = value if isinstance(value, list) else [value]
    events = list(_understood(found[:MOST], cut=len(parcel.body) > LONGEST_TEXT))
    if not events:
        return Rejected("malformed", "nothing in it is an event")
    return events


def _understood(found: Sequence[Any], *, cut: bool) -> Iterator[Event]:
    for event in found:
        if not isinstance(event, dict) or not _is_event(event):
            continue
        if cut:
            for field, value in event.items():
                if isinstance(value, str) and len(value) > LONGEST_TEXT:
                    event[field] = value[:LONGEST_TEXT]
        yield event


def _is_event(event: Event) -> bool:
    """Say whether those fields by which monitors find their way are of their kinds."""
    for name in _NAMES:
        value = event.get(name)
        if value is None and name != "type":
            continue
        if type(value) is not str or len(value) > LONGEST_NAME:
            return False
    clock, timestamp = event.get("clock"), event.get("timestamp")
    if clock is not None and type(clock) is not int:
        return False
    return timestamp is None or (isinstance(timestamp, int | float) and 0 <= timestamp <= _END_OF_TIME)
