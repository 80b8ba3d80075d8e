"""How many values the members of a header bring, and in which lists the body gets them.

In a job's life: a chord is opened for as many parts as its members bring; its body is called with the parts in the shape of the
header. A member that ends with a group brings a list. Does not know: who counts the parts, where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from celeriac.app.flows.stored import ENDS, Stored, is_kept, kind_of, members_of

SHAPE: Final = "shape"
"""Key of a body whose header has members that end with groups. Celery keeps a saved group for that, under the chord's id."""
FLAT: Final = 0
"""What stands there where no member ends with a group, of a body that could be taken for one that Celery has frozen."""


def size_of(signature: Stored) -> int:
    """Return how many parts a member of a header brings."""
    return leaves_of(shape_of(signature))


def shape_of(member: Stored) -> Any:
    """Return 0 for a member that ends with one task, and for one that ends with a group the list of its members' shapes."""
    match kind_of(member):
        case None:
            return member["kwargs"].get(ENDS, 0) if is_kept(member) else 0
        case "chain":
            return shape_of(members_of(member)[-1])
        case "chord":
            return shape_of(member["kwargs"]["body"])
    return [shape_of(inner) for inner in members_of(member)]


def with_shape(body: Stored, header: Sequence[Stored]) -> Stored:
    """Return the body of a chord, knowing in which lists it is called with the values of this header."""
    shape = [shape_of(member) for member in header]
    if any(isinstance(one, list) for one in shape):
        return {**body, SHAPE: shape}
    return {**body, SHAPE: FLAT} if is_kept(body) or says_whom_to_reply_to(body) else body


def says_whom_to_reply_to(body: Stored) -> bool:
    """Say whether a body was frozen by itself (``Signature.freeze``), here or by Celery, whose clients freeze all of them so."""
    inner = body
    while kind_of(inner) is not None and (members := members_of(inner)):
        inner = members[0]
    return "reply_to" in inner["options"]


def leaves_of(shape: Any) -> int:
    """Return how many parts a shape has."""
    return sum(map(leaves_of, shape)) if isinstance(shape, list | tuple) else 1


def in_shape(body: Stored, values: Sequence[Any]) -> list[Any]:
    """Return what ``body`` is called with: the values of all parts, by place, in lists as the header's groups lie in it."""
    if body.get(SHAPE, FLAT) == FLAT:
        return list(values)
    rest = iter(values)

    def filled(shape: Any) -> Any:
        return [filled(one) for one in shape] if isinstance(shape, list | tuple) else next(rest)

    return [*filled(body[SHAPE]), *rest]  # members that were added later stand behind the others
