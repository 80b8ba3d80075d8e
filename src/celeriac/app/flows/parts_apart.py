"""Give every member of a header an end of its own: of two ends with one id a chord may know one part only.

In a job's life: a header that has just been frozen -> **here** -> the frozen chord. A signature that was frozen before may stand
in a header twice; Celery's workers tell parts apart by nothing but their ids, and the body never runs. Pure. Does not know: how
ids are made, who records parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from celeriac.app.flows.stored import (
    Stored,
    at_its_end,
    chain_of,
    chord_of,
    ends_of,
    group_of,
    is_kept,
    kind_of,
    members_of,
    with_options,
)


def with_ids_of_their_own(header: Sequence[Stored], chord: str) -> Sequence[Stored]:
    """Return the frozen members of a header so that no two of their ends have one id.

    The first keeps it. In a member that comes again everything gets another id: chords in it are joined for themselves. All ids
    follow from the old ones, so that whoever freezes the same chord again sends the same.

    Args:
        header: The members, each frozen.
        chord: Id of the chord.
    """
    ids = [end["options"].get("task_id") for member in header for end in ends_of(member) if not is_kept(end)]
    if len(set(ids)) == len(ids):
        return header
    used: set[str] = set()

    def own(end: Stored) -> Stored:
        if is_kept(end):
            return end
        id = end["options"]["task_id"]
        while id in used:
            id = str(uuid5(NAMESPACE_OID, f"{chord}:{len(used)}:{id}"))
        used.add(id)
        return with_options(end, task_id=id)

    found = []
    for place, member in enumerate(header):
        again = kind_of(member) is not None and any(end["options"].get("task_id") in used for end in ends_of(member))
        found.append(at_its_end(_renamed(member, f"{chord}:member {place}") if again else member, own))
    return found


def _renamed(frozen: Stored, space: str) -> Stored:
    """Give everything in a frozen signature another id, which follows from its own and ``space``."""
    kind, options = kind_of(frozen), dict(frozen["options"])
    for name in ("task_id",) if kind is None else ("task_id", "group_id"):
        if options.get(name) is not None:
            options[name] = str(uuid5(NAMESPACE_OID, f"{space}:{options[name]}"))
    if kind is None:
        return frozen if is_kept(frozen) else {**frozen, "options": options}
    members = [_renamed(member, space) for member in members_of(frozen)]
    match kind:
        case "chain":
            return chain_of(members, options)
        case "group":
            return group_of(members, options)
    return chord_of(members, _renamed(frozen["kwargs"]["body"], space), options)
