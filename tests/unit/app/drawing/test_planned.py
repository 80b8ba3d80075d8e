"""A signature is drawn as it will run: the normal form, cut short where it is large."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import chain, chord, group
from celeriac.app.drawing.figure import Figure, laid_out
from celeriac.app.drawing.formats import to_text
from celeriac.app.drawing.planned import MOST, STEPS, planned
from celeriac.core.errors import WorkflowTooDeep


def outline(figure: Figure) -> list[str]:
    return to_text(figure).splitlines()


def test_a_task_is_shown_as_a_call(add: Any) -> None:
    figure = planned(add.s(1, y=2))

    assert (figure.kind, figure.title) == ("task", "add(1, y=2)")


def test_what_hides_arguments_in_logs_hides_them_here(add: Any) -> None:
    figure = planned(add.s("hunter2", y="hunter2").set(argsrepr="***", kwargsrepr="{}"))

    assert figure.title == "add(***, **{})"


def test_chains_are_flat_and_a_chord_is_a_group_that_something_follows(add: Any) -> None:
    workflow: Any = chain(add.s(1), chain(add.s(2), group(add.s(3), add.s(4) | add.s(5))), add.s(6), add.s(7))

    figure = planned(workflow)

    assert outline(figure) == [
        "chain of 5",
        "├── add(1)",
        "├── add(2)",
        "├── chord of 2",
        "│   ├── add(3)",
        "│   └── chain of 2",
        "│       ├── add(4)",
        "│       └── add(5)",
        "├── add(6)",
        "└── add(7)",
    ]


def test_callbacks_and_errbacks_hang_on_what_they_are_linked_to(add: Any) -> None:
    call = add.s(1)
    call.link(add.s(2))
    call.link_error(add.s(3))

    figure = planned(call)

    assert outline(figure) == ["add(1)", "├── link: add(2)", "└── link_error: add(3)"]


def test_maps_and_chunks_say_what_they_call_and_how_often(add: Any) -> None:
    figure = planned(group(add.map([1, 2, 3]), add.chunks([(1, 2)] * 5, 2)))

    assert outline(figure)[1:] == ["├── add.map(3 items)", "└── add.chunks(5 items, 2)"]


def test_of_a_large_group_a_few_members_are_drawn_and_the_others_counted(add: Any) -> None:
    figure = planned(group(add.s(i) for i in range(5_000)), members=3)

    assert outline(figure) == ["group of 5,000", "├── add(0)", "├── add(1)", "├── add(2)", "└── ... 4,997 more"]


def test_one_member_too_many_is_drawn_rather_than_counted(add: Any) -> None:
    figure = planned(group(add.s(i) for i in range(4)), members=3)

    assert len(figure.inner) == 4


def test_of_a_long_chain_the_beginning_and_the_end_are_drawn(add: Any) -> None:
    figure = planned(chain(add.si(i) for i in range(500)))

    assert len(figure.inner) == STEPS + 1
    assert [one.label for one in figure.inner[-2:]] == ["... 450 more", "add(499)"]


def test_below_the_depth_nothing_is_drawn(add: Any) -> None:
    deep = group(add.s(1) | group(add.s(2), add.s(3)), add.s(4))

    figure = planned(deep, depth=1)

    assert outline(figure) == ["group of 2", "├── chain of 2", "│   ├── ... deeper", "│   └── ... deeper", "└── add(4)"]


def test_a_group_in_a_group_is_drawn_as_its_members_which_is_how_it_is_sent(add: Any) -> None:
    figure = planned(group(group(add.s(1), group(add.s(2))), chain([]), add.s(3)))

    assert outline(figure) == ["group of 3", "├── add(1)", "├── add(2)", "└── add(3)"]


def test_what_cannot_be_sent_because_it_is_too_deep_cannot_be_drawn_either() -> None:
    deep: dict[str, Any] = {"task": "add", "args": [], "kwargs": {}, "options": {}}
    for _ in range(200):
        deep = {"task": "celery.chain", "args": [], "kwargs": {"tasks": [deep]}, "options": {}, "subtask_type": "chain"}

    with pytest.raises(WorkflowTooDeep, match="nested more than"):
        planned(deep)


def test_links_in_a_circle_end_somewhere() -> None:
    circle: dict[str, Any] = {"task": "add", "args": [], "kwargs": {}, "options": {}}
    circle["options"]["link"] = [circle, circle, circle]

    figure = planned(circle)

    assert len(laid_out(figure).nodes) < 5 * MOST


def test_of_nothing_a_drawing_says_so(add: Any) -> None:
    empty = {"task": "celery.chain", "args": [], "kwargs": {"tasks": []}, "options": {}, "subtask_type": "chain"}

    assert planned(empty).title == "nothing"
    assert planned(group()).title == "nothing"


def test_a_chord_without_a_body_is_drawn_without_one(add: Any) -> None:
    figure = planned(chord([add.s(1), add.s(2)]))

    assert outline(figure)[-1] == "└── no body yet"


def test_members_of_a_chord_meet_in_a_point_before_the_body(add: Any) -> None:
    drawing = laid_out(planned(group(add.s(1), add.s(2)) | add.s(3)))

    keys = {node.lines[0]: node.key for node in drawing.nodes}
    arrows = {(edge.start, edge.end) for edge in drawing.edges}
    assert arrows == {(keys["add(1)"], keys["all"]), (keys["add(2)"], keys["all"]), (keys["all"], keys["add(3)"])}
    assert [box.label for box in drawing.boxes] == ["chord of 2"]


def test_two_groups_one_after_the_other_cost_no_arrow_for_each_pair(add: Any) -> None:
    many = group(add.s(i) for i in range(10))

    drawing = laid_out(planned(many | group(add.s(i) for i in range(10))))

    assert len(drawing.edges) == 20


def test_a_chain_of_a_generator_has_its_steps(add: Any) -> None:
    workflow: Any = chain(add.si(i) for i in range(3))

    assert [step.args for step in workflow.tasks] == [(0,), (1,), (2,)]
