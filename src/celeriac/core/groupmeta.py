"""What a result backend keeps of a group: its id and those of its members, in Celery's form.

In a job's life: ``GroupResult.save`` keeps it, ``restore`` reads it; and who opens a chord whose members end with groups keeps
the header so, under the chord's id, for whichever kind of worker calls the body. It is kept where results are, in a place of its
own: on Redis Celery's key, so that either side restores what the other saved. The form is ``{"result": [[id, parent], [...]]}``.
Does not know: stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from celeriac.core import codecs, typedjson
from celeriac.core.errors import DecodeError
from celeriac.core.limits import DEFAULT_LIMITS, Limits

STATE: Final = "GROUP"
"""State under which it is kept. No final one: a group may be saved again."""
_MARK: Final = "group\n"
"""Before the id of a group, where results are named. No id of a task has a line break."""


def place_of(id: str) -> str:
    """Return the name under which the group ``id`` is kept among results."""
    return _MARK + id


def group_at(place: str) -> str | None:
    """Return the id of the group that is kept under this name; ``None``: it is that of a task."""
    return place[len(_MARK) :] if place.startswith(_MARK) else None


def encode(stored: Any, serializer: str = "json") -> bytes:
    """Return the stored form of a GroupResult (``as_tuple``) as bytes.

    Raises:
        EncodeError: an id cannot be written.
    """
    if serializer in {"json", codecs.JSON}:
        return typedjson.dumps({"result": stored}, place="the group")
    return codecs.encode({"result": stored}, serializer, place="the group").data


def decode(
    data: bytes, serializer: str = "json", *, accept: frozenset[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> Any:
    """Return the stored form of a GroupResult.

    Args:
        data: As a result backend keeps it.
        serializer: ``result_serializer``.
        accept: Content types that may be read. ``None``: that of ``serializer``.
        limits: How large and how deep it may be.

    Raises:
        ContentDisallowed: ``serializer`` writes what ``accept`` does not have.
        DecodeError: the bytes are no group.
    """
    content_type = codecs.CONTENT_TYPES.get(serializer, serializer)
    if len(data) > limits.raw:
        raise DecodeError(f"a group of {len(data)} bytes, more than {limits.raw}")
    accepted = frozenset({content_type}) if accept is None else accept
    found = codecs.decode(data, content_type, "utf-8", accepted, depth=limits.depth)
    if not isinstance(found, Mapping) or not isinstance(found.get("result"), list | tuple):
        raise DecodeError("not a saved group")
    return found["result"]
