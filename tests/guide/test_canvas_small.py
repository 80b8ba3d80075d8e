"""Workflows with nothing or one thing in them, and groups in groups: what Celery 5.7 makes of each, on every store.

Which form each takes is in ``wire/test_canvas.py``; here is what it comes to. The values are those of a worker of Celery's own on
Redis, but that it turns the members of a group in a header around.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery, chain, chord, group
from guide.conftest import Serve

WAIT_S = 10


NONE: Any = group([])
"""A group without members."""


class Tasks:
    """What the workflows below are made of."""

    def __init__(self, app: Celery) -> None:
        @app.task(name="const")
        def const(x: int = 1) -> int:
            return x

        @app.task(name="add")
        def add(x: int, y: int = 0) -> int:
            return x + y

        @app.task(name="total")
        def total(numbers: list[int]) -> int:
            return sum(numbers)

        @app.task(name="same")
        def same(value: Any) -> Any:
            return value

        calls: list[Any] = [const.s, add.s, total.s, same.s]
        self.const, self.add, self.total, self.same = calls


@pytest.fixture
def tasks(app: Celery) -> Tasks:
    return Tasks(app)


WORKFLOWS: dict[str, tuple[Callable[[Tasks], Any], Any]] = {
    # A group that is followed is a chord, also of none and of one.
    "none | total": (lambda t: group(t.add(i, i) for i in range(0)) | t.total(), 0),
    "none | chain": (lambda t: NONE | (t.total() | t.add(5)), 5),
    "none | group": (lambda t: NONE | group(t.same(), t.same()), [[], []]),
    "const | none | total": (lambda t: t.const(1) | NONE | t.total(), 0),
    "const | none": (lambda t: t.const(1) | NONE, 1),
    "const | add | none | same": (lambda t: t.const(1) | t.add(1) | NONE | t.same(), 2),
    "one | total": (lambda t: group(t.add(i, i) for i in [1]) | t.total(), 2),
    "const | (one | total)": (lambda t: t.const(1) | (group([t.add(1)]) | t.total()), 2),
    "const | one | same": (lambda t: t.const(1) | group([t.add(1)]) | t.same(), 2),
    "two | one | same": (lambda t: group(t.const(1), t.const(2)) | group([t.same()]) | t.same(), [[1, 2]]),
    "two | one": (lambda t: group(t.const(1), t.const(2)) | group([t.same()]), [[1, 2]]),
    "two | none": (lambda t: group(t.const(1), t.const(2)) | NONE, [1, 2]),
    "chord with one | same": (lambda t: chord([t.const(1), t.const(2)], group([t.same()])) | t.same(), [[1, 2]]),
    # The members of a group in a group are its own.
    "group in a group": (lambda t: group(group(t.const(1), t.const(2)), t.const(3)), [1, 2, 3]),
    "group in a group in a group": (lambda t: group([group([group(t.const(1)), t.const(2)]), t.const(3)]), [1, 2, 3]),
    "none in a group": (lambda t: group(NONE, t.const(6)), [6]),
    "nones in a group": (lambda t: group([NONE, NONE]), []),
    "const | group in a group": (lambda t: t.const(1) | group([group(t.add(1), t.add(2)), t.add(3)]), [2, 3, 4]),
    "group in a group | same": (lambda t: group([group(t.const(1), t.const(2)), t.const(3)]) | t.same(), [1, 2, 3]),
    "nones in a header": (lambda t: chord([NONE, NONE], t.same()), []),
    "chain that ends with a group in a group": (
        lambda t: group(t.const(1) | group(t.add(1), t.add(2)), t.const(3)),
        [[2, 3], 3],
    ),
    "body that is a group in a group": (
        lambda t: chord([t.const(1)], group(group(t.same(), t.same()), t.total())),
        [[1], [1], 1],
    ),
    # A group of none at the end of a member is no end.
    "const | none in a header of one": (lambda t: chord([t.const(1) | NONE], t.same()), [1]),
    "const | none in a header of one, and more": (lambda t: group([t.const(1) | NONE]) | t.total() | t.add(1), 2),
    "const | none in a header": (lambda t: chord([t.const(1) | NONE, t.const(2)], t.same()), [1, 2]),
    "const | none in a group": (lambda t: group([t.const(1) | NONE, t.const(2)]), [1, 2]),
    "total | none as a body": (lambda t: chord([t.const(1)], t.total() | NONE), 1),
    # Of an empty chain nothing is left.
    "empty chain in a group": (lambda t: group([chain([]), t.add(3, 3)]), [6]),
    "empty chains in a group": (lambda t: group([chain([]), chain([chain([])])]), []),
    "empty chain in a header": (lambda t: chord([chain([]), t.add(3, 3)], t.same()), [6]),
    "empty chain | add": (lambda t: chain() | t.add(1, 1), 2),
    "add | empty chain | add": (lambda t: t.add(1, 1) | chain() | t.add(1), 3),
    # A chain may have one step.
    "chain of one": (lambda t: chain(t.add(1, 1)), 2),
    "chain of a list of one": (lambda t: chain([t.add(1, 1)]) | t.add(1), 3),
    "chain of one group": (lambda t: chain(group(t.const(1), t.const(2))), [1, 2]),
    "chain of one group of none": (lambda t: chain(NONE), []),
    "chain of one chord": (lambda t: chain(chord([t.const(1)], t.total())), 1),
    "chains of one in a group": (lambda t: group(chain(t.const(1)), chain([t.const(2)])), [1, 2]),
    "chain of one group in a group": (lambda t: group(chain(group(t.const(1), t.const(2))), t.const(3)), [[1, 2], 3]),
}


def test_workflows_of_little_come_to_what_they_come_to_in_celery(tasks: Tasks, serve: Serve) -> None:
    serve()

    results = {name: make(tasks).apply_async() for name, (make, _) in WORKFLOWS.items()}

    found = {name: result.get(timeout=WAIT_S) for name, result in results.items()}
    assert found == {name: value for name, (_, value) in WORKFLOWS.items()}


@pytest.mark.parametrize("url", ["memory://small-applied"])
@pytest.mark.parametrize("eager", [False, True])
def test_so_they_do_here_and_now(eager: bool, app: Celery, tasks: Tasks) -> None:
    app.conf.task_always_eager = eager

    found = {name: (make(tasks).delay() if eager else make(tasks).apply()).get() for name, (make, _) in WORKFLOWS.items()}

    assert found == {name: value for name, (_, value) in WORKFLOWS.items()}


def test_so_they_do_on_an_event_loop(tasks: Tasks, serve: Serve) -> None:
    serve()

    async def program() -> dict[str, Any]:
        results = {name: await make(tasks).adelay() for name, (make, _) in WORKFLOWS.items()}
        return {name: await result.aget(timeout=WAIT_S) for name, result in results.items()}

    found = asyncio.run(program())

    assert found == {name: value for name, (_, value) in WORKFLOWS.items()}


def test_a_chord_whose_body_is_a_group_of_none_ends_with_an_empty_list(tasks: Tasks, serve: Serve) -> None:
    serve()
    inner = chord([tasks.const(1)], NONE)

    results = [chord([inner], tasks.same()).delay(), chord([inner, tasks.const(2)], tasks.same()).delay()]

    assert [result.get(timeout=WAIT_S) for result in results] == [[[]], [[], 2]]


def test_what_follows_a_task_may_be_an_empty_chain(tasks: Tasks, serve: Serve) -> None:
    serve()

    linked = tasks.const(1).set(link=[chain(), tasks.same()], link_error=chain())
    body = tasks.total().set(link=chain())

    assert linked.delay().get(timeout=WAIT_S) == 1
    assert chord([tasks.const(1)], body).delay().get(timeout=WAIT_S) == 1


def test_a_chord_that_was_frozen_may_stand_in_a_header_twice(tasks: Tasks, serve: Serve) -> None:
    serve()
    inner: Any = chord([tasks.const(1), tasks.const(2)], tasks.total())
    inner.freeze()
    longer: Any = tasks.const(1) | group(tasks.add(1), tasks.add(2)) | tasks.total() | tasks.add(1)
    longer.freeze()

    results = [chord([twice, twice], tasks.same()).delay() for twice in (inner, longer)]

    assert [result.get(timeout=WAIT_S) for result in results] == [[3, 3], [6, 6]]


@pytest.mark.parametrize("url", ["memory://small-empty"])
@pytest.mark.usefixtures("tasks")
def test_an_empty_chain_sends_nothing_and_is_none(app: Celery) -> None:
    results = [chain().delay(), chain([])(), asyncio.run(chain([chain()]).adelay()), chain().apply()]

    assert results == [None] * 4
    assert app.store.depth(["celery"]) == [0]


def test_the_result_of_a_group_in_a_group_is_one_group_also_when_it_was_frozen(tasks: Tasks, serve: Serve) -> None:
    serve()
    whole = group(group(tasks.const(1), group(tasks.const(2))), chain(), tasks.const(3))

    frozen = whole.freeze()
    sent = whole.delay()

    assert [one.id for one in sent.results] == [one.id for one in frozen.results]
    assert (len(sent), [one.get(timeout=WAIT_S) for one in sent.results]) == (3, [1, 2, 3])


@pytest.mark.parametrize("url", ["memory://small-long"])
def test_a_group_of_one_stays_one_in_a_row_longer_than_what_is_nested(tasks: Tasks, serve: Serve) -> None:
    serve()
    row = tasks.const([1])
    for _ in range(40):
        row = row | (group([tasks.same()]) | tasks.same())

    result = row.delay()

    value, depth = result.get(timeout=WAIT_S), 0
    while isinstance(value, list):
        [value], depth = value, depth + 1
    assert (value, depth) == (1, 41)
