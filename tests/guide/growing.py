"""Workflows by chance, and what plain Python makes of them.

A workflow is a tree of plain data, so that hypothesis can shrink it: ``sown`` makes signatures of one, ``evaluated`` what it must
come to. Each task has a name of its own in the tree, and its value tells what it was called with.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from hypothesis import strategies as st
from msgspec import Struct

from celeriac import chain, chord, group

DEEPEST = 5
WIDEST = 50
LONGEST = 60
"""Steps of a chain, about: more than one message carries."""
LIMITS = (0, 2048, None)
"""Of ``task_workflow_embed_limit``: all that can be kept is kept, as by default, nothing is."""


class Leaf(Struct, frozen=True):
    """One task: ``good``, ``flaky`` (ends well at its second run), ``alone`` (is handed nothing) or ``bad``."""

    kind: str


class Row(Struct, frozen=True):
    """A chain."""

    steps: tuple[Any, ...]


class Crowd(Struct, frozen=True):
    """A group."""

    members: tuple[Any, ...]


class Meeting(Struct, frozen=True):
    """A chord."""

    header: tuple[Any, ...]
    body: Any


Tree = Any
NOTHING: Final = (Crowd(()), Row(()), Crowd((Crowd(()), Row(()))))
"""Members of which nothing is left."""


class Failed(Exception):
    """A task has failed, and what waits for it cannot run."""


def leaves() -> st.SearchStrategy[Tree]:
    """Most are good."""
    return st.sampled_from(["good"] * 9 + ["flaky", "alone", "bad"]).map(Leaf)


def trees(deepest: int = DEEPEST) -> st.SearchStrategy[Tree]:
    """Return workflows of chains, groups and chords, so deep at most."""
    if deepest == 0:
        return leaves()
    below = st.one_of(leaves(), leaves(), trees(deepest - 1))
    several = st.lists(below, min_size=1, max_size=3).map(tuple)
    # A crowd is wide, and a row is long, where it is not deep: or there would be millions.
    crowd = several | st.integers(4, WIDEST).flatmap(lambda width: st.lists(leaves(), min_size=width, max_size=width).map(tuple))
    crowd = st.builds(lambda members, none: (*members, *none), crowd, st.sampled_from([()] * 4 + [NOTHING]))
    many = st.integers(0, LONGEST // 2).map(lambda count: (Leaf("good"),) * count)
    row = several | st.tuples(many, several, many).map(lambda parts: parts[0] + parts[1] + parts[2])
    header = crowd | st.just(()) | st.just(NOTHING)
    return st.one_of(row.map(Row), crowd.map(Crowd), st.builds(Meeting, header, below))


class Drawn(Struct, frozen=True):
    """A workflow, and the ``task_workflow_embed_limit`` with which it is sent.

    Is shown by its plain ``repr``: hypothesis' own way to show what it has drawn takes exponentially long for trees.
    """

    tree: Tree
    limit: int | None


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """Return workflows and limits."""
    return Drawn(draw(trees()), draw(st.sampled_from(LIMITS)))


def sown(tree: Tree, task: Callable[[str, str], Any], name: str = "") -> Any:
    """Return the workflow as signatures; ``task`` makes one of a kind and a name."""
    match tree:
        case Leaf(kind):
            return task(kind, name)
        case Row(steps):
            return chain(*_all(steps, task, name))
        case Crowd(members):
            return group(_all(members, task, name))
        case Meeting(header, body):
            return chord(_all(header, task, name), sown(body, task, f"{name}b"))
    raise AssertionError(tree)


def _all(trees: Sequence[Tree], task: Callable[[str, str], Any], name: str) -> list[Any]:
    return [sown(tree, task, f"{name}{place}.") for place, tree in enumerate(trees)]


def value_of(name: str, args: Sequence[Any]) -> int:
    """Return what a task returns."""
    return zlib.crc32(json.dumps([name, args]).encode())


class Evaluation:
    """What a workflow comes to: its value, and which tasks run."""

    def __init__(self, tree: Tree) -> None:
        self.ran: set[str] = set()
        try:
            self.value: Any = self._run(_named(tree, ""), ())
            self.failed = False
        except Failed:
            self.failed = True

    def _run(self, named: Any, args: Sequence[Any]) -> Any:
        match named:
            case ("leaf", kind, name):
                self.ran.add(name)
                if kind == "bad":
                    raise Failed
                return value_of(name, () if kind == "alone" else args)
            case ("chain", steps):
                return self._follow(_flat(steps), args)
            case ("group", members):
                return self._gather(_ungrouped(members), args)
            case ("chord", header, body):
                return self._run(body, [self._gather(_ungrouped(header), args)])
        raise AssertionError(named)

    def _follow(self, steps: Sequence[Any], args: Sequence[Any]) -> Any:
        first, *rest = steps
        if not rest:
            return self._run(first, args)
        match first:
            case ("group", members):  # is the header of a chord
                value = self._gather(_ungrouped(members), args)
            case ("chord", header, body):  # what follows a chord is part of its body
                first = [body] if body[0] == "group" else _flat([body])  # as a body a group of one is a group
                return self._follow([*first, *rest], [self._gather(_ungrouped(header), args)])
            case _:
                value = self._run(first, args)
        return self._follow(rest, [value])

    def _gather(self, members: Sequence[Any], args: Sequence[Any]) -> list[Any]:
        """Run them all, also when one has failed."""
        values, failed = [], False
        for member in members:
            try:
                values.append(self._run(member, args))
            except Failed:
                failed = True
        if failed:
            raise Failed
        return values


def _named(tree: Tree, name: str) -> Any:
    match tree:
        case Leaf(kind):
            return "leaf", kind, name
        case Row(steps):
            flat = _flat([_named(step, f"{name}{place}.") for place, step in enumerate(steps)])
            return flat[0] if len(flat) == 1 and flat[0][0] != "group" else ("chain", flat)
        case Crowd(members):
            return "group", [_named(member, f"{name}{place}.") for place, member in enumerate(members)]
        case Meeting(header, body):
            named = [_named(member, f"{name}{place}.") for place, member in enumerate(header)]
            return "chord", named, _named(body, f"{name}b")
    raise AssertionError(tree)


def _flat(steps: Sequence[Any]) -> list[Any]:
    """Chains in chains are flat, and a group of one, when chained, is its member."""
    flat: list[Any] = []
    for step in steps:
        if step[0] == "chain" or (step[0] == "group" and len(step[1]) == 1):
            flat += _flat(step[1])
        else:
            flat.append(step)
    return flat


def _ungrouped(header: Sequence[Any]) -> list[Any]:
    """The members of a group in a group or header are members of that; of empty chains nothing is left."""
    found = [one for member in header for one in (_ungrouped(member[1]) if member[0] == "group" else [member])]
    return [one for one in found if one != ("chain", [])]
