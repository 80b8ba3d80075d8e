"""Give every member of a header an end of its own: of two ends with one id a chord may know one part only.

In a job's life: a header that has just been frozen -> **here** -> the frozen chord. A signature that was frozen before may stand
in a header twice; Celery's workers tell parts apart by nothing but their ids, and the body never runs. Pure. Does not know: how
ids are made, who records parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import NAMESPACE_OID, uuid5

from celeriac.app.flows.stored import Stored, chain_of, chord_of, ends_of, group_of, is_kept, kind_of, members_of, with_options


def with_ends_of_their_own(header: Sequence[Stored], chord: str) -> Sequence[Stored]:
    """Return the frozen members of a header so that no two of their ends have one id.

    The first keeps it. The id of another follows from it, so that whoever freezes the same chord again sends the same.

    Args:
        header: The members, each frozen.
        chord: Id of the chord.
    """
    ids = [end["options"].get("task_id") for member in header for end in ends_of(member) if not is_kept(end)]
    if len(set(ids)) == len(ids):
        return header
    used: set[str] = set()

    def own(end: Stored) -> Stored:
        id = end["options"]["task_id"]
        while id in used:
            id = str(uuid5(NAMESPACE_OID, f"{chord}:{len(used)}:{id}"))
        used.add(id)
        return with_options(end, task_id=id)

    return [_ending(member, own) for member in header]


def _ending(frozen: Stored, change: Callable[[Stored], Stored]) -> Stored:
    """Change every task that ``frozen`` ends with."""
    match kind_of(frozen):
        case None:
            return frozen if is_kept(frozen) else change(frozen)
        case "chain":
            *steps, last = members_of(frozen)
            return chain_of([*steps, _ending(last, change)], frozen["options"])
        case "group":
            return group_of([_ending(member, change) for member in members_of(frozen)], frozen["options"])
    return chord_of(members_of(frozen), _ending(frozen["kwargs"]["body"], change), frozen["options"])
