"""The ids of a group's members where they follow from the group's id and their places.

In a job's life: a group that is sent while it is generated. Who knows the group's id and how many members it has knows the ids of
all, and need not keep them. Pure. Does not know: groups, results.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGITS: Final = 12
_STEM: Final = 36 - _DIGITS
"""Characters that the ids of a group's members share with the group's. What is left of chance in them is 74 bits."""


def member_id(group_id: str, place: int) -> str:
    """Return the id of the member at ``place``, from 0. It has the form of a UUID if the group's id has."""
    return f"{stem_of(group_id)}{place:0{_DIGITS}x}"


def stem_of(group_id: str) -> str:
    """Return what the ids of all members begin with; the place follows, as twelve hexadecimal digits."""
    return group_id[:_STEM] if _UUID.fullmatch(group_id) else f"{group_id}-"


def place_of(group_id: str, id: str) -> int | None:
    """Return the place of the member with this id; ``None``: the id follows from no place."""
    stem = stem_of(group_id)
    if len(id) != len(stem) + _DIGITS or not id.startswith(stem):
        return None
    try:
        place = int(id[-_DIGITS:], 16)
    except ValueError:
        return None
    return place if member_id(group_id, place) == id else None


def count_of(group_id: str, ids: Sequence[str]) -> int | None:
    """Return how many members a group has of which these are the first and the last; ``None``: these are two as any others."""
    if len(ids) != 2 or place_of(group_id, ids[0]) != 0:
        return None
    last = place_of(group_id, ids[1])
    return None if last is None or last < 2 else last + 1
