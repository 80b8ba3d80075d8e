"""A group over a generator costs its sender the same memory however many members there are."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from celeriac import Celery, chord, group
from celeriac.app.numbered import Numbered
from unit.app.stores import Counting, Over

FEW = 20_000
SLACK = 300_000
"""Bytes that two runs may differ by."""


@pytest.fixture
def app() -> Over:
    """Give an app whose store only counts."""
    return Over(Counting)


def peak(step: Callable[[], Any]) -> int:
    """Return how many bytes were in use at most while ``step`` ran."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = step()
        found = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept is not None
    return found


def sent(app: Celery, count: int) -> Callable[[], Any]:
    add = app.tasks["add"]
    return lambda: group(add.s(number) for number in range(count)).delay()


def sent_as_header(app: Celery, count: int) -> Callable[[], Any]:
    add = app.tasks["add"]
    return lambda: chord(add.s(number) for number in range(count))(add.s())


def listed(task: Any, count: int) -> Any:
    return group([task.s(number) for number in range(count)]).delay()


@pytest.mark.parametrize("way", [sent, sent_as_header])
@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.long)])
@pytest.mark.timeout(300)
def test_the_peak_does_not_grow_with_the_members(app: Over, way: Any, times: int) -> None:
    way(app, FEW)()

    few, many = peak(way(app, FEW)), peak(way(app, times * FEW))

    assert app.store.published == (2 + times) * FEW
    assert app.store.opened in {0, times * FEW}
    assert many < few + SLACK


def test_a_list_of_as_many_does_grow(app: Celery) -> None:
    """Else the measure would measure nothing."""
    add = app.tasks["add"]

    few, many = (peak(partial(listed, add, count)) for count in (1_000, 6_000))

    assert many > few + 10 * SLACK


def test_what_is_left_of_a_sent_group_is_a_number(app: Celery) -> None:
    result = sent(app, 3 * FEW)()

    assert isinstance(result.results, Numbered)
    assert len(result.results.odd) == 0
