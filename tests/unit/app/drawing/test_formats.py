"""Figures in DOT, Mermaid and text: whatever a label holds stays a label."""

from __future__ import annotations

import re

from celeriac.app.drawing.figure import Figure
from celeriac.app.drawing.formats import to_dot, to_mermaid, to_text

ODD = 'a"b\\ <c> & #d; `e` ]} |f|\n\x1b[31m'


def a_chord() -> Figure:
    header = Figure("group", "chord of 2", inner=(Figure("task", "a()"), Figure("task", "b()", state="FAILURE")))
    body = Figure("task", "c()", marked=True, linked=(("error", Figure("task", "d()")),))
    return Figure("chain", "chain of 2", inner=(header, body))


def test_dot_has_a_cluster_for_a_group_and_an_arrow_for_each_step() -> None:
    dot = to_dot(a_chord())

    assert dot == (
        "digraph workflow {\n"
        "  rankdir=LR\n"
        '  node [shape=box, style="rounded,filled", fillcolor=white]\n'
        '  n3 [label="c()", penwidth=3]\n'
        '  n4 [label="d()"]\n'
        '  n5 [label="all", shape=circle]\n'
        "  subgraph cluster_g1 {\n"
        '    label="chord of 2"\n'
        '    n1 [label="a()"]\n'
        '    n2 [label="b()\\nFAILURE", fillcolor="#ffd6d6"]\n'
        "  }\n"
        '  n3 -> n4 [style=dashed, label="link_error"]\n'
        "  n1 -> n5\n"
        "  n2 -> n5\n"
        "  n5 -> n3\n"
        "}\n"
    )


def test_mermaid_has_a_subgraph_for_a_group_and_a_class_for_a_state() -> None:
    mermaid = to_mermaid(a_chord())

    assert mermaid == (
        "flowchart LR\n"
        '  n3["c()"]\n'
        '  n4["d()"]\n'
        '  n5(("all"))\n'
        '  subgraph g1["chord of 2"]\n'
        '    n1["a()"]\n'
        '    n2["b()<br/>FAILURE"]\n'
        "  end\n"
        "  n3 -.->|link_error| n4\n"
        "  n1 --> n5\n"
        "  n2 --> n5\n"
        "  n5 --> n3\n"
        "  classDef FAILURE fill:#ffd6d6,color:#000\n"
        "  class n2 FAILURE\n"
        "  style n3 stroke-width:4px\n"
    )


def test_no_label_ends_its_quotes_in_dot() -> None:
    dot = to_dot(Figure("task", ODD))

    [line] = [line for line in dot.splitlines() if "n1" in line]
    assert re.fullmatch(r'  n1 \[label="(?:[^"\\]|\\["\\])*"\]', line)


def test_no_label_ends_its_quotes_in_mermaid_nor_is_it_markup() -> None:
    mermaid = to_mermaid(Figure("task", ODD))

    [line] = [line for line in mermaid.splitlines() if "n1" in line]
    assert re.fullmatch(r'  n1\["[^"<>`\\]*"\]', line)
    assert "a#quot;b#92; #lt;c#gt; #amp; #35;d; #96;e#96;" in line


def test_a_state_of_the_users_own_is_a_text_and_no_class() -> None:
    figure = Figure("task", "a()", state='MY "STATE"')

    assert "class" not in to_mermaid(figure)
    assert 'fillcolor="' not in to_dot(figure).splitlines()[3]


def test_an_outline_commands_no_terminal_and_is_cut_where_it_is_long() -> None:
    [line] = to_text(Figure("task", ODD + "x" * 1000)).splitlines()

    assert "\x1b" not in line
    assert line.endswith("...")
    assert len(line) < 450


def test_what_was_asked_for_is_marked_in_the_outline() -> None:
    lines = to_text(a_chord()).splitlines()

    assert [line for line in lines if line.endswith("<--")] == ["└── c()  <--"]
