"""A result's trail is followed through children and parents, and drawn as what came after what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from celeriac.app.drawing.formats import to_text
from celeriac.app.drawing.happened import happened
from celeriac.app.drawing.tracing import Trail, trace
from celeriac.app.flows.keeping import abandoning
from celeriac.app.flows.numbering import member_id
from celeriac.core.taskmeta import TaskMeta


class Stored:
    """What a store knows, and how often it was asked."""

    def __init__(self, *metas: TaskMeta) -> None:
        self.metas = {meta.task_id: meta for meta in metas}
        self.asked: list[list[str]] = []

    def __call__(self, ids: Sequence[str]) -> list[TaskMeta]:
        self.asked.append(list(ids))
        return [self.metas.get(id, TaskMeta(task_id=id)) for id in ids]

    def trail(self, id: str, members: Iterable[str] | None = None) -> Trail:
        return trace(((id, None), None if members is None else [one(each) for each in members]), self)


def one(id: str, parent: Any = None) -> list[Any]:
    return [[id, parent], None]


def ran(id: str, *children: Any, state: str = "SUCCESS", result: Any = None, **known: Any) -> TaskMeta:
    return TaskMeta(task_id=id, status=state, result=result, name=f"do_{id}", children=children, **known)


def drawn(trail: Trail, **options: int) -> list[str]:
    return to_text(happened(trail, **options)).splitlines()


A_CHAIN = (ran("a", one("b")), ran("b", one("c"), parent_id="a"), ran("c", parent_id="b"))


@pytest.mark.parametrize("asked", ["a", "b", "c"])
def test_a_chain_is_found_whole_from_any_of_its_steps(asked: str) -> None:
    lines = drawn(Stored(*A_CHAIN).trail(asked))

    steps = [line.removesuffix("  <--") for line in lines]
    assert steps == ["3 in a row", "├── do_a  a  SUCCESS", "├── do_b  b  SUCCESS", "└── do_c  c  SUCCESS"]
    assert [line for line in lines if line.endswith("<--")] == [
        f"{'└' if asked == 'c' else '├'}── do_{asked}  {asked}  SUCCESS  <--"
    ]


def test_the_body_of_a_chord_comes_after_its_header() -> None:
    header = [["g", None], [one("m"), one("n")]]
    stored = Stored(
        ran("a", header, one("body", [["g", None], []])),
        ran("m", parent_id="a", group_id="g"),
        ran("n", parent_id="a", group_id="g"),
        ran("body", parent_id="n", group_id="g"),
    )

    lines = drawn(stored.trail("body"))

    assert lines == [
        "3 in a row",
        "├── do_a  a  SUCCESS",
        "├── group of 2  g  2 SUCCESS",
        "│   ├── do_m  m  SUCCESS",
        "│   └── do_n  n  SUCCESS",
        "└── do_body  body  SUCCESS  <--",
    ]


def test_the_body_of_a_chord_that_a_celery_worker_ran_comes_after_its_header_though_nobody_sent_it() -> None:
    stored = Stored(
        ran("a", [["g", None], [one("m"), one("n")]]),
        ran("m", parent_id="a", group_id="g"),
        ran("n", parent_id="a", group_id="g"),
        ran("body", parent_id="n", group_id="g"),
    )

    lines = drawn(stored.trail("body"))

    assert [line.split("  ")[0] for line in lines] == ["3 in a row", "├── do_a", "├── group of 2", "│", "│", "└── do_body"]


def test_a_member_that_is_a_chain_begins_with_its_first_step() -> None:
    stored = Stored(ran("m", one("n")), ran("n", parent_id="m"), ran("o"))

    lines = drawn(stored.trail("g", ["n", "o"]))

    assert lines == [
        "group of 2  g  2 SUCCESS  <--",
        "├── 2 in a row",
        "│   ├── do_m  m  SUCCESS",
        "│   └── do_n  n  SUCCESS",
        "└── do_o  o  SUCCESS",
    ]


def test_what_one_task_sent_hangs_below_it() -> None:
    stored = Stored(ran("a", one("b"), one("c")), ran("b", parent_id="a"), ran("c", parent_id="a"))

    lines = drawn(stored.trail("a"))

    assert lines == ["do_a  a  SUCCESS  <--", "├── do_b  b  SUCCESS", "└── do_c  c  SUCCESS"]


def test_of_a_large_group_those_that_failed_are_drawn_and_the_others_counted() -> None:
    ids = [f"m{number}" for number in range(100)]
    metas = [ran(id) for id in ids]
    metas[70] = ran("m70", state="FAILURE", result=ValueError("no"))

    lines = drawn(Stored(*metas).trail("g", ids), members=2)

    assert lines == [
        "group of 100  g  99 SUCCESS, 1 FAILURE  <--",
        "├── do_m70  m70  FAILURE  ValueError: no",
        "├── do_m0  m0  SUCCESS",
        "└── ... 98 more",
    ]


def test_a_group_that_is_known_by_its_number_is_asked_for_at_once() -> None:
    group = "0b31070b-e330-493d-95a6-a4bd9e768b34"
    ids = [member_id(group, place) for place in range(30)]
    stored = Stored(*map(ran, ids))

    lines = drawn(stored.trail(group, [ids[0], ids[-1]]), members=1)

    assert lines[0] == f"group of 30  {group}  30 SUCCESS  <--"
    assert stored.asked == [ids]


def test_each_level_is_one_question_to_the_store() -> None:
    stored = Stored(*A_CHAIN)

    stored.trail("a")

    assert stored.asked == [["a"], ["b"], ["c"]]


def test_more_than_can_be_looked_at_is_cut_and_said() -> None:
    metas = [ran(f"t{number}", one(f"t{number + 1}")) for number in range(100)]

    trail = trace(one("t0"), Stored(*metas), most=10)

    assert (len(trail.metas), trail.cut) == (10, True)
    assert drawn(trail)[-1] == "└── ... and more"


def test_tasks_that_lead_to_each_other_in_a_circle_end_somewhere() -> None:
    stored = Stored(ran("a", one("b"), parent_id="b"), ran("b", one("a"), parent_id="a"))

    lines = drawn(stored.trail("a"))

    assert len(lines) == 3


def test_a_parent_of_which_nothing_is_stored_any_more_is_left_out() -> None:
    lines = drawn(Stored(ran("b", parent_id="a")).trail("b"))

    assert lines == ["do_b  b  SUCCESS  <--"]


def test_an_id_that_nobody_knows_is_pending() -> None:
    lines = drawn(Stored().trail("nobody"))

    assert lines == ["nobody  PENDING  <--"]


def test_rows_tell_who_came_from_whom() -> None:
    stored = Stored(ran("a", [["g", None], [one("m")]]), ran("m", state="FAILURE", result=ValueError("no"), parent_id="a"))

    rows = {row["id"]: row for row in stored.trail("a").rows()}

    assert (rows["g"]["kind"], rows["g"]["parent"], rows["m"]["group"]) == ("group", "a", "g")
    assert (rows["m"]["name"], rows["m"]["state"], rows["m"]["error"]) == ("do_m", "FAILURE", "ValueError: no")


def test_a_member_that_is_a_chain_is_in_its_group_and_nowhere_else() -> None:
    stored = Stored(
        ran("a", [["g", None], [one("n"), one("o")]], one("body", [["g", None], []])),
        ran("m", one("n"), parent_id="a"),
        ran("n", parent_id="m", group_id="g"),
        ran("o", parent_id="a", group_id="g"),
        ran("body", parent_id="n", group_id="g"),
    )

    lines = drawn(stored.trail("body"))

    assert lines == [
        "3 in a row",
        "├── do_a  a  SUCCESS",
        "├── group of 2  g  2 SUCCESS",
        "│   ├── 2 in a row",
        "│   │   ├── do_m  m  SUCCESS",
        "│   │   └── do_n  n  SUCCESS",
        "│   └── do_o  o  SUCCESS",
        "└── do_body  body  SUCCESS  <--",
    ]


def test_a_group_that_was_saved_is_put_around_the_member_that_ended_last() -> None:
    stored = Stored(ran("m", group_id="g"), ran("n", group_id="g"), ran("body", parent_id="n", group_id="g"))

    trail = trace(one("body"), stored, saved=[[["g", None], [one("m"), one("n")]]])

    assert [line.split("  ")[0] for line in drawn(trail)] == ["2 in a row", "├── group of 2", "│", "│", "└── do_body"]


@pytest.mark.parametrize("child", [None, "x", 3, [], [1, 2, 3], [[1, None], None], [["x", None], 3], {"id": "x"}])
def test_a_child_that_is_no_result_is_passed_by(child: Any) -> None:
    lines = drawn(Stored(ran("a", child)).trail("a"))

    assert lines == ["do_a  a  SUCCESS  <--"]


def test_a_child_may_be_told_by_its_id_alone() -> None:
    lines = drawn(Stored(ran("a", ["b", None])).trail("a"))

    assert lines == ["2 in a row", "├── do_a  a  SUCCESS  <--", "└── b  PENDING"]


def group(id: str, *members: Any, parent: Any = None) -> list[Any]:
    return [[id, parent], list(members)]


def failed(id: str, **known: Any) -> TaskMeta:
    """Return what is stored of a task that ran and failed."""
    return ran(id, state="FAILURE", result=ValueError("no"), **known)


def never_ran(id: str, parent_id: str) -> TaskMeta:
    """Return what is stored of a task that could not run any more: it ends as whatever it waited for has."""
    return TaskMeta(task_id=id, status="FAILURE", result=ValueError("no"), parent_id=parent_id)


def bare(lines: Iterable[str]) -> list[str]:
    """Return the lines of an outline without states and errors."""
    return [line.split("  SUCCESS")[0].split("  FAILURE")[0].split("  1 ")[0].split("  2 ")[0] for line in lines]


def test_a_body_comes_after_the_whole_header_if_the_member_that_ended_last_lies_in_a_group_of_it() -> None:
    header = group("g", one("m"), group("inner", one("n"), one("o"), parent=one("first")))
    stored = Stored(
        failed("m", group_id="g"),
        ran("first", group("inner", one("n"), one("o"))),
        ran("n", parent_id="first", group_id="g"),
        ran("o", parent_id="first", group_id="g"),
        never_ran("body", "o"),
    )

    lines = drawn(trace(one("body"), stored, saved=[header]))

    assert bare(lines) == [
        "2 in a row",
        "├── group of 2  g",
        "│   ├── do_m  m",
        "│   └── 2 in a row",
        "│       ├── do_first  first",
        "│       └── group of 2  inner",
        "│           ├── do_n  n",
        "│           └── do_o  o",
        "└── body",
    ]
    assert "1 FAILURE, 1 SUCCESS" in lines[1]
    assert lines[-1].endswith("  <--")


def test_a_body_comes_after_the_header_if_a_step_of_a_member_failed_last() -> None:
    header = group("g", one("end", one("m")), one("n"))
    stored = Stored(
        failed("m"), never_ran("end", "m"), ran("n", group_id="g"), never_ran("body", "m"),
    )  # fmt: skip

    lines = drawn(trace(one("body"), stored, saved=[header]))

    assert bare(lines) == [
        "2 in a row",
        "├── group of 2  g",
        "│   ├── 2 in a row",
        "│   │   ├── do_m  m",
        "│   │   └── end",
        "│   └── do_n  n",
        "└── body",
    ]


def test_steps_after_a_chord_that_never_ran_are_drawn_after_its_header_all_of_them() -> None:
    stored = Stored(
        ran("a", group("g", one("m"), one("n")), one("body", group("g"))),
        ran("m", parent_id="a", group_id="g"),
        failed("n", parent_id="a", group_id="g"),
        never_ran("body", "n"),
        never_ran("end", "n"),
    )

    lines = drawn(stored.trail("end"))

    assert bare(lines) == [
        "3 in a row",
        "├── do_a  a",
        "├── group of 2  g",
        "│   ├── do_n  n",
        "│   └── do_m  m",
        "└── 2 after that",
        "    ├── body",
        "    └── end",
    ]
    assert lines[-1].endswith("  <--")


@pytest.mark.parametrize("last", ["m", abandoning("inner"), abandoning("kept-inner")])
def test_a_chord_in_a_header_is_drawn_with_its_own_header_whoever_ended_last(last: str) -> None:
    header = group("g", one("inner", group("h", one("n"), one("o"))), one("m"))
    stored = Stored(
        ran("m", group_id="g"),
        ran("n", group_id="h"),
        failed("o", group_id="h"),
        never_ran("inner", "o"),
        never_ran("body", last),
    )

    lines = drawn(trace(one("body"), stored, saved=[header]))

    assert bare(lines) == [
        "2 in a row",
        "├── group of 2  g",
        "│   ├── 2 in a row",
        "│   │   ├── group of 2  h",
        "│   │   │   ├── do_o  o",
        "│   │   │   └── do_n  n",
        "│   │   └── inner",
        "│   └── do_m  m",
        "└── body",
    ]


@pytest.mark.parametrize("asked", ["a", "n", "inner", "m", "body"])
def test_a_chord_in_a_header_that_a_task_sent_is_in_it_and_nowhere_else(asked: str) -> None:
    header = group("g", one("inner", group("h", one("n"), one("o"))), one("m"))
    stored = Stored(
        ran("a", header, one("body", group("g"))),
        ran("m", parent_id="a", group_id="g"),
        ran("n", parent_id="a", group_id="h"),
        ran("o", parent_id="a", group_id="h"),
        ran("inner", parent_id="o", group_id="g"),
        ran("body", parent_id="inner", group_id="g"),
    )

    lines = drawn(stored.trail(asked))

    assert bare(lines) == [
        "3 in a row",
        "├── do_a  a",
        "├── group of 2  g",
        "│   ├── 2 in a row",
        "│   │   ├── group of 2  h",
        "│   │   │   ├── do_n  n",
        "│   │   │   └── do_o  o",
        "│   │   └── do_inner  inner",
        "│   └── do_m  m",
        "└── do_body  body",
    ]
    assert [line for line in lines if line.endswith("<--")] == [line for line in lines if f"do_{asked}  " in line]


def test_a_group_that_is_met_first_without_its_members_has_them_all_the_same() -> None:
    stored = Stored(ran("m", group_id="g"), ran("body", parent_id="m", group_id="g"))

    lines = drawn(trace(one("body", group("g")), stored, saved=[group("g", one("m"))]))

    assert bare(lines) == ["2 in a row", "├── group of 1  g", "│   └── do_m  m", "└── do_body  body"]


def test_groups_that_lie_in_each_other_in_a_circle_end_somewhere() -> None:
    stored = Stored(ran("m", group_id="g"))

    lines = drawn(trace(group("g", group("h", group("g", one("m")))), stored))

    assert lines[0].startswith("group of ")
