"""Write a figure: in Graphviz' DOT, in Mermaid, or as an outline in text.

In a job's life: beside it. Whatever stands in a label stays a label: texts come from signatures and stores, that is, from others.
Pure. Sources: Graphviz' "The DOT Language"; Mermaid's "Flowcharts", "Entity codes to escape characters". Does not know: what the
figure shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from celeriac.app.drawing.figure import ROLES, Box, Drawing, Edge, Figure, Node, laid_out

COLORS: Final[Mapping[str, str]] = MappingProxyType({
    "SUCCESS": "#d4f4dd", "FAILURE": "#ffd6d6", "REVOKED": "#e4e4e4", "RETRY": "#fff2cc", "STARTED": "#d6e9ff",
    "PENDING": "#ffffff",
})  # fmt: skip
"""State -> colour of a node."""
_IN_NODE: Final = 120
_IN_LINE: Final = 400
"""Characters of a line."""
_INDENT: Final = "  "
_MERMAID: Final = str.maketrans({
    "#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;",
})  # fmt: skip
_DOT: Final = str.maketrans({"\\": "\\\\", '"': '\\"'})

Write = Callable[[Node], str]
Begin = Callable[[Box], tuple[tuple[str, ...], str]]
"""The lines that open a box, and the one that closes it."""


def to_dot(figure: Figure) -> str:
    """Return the figure in Graphviz' language."""
    drawing = laid_out(figure)
    lines = ["digraph workflow {", f"{_INDENT}rankdir=LR", f'{_INDENT}node [shape=box, style="rounded,filled", fillcolor=white]']
    lines += _boxed(drawing, None, 1, _dot_box, _dot_node)
    lines += [f"{_INDENT}{_dot_edge(edge)}" for edge in drawing.edges]
    return "\n".join([*lines, "}"]) + "\n"


def to_mermaid(figure: Figure) -> str:
    """Return the figure as a flowchart in Mermaid's language."""
    drawing = laid_out(figure)
    lines = ["flowchart LR", *_boxed(drawing, None, 1, _mermaid_box, _mermaid_node)]
    lines += [f"{_INDENT}{_mermaid_edge(edge)}" for edge in drawing.edges]
    for state, color in COLORS.items():
        if keys := ",".join(node.key for node in drawing.nodes if node.state == state):
            lines += [f"{_INDENT}classDef {state} fill:{color},color:#000", f"{_INDENT}class {keys} {state}"]
    lines += [f"{_INDENT}style {node.key} stroke-width:4px" for node in drawing.nodes if node.marked]
    return "\n".join(lines) + "\n"


def to_text(figure: Figure) -> str:
    """Return the figure as an outline."""
    return "\n".join(_outline(figure)) + "\n"


def below(figure: Figure) -> list[tuple[str, Figure]]:
    """Return what stands under a figure in an outline, each with the word that says why."""
    linked = [(f"{ROLES[role]}: " if ROLES[role] else "", one) for role, one in figure.linked]
    return [("", one) for one in figure.inner] + linked


def _plain(text: str, longest: int = _IN_NODE) -> str:
    """Return the text on one line, with control characters shown as escapes, cut where it is long."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:longest])
    return plain if len(text) <= longest else plain + "..."


def _outline(figure: Figure, word: str = "", first: str = "", rest: str = "") -> Iterator[str]:
    yield f"{first}{word}{headline(figure)}"
    under = below(figure)
    for index, (why, one) in enumerate(under):
        corner, bar = ("└── ", "    ") if index == len(under) - 1 else ("├── ", "│   ")
        yield from _outline(one, why, rest + corner, rest + bar)


def headline(figure: Figure) -> str:
    """Return the line that stands for a figure in an outline."""
    return _plain(figure.title, _IN_LINE) + ("  <--" if figure.marked else "")


def _boxed(drawing: Drawing, box: str | None, level: int, begin: Begin, node: Write) -> Iterator[str]:
    """Yield the lines of what is directly in a box, those of inner boxes among them."""
    indent = _INDENT * level
    for one in drawing.nodes:
        if one.box == box:
            yield f"{indent}{node(one)}"
    for inner in drawing.boxes:
        if inner.box == box:
            opening, closing = begin(inner)
            yield from (f"{indent}{line}" for line in opening)
            yield from _boxed(drawing, inner.key, level + 1, begin, node)
            yield f"{indent}{closing}"


def _dot_box(box: Box) -> tuple[tuple[str, ...], str]:
    return (f"subgraph cluster_{box.key} {{", f"{_INDENT}label={_dot_text((box.label,))}"), "}"


def _dot_node(node: Node) -> str:
    attributes = [f"label={_dot_text(node.lines)}"]
    if node.kind == "join":
        attributes.append("shape=circle")
    if node.kind == "more":
        attributes.append("shape=plaintext, style=solid")
    if (color := COLORS.get(node.state or "")) is not None:
        attributes.append(f'fillcolor="{color}"')
    if node.marked:
        attributes.append("penwidth=3")
    return f"{node.key} [{', '.join(attributes)}]"


def _dot_edge(edge: Edge) -> str:
    said = f' [style=dashed, label="{ROLES[edge.role]}"]' if ROLES[edge.role] else ""
    return f"{edge.start} -> {edge.end}{said}"


def _dot_text(lines: tuple[str, ...]) -> str:
    return '"' + "\\n".join(_plain(line).translate(_DOT) for line in lines) + '"'


def _mermaid_box(box: Box) -> tuple[tuple[str, ...], str]:
    return (f"subgraph {box.key}[{_mermaid_text((box.label,))}]",), "end"


def _mermaid_node(node: Node) -> str:
    text = _mermaid_text(node.lines)
    return f"{node.key}(({text}))" if node.kind == "join" else f"{node.key}[{text}]"


def _mermaid_edge(edge: Edge) -> str:
    said = ROLES[edge.role]
    return f"{edge.start} -.->|{said}| {edge.end}" if said else f"{edge.start} --> {edge.end}"


def _mermaid_text(lines: tuple[str, ...]) -> str:
    return '"' + "<br/>".join(_plain(line).translate(_MERMAID) for line in lines) + '"'
