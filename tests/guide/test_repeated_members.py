"""One frozen signature that stands in a header more than once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery, chain, chord, group
from guide.conftest import Serve

WAIT_S = 10
Made = Callable[[Any, Any, Any], Any]


@pytest.mark.parametrize(
    ("made", "sum_of_all"),
    [
        (lambda member, add, total: chord([member, member], total.s()), 4),
        (lambda member, add, total: group(member, member, add.s(3, 4)) | total.s(), 11),
        (lambda member, add, total: chord([chain(add.s(0, 0), member), member], total.s()), 4),
        (lambda member, add, total: add.si(0, 0) | group(member, member) | total.s(), 4),
    ],
    ids=["chord", "group", "chain", "later"],
)
def test_each_of_its_places_has_a_value(app: Celery, serve: Serve, made: Made, sum_of_all: int) -> None:
    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    serve()
    member = add.si(1, 1)
    one = member.freeze()

    result = made(member, add, total).delay()

    assert result.get(timeout=WAIT_S) == sum_of_all
    assert one.get(timeout=WAIT_S) == 2


def test_a_chord_that_was_frozen_with_it_ends_too(app: Celery, serve: Serve) -> None:
    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="total")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    serve()
    member = add.s(1, 1)
    workflow = chord([member, member], total.s())
    promised = workflow.freeze()

    result = workflow.delay()

    assert result.id == promised.id
    assert promised.get(timeout=WAIT_S) == 4
    assert promised.parent.get(timeout=WAIT_S) == [2, 2]
