"""What a workflow comes to, in plain Python: for each of its tasks what must have succeeded before, and what it is handed.

In a world's life: asked before anything is sent, by those who watch and judge. Written from the guide, "Workflows", and not from
the engine: two who say the same are to have come to it in two ways. Does not know: signatures, messages, stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from celeriac.testing.simulation.growing import Crowd, Leaf, Meeting, Row, Tree
from celeriac.testing.simulation.workload import Job

Shape = str | list[Any]
"""Where a value comes from: the id of a task, or a list of shapes."""


class Before(Struct, frozen=True):
    """What comes before a part of a workflow."""

    needs: tuple[str, ...] = ()
    """Ids of the tasks that must have succeeded. None: it is sent at once."""
    handed: tuple[Shape, ...] = ()
    """What is handed on."""
    header: Before | None = None
    """Of the body of a chord: what comes before its members, which are those that it needs. ``None``: one task comes before."""
    member: bool = False
    """It begins a member of a header itself."""


class Step(Struct, frozen=True):
    """One task of a workflow."""

    job: Job
    before: Before
    handed: tuple[Shape, ...]
    """Its arguments."""
    heard: bool
    """It has an errback."""


def steps_of(tree: Tree) -> list[Step]:
    """Return the tasks of a workflow, each behind those that it needs."""
    steps: list[Step] = []
    _walk(_normal(tree), Before(), steps, followed=False)
    return steps


def arguments(step: Step, values: Mapping[str, Any]) -> list[Any]:
    """Return what a task is called with when those before it have returned these values."""

    def filled(shape: Shape) -> Any:
        return values[shape] if isinstance(shape, str) else [filled(one) for one in shape]

    return [filled(shape) for shape in step.handed]


def _walk(tree: Tree, before: Before, steps: list[Step], *, followed: bool) -> Shape:
    """Add the steps of ``tree``, and return what its value is. ``followed``: something in the same chain comes after it."""
    match tree:
        case Leaf(job, alone, heard):
            steps.append(Step(job, before, () if alone else before.handed, heard))
            return job.id
        case Row(several):
            *first, last = several
            for one in first:
                before = _after(_walk(one, before, steps, followed=True), before)
            return _walk(last, before, steps, followed=followed)
        case Crowd(members) if followed:
            return _walk_header(members, before, steps)
        case Crowd(members):
            return [_walk(one, before, steps, followed=False) for one in _ungrouped(members)]
        case Meeting(header, body):
            values = _walk_header(header, before, steps)
            return _walk(body, _after(values, before), steps, followed=followed)


def _walk_header(header: Sequence[Tree], before: Before, steps: list[Step]) -> Shape:
    inside = replace(before, member=True)
    return [_walk(one, inside, steps, followed=False) for one in _ungrouped(header)]


def _after(value: Shape, before: Before) -> Before:
    # The body of a chord without members needs what the chord needs.
    needs = tuple(_ends(value))
    if not needs:
        return replace(before, handed=(value,))
    return Before(needs, (value,), before if isinstance(value, list) else None)


def _ends(shape: Shape) -> Iterator[str]:
    if isinstance(shape, str):
        yield shape
    else:
        for one in shape:
            yield from _ends(one)


def _normal(tree: Tree) -> Tree:
    """Chains in chains are flat; a group of one, as a step, is its member; a chain of one is its step, unless that is a group."""
    match tree:
        case Row(steps):
            flat = tuple(_flat(map(_normal, steps)))
            return flat[0] if len(flat) == 1 and not isinstance(flat[0], Crowd) else Row(flat)
        case Crowd(members):
            return Crowd(tuple(map(_normal, members)))
        case Meeting(header, body):
            return Meeting(tuple(map(_normal, header)), _normal(body))
    return tree


def _flat(several: Iterable[Tree]) -> Iterator[Tree]:
    for one in several:
        match one:
            case Row(inner) | Crowd((_,) as inner):
                yield from _flat(inner)
            case _:
                yield one


def _ungrouped(header: Sequence[Tree]) -> Iterator[Tree]:
    """Members of a group in a group or header are members of that."""
    for member in header:
        if isinstance(member, Crowd):
            yield from _ungrouped(member.members)
        else:
            yield member
