"""Which results a task remembers of a workflow that it sends, or that follows it: its children.

In a job's life: a workflow has been frozen; what begins now is known here, what comes later is remembered by whoever sends that.
Of a chain it is the first step, of a group the group with its members, of a chord the header as a group and what its body
begins with. Celery remembers the header alone; with the body the tree of results reaches the end. Pure. Does not know: stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from celeriac.app.flows.frozen import Handle, handle_of
from celeriac.app.flows.keeping import first_kept
from celeriac.app.flows.stored import Stored, header_id, is_kept, kind_of, members_of

LEVELS: Final = 20
"""Results in each other, as parents or members, that one child is stored with: whoever reads it bounds how deep it may be."""


def offspring(frozen: Stored, parent: Handle | None = None) -> Iterator[Handle]:
    """Yield the results of what the workflow ``frozen`` begins with. The header of a chord is ``parent`` of what its body begins
    with, without its members: it has been told with them."""
    match kind_of(frozen):
        case None if is_kept(frozen):
            yield Handle(first_kept(frozen), parent)
        case None:
            if (id := frozen["options"].get("task_id")) is not None:
                yield Handle(id, parent)
        case "chain":
            yield from offspring(members_of(frozen)[0], parent)
        case "group":
            yield handle_of(frozen, parent)
        case _:
            id, header = header_id(frozen["options"], frozen["kwargs"]["body"]), members_of(frozen)
            if header:
                yield Handle(id, parent, tuple(map(handle_of, header)))
                parent = Handle(id, None, ())
            yield from offspring(frozen["kwargs"]["body"], parent)


def as_child(handle: Handle, levels: int = LEVELS) -> list[Any]:
    """Return a handle in the stored form of results, ``[[id, parent], members]``, cut where it is too deep."""
    deeper = levels - 1
    parent = as_child(handle.parent, deeper) if handle.parent is not None and deeper else None
    if handle.members is None:
        return [[handle.id, parent], None]
    return [[handle.id, parent], [as_child(member, deeper) for member in handle.members] if deeper else []]


def trimmed(stored: Any, levels: int = LEVELS) -> list[Any]:
    """Return the stored form of a result, cut where it is too deep."""
    (id, parent), members = stored
    deeper = levels - 1
    before = trimmed(parent, deeper) if parent and deeper else None
    if members is None:
        return [[id, before], None]
    return [[id, before], [trimmed(member, deeper) for member in members] if deeper else []]
