"""What is drawn of a workflow: figures inside figures, and the same laid out as nodes, edges and boxes.

In a job's life: beside it. A signature (``planned.py``) or a tree of results (``happened.py``) becomes a Figure; the outline is
written from that, DOT and Mermaid from the Drawing that it is laid out as. Pure. Does not know: signatures, results, formats.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Kind = Literal["task", "chain", "group", "join", "more"]
Role = Literal["then", "link", "error", "sent"]
"""Why an arrow is there: the next step, a callback, an errback, or a task that was sent by another one."""
ROLES: Final = {"then": "", "link": "link", "error": "link_error", "sent": ""}
"""How arrows are labelled."""


class Figure(Struct, frozen=True):
    """One task, or what is made of several."""

    kind: Kind
    label: str
    """What it is called: ``add(2, 2)``, ``group of 10``."""
    id: str | None = None
    """Of the result, where it is known."""
    state: str | None = None
    """``None``: it is not asked for."""
    notes: tuple[str, ...] = ()
    """What else is known: when it ended, its error."""
    marked: bool = False
    """It is the one that was asked for."""
    inner: tuple[Figure, ...] = ()
    """The steps of a chain; the members of a group. A chord is a group that something follows in a chain."""
    linked: tuple[tuple[Role, Figure], ...] = ()
    """What it sends in addition."""

    @property
    def title(self) -> str:
        """What it is called, and what became of it, on one line."""
        known = (self.label, self.id, self.state, *self.notes)
        return "  ".join(part for part in known if part)


class Node(Struct, frozen=True):
    """A task, or a point where arrows meet."""

    key: str
    """Letters and digits: safe in every language."""
    kind: Kind
    lines: tuple[str, ...]
    state: str | None
    marked: bool
    box: str | None
    """The innermost box around it."""


class Edge(Struct, frozen=True):
    """An arrow."""

    start: str
    end: str
    role: Role


class Box(Struct, frozen=True):
    """A frame around the members of a group."""

    key: str
    label: str
    box: str | None
    """The one around it."""


class Drawing(Struct, frozen=True):
    """Nodes, edges and boxes, each box before those inside it."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    boxes: tuple[Box, ...]


class _Ends(Struct, frozen=True):
    """Where arrows to a figure end, and where those from it start."""

    first: tuple[str, ...]
    last: tuple[str, ...]


def laid_out(figure: Figure) -> Drawing:
    """Return the figure as nodes, edges and boxes. Keys are the same each time."""
    layout = _Layout()
    layout.place(figure, None)
    return Drawing(tuple(layout.nodes), tuple(layout.edges), tuple(layout.boxes))


class _Layout:
    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.boxes: list[Box] = []

    def place(self, figure: Figure, box: str | None) -> _Ends:
        if figure.kind in {"chain", "group"}:
            ends = self._steps(figure.inner, box) if figure.kind == "chain" else self._group(figure, box)
        else:
            ends = self._one(figure, box)
        for role, linked in figure.linked:
            self._arrows(ends.last, self.place(linked, box).first, role, box)
        return ends

    def _one(self, figure: Figure, box: str | None) -> _Ends:
        lines = tuple(part for part in (figure.label, figure.id, figure.state, *figure.notes) if part)
        key = self._node(figure.kind, lines, box, figure.state, figure.marked)
        return _Ends((key,), (key,))

    def _steps(self, steps: tuple[Figure, ...], box: str | None) -> _Ends:
        first: tuple[str, ...] = ()
        last: tuple[str, ...] = ()
        waits = False
        for step in steps:
            ends = self.place(step, box)
            if waits:  # for all of them: a point, or there were arrows from each to each
                point = self._node("join", ("all",), box)
                self._arrows(last, (point,), "then", box)
                last = (point,)
            self._arrows(last, ends.first, "then", box)
            first, last, waits = first or ends.first, ends.last or last, step.kind == "group"
        return _Ends(first, last)

    def _group(self, figure: Figure, box: str | None) -> _Ends:
        key = f"g{len(self.boxes) + 1}"
        self.boxes.append(Box(key, figure.title, box))
        ends = [self.place(member, key) for member in figure.inner]
        if not ends:
            node = self._node("more", ("nothing",), key)
            return _Ends((node,), (node,))
        return _Ends(tuple(k for one in ends for k in one.first), tuple(k for one in ends for k in one.last))

    def _arrows(self, starts: tuple[str, ...], ends: tuple[str, ...], role: Role, box: str | None) -> None:
        if len(starts) > 1 and len(ends) > 1:
            point = self._node("join", ("all",), box)
            self._arrows(starts, (point,), role, box)
            starts = (point,)
        self.edges += [Edge(start, end, role) for start in starts for end in ends]

    def _node(self, kind: Kind, lines: tuple[str, ...], box: str | None, state: str | None = None, marked: bool = False) -> str:
        key = f"n{len(self.nodes) + 1}"
        self.nodes.append(Node(key, kind, lines, state, marked, box))
        return key
