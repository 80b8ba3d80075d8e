"""Chords in a row, however many: as flat as they look, and what they cost."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from celeriac import Celery, Signature, chain, chord, group
from celeriac.app.flows.frozen import freeze, handle_of
from celeriac.app.flows.keeping import Keeping
from celeriac.app.flows.normal import NESTED, chained, longest_row, row
from celeriac.app.flows.stored import Stored, chain_of, chord_of, group_of, kind_of, members_of, several
from celeriac.app.flows.unrolling import unroll
from celeriac.core.errors import WorkflowTooDeep
from unit.app.serving import serve, waiting

LONG = 1_200


def call(name: str, **options: Any) -> Stored:
    return {"task": name, "args": (), "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}


def pairs(count: int) -> list[Stored]:
    """Return groups, each of which a task follows."""
    return [step for place in range(count) for step in (group_of([call(f"a{place}"), call(f"b{place}")]), call(f"c{place}"))]


def bodies(workflow: Stored) -> list[Stored]:
    """Return the bodies that lie in each other, from the outside to the inside."""
    found: list[Stored] = []
    inner = workflow
    while kind_of(inner) in {"chain", "chord"} and not (kind_of(inner) == "chain" and kind_of(members_of(inner)[-1]) != "chord"):
        if kind_of(inner) == "chord":
            found.append(inner["kwargs"]["body"])
        inner = inner["kwargs"]["body"] if kind_of(inner) == "chord" else members_of(inner)[-1]
    return found


def a_row(task: Any, total: Any, count: int) -> list[Any]:
    return [step for _ in range(count) for step in (group(task.s(1), task.s(2)), total.s())]


@pytest.fixture
def add(app: Celery) -> Any:
    @app.task(name="add")
    def add(x: int, y: int = 0) -> int:
        return x + y

    return add


@pytest.fixture
def total(app: Celery) -> Any:
    @app.task(name="total")
    def total(numbers: list[int]) -> int:
        return sum(numbers) % 1_000

    return total


def test_as_many_chords_as_a_message_may_hold_lie_in_each_other_and_the_others_are_a_chain() -> None:
    whole = chained(pairs(LONG))

    found = bodies(whole)
    assert (kind_of(whole), len(found), longest_row(whole)) == ("chord", NESTED, LONG)
    assert [kind_of(step) for step in members_of(found[-1])] == [None, *["group", None] * (LONG - NESTED)]


def test_it_does_not_matter_in_which_order_a_row_was_put_together() -> None:
    steps = pairs(NESTED + 20)
    at_once = chained(steps)

    from_the_left, from_the_right = steps[0], steps[-1]
    for step in steps[1:]:
        from_the_left = chained([from_the_left, step])
    for step in reversed(steps[:-1]):
        from_the_right = chained([step, from_the_right])

    assert from_the_left == from_the_right == chained([at_once]) == at_once


def test_a_row_as_steps_is_what_it_was_made_of() -> None:
    steps = pairs(40)

    assert row([chained(steps)]) == row(steps) == steps


def test_a_frozen_row_is_unrolled_from_anywhere_with_the_ids_that_it_has() -> None:
    numbers = itertools.count()
    frozen = freeze(chained(pairs(LONG)), lambda: f"id{next(numbers)}")

    handle, ids = handle_of(frozen), []
    while handle.parent is not None:
        ids.append(handle.id)
        handle = handle.parent
    [opened] = unroll(chained(row([frozen])[2 * (NESTED + 5) :])).chords

    assert len(ids) == 2 * LONG - 1
    assert opened.id == ids[-2 * (NESTED + 5)]


def test_errbacks_of_a_row_are_those_of_its_bodies_and_not_of_the_members_of_its_headers() -> None:
    hear = call("hear")
    frozen = freeze(chained([chain_of([call("z"), *pairs(NESTED + 3)], {"link_error": hear})]), lambda: "id")

    steps = row([frozen])

    assert all(several(step["options"].get("link_error")) == [hear] for step in steps if kind_of(step) is None)
    headers = [member for step in steps if kind_of(step) == "group" for member in members_of(step)]
    assert not [member for member in headers if member["options"].get("link_error")]


def test_groups_in_a_header_are_members_wherever_in_a_row_they_stand() -> None:
    steps = pairs(NESTED + 1)
    steps[-2] = group_of([call("a"), group_of([call("b"), call("c")])])

    frozen = freeze(chained(steps), lambda: "id")

    assert [member["task"] for member in members_of(row([frozen])[-2])] == ["a", "b", "c"]


def test_a_chord_that_says_something_of_its_end_stays_one() -> None:
    own = chord_of([call("a")], chain_of([call("b"), call("c")], {"task_id": "mine"}))

    assert chained([*pairs(NESTED), own])["kwargs"] == chained([*pairs(NESTED), own])["kwargs"]
    assert row([call("z"), own]) == [call("z"), own]


def test_what_is_kept_of_a_row_is_never_deeper_than_readers_allow() -> None:
    keeping = Keeping(lambda one: len(repr(one)), 100_000_000, "json")
    numbers = itertools.count()

    keeping.thin(freeze(chained(pairs(LONG)), lambda: f"id{next(numbers)}"))

    assert max(longest_row(block.content) for block in keeping.blocks) <= NESTED


def test_a_row_of_hundreds_can_be_used_like_any_workflow(app: Celery, add: Any, total: Any) -> None:
    whole = chain(a_row(add, total, 300))

    assert isinstance(whole, chord)
    assert whole.clone() == Signature.from_dict(dict(whole)) == whole
    assert repr(whole)
    assert whole.freeze().id == whole.delay(1).id
    assert whole.apply((1,)).get() == (chain(a_row(add, total, 100)) | chain(a_row(add, total, 200))).apply((1,)).get()


def test_a_row_of_hundreds_is_sent_with_what_begins_it(app: Celery, add: Any, total: Any) -> None:
    workflow: Any = add.s(1)
    for _ in range(300):
        workflow = workflow | group(add.s(1), add.s(2)) | total.s()

    node: Any = workflow.delay()

    before = 0
    while (node := node.parent) is not None:
        before += 1
    assert [message.task for message in waiting(app)] == ["add"]
    assert before == 2 * 300


def test_too_many_for_celerys_workers_are_refused_where_those_take_part(app: Celery, add: Any, total: Any) -> None:
    app.conf.task_workflow_embed_limit = None
    few, many = chain(a_row(add, total, NESTED)), chain(a_row(add, total, NESTED + 1))

    few.delay(1)
    for one in (many, chain(add.s(1), *a_row(add, total, NESTED + 1)), group(add.s(1), many), chord([add.s(1)], many)):
        with pytest.raises(WorkflowTooDeep, match="more than 24 chords follow each other"):
            one.delay(1)

    assert len(serve(app)) == 2


def test_a_chain_grows_by_one_call_at_a_time_without_becoming_another_one(add: Any) -> None:
    hear = add.si(0)
    plain, linked = chain(add.s(1), add.s(2)), chain(add.s(1), add.s(2))
    linked.link_error(hear)

    grown = plain | add.s(3)

    assert grown == chain(add.s(1), add.s(2), add.s(3))
    assert len(plain.tasks) == 2
    assert [several(step.options.get("link_error")) for step in (linked | add.s(3)).tasks] == [[hear], [hear], []]
