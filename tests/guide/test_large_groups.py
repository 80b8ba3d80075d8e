"""Groups and chords of more members than anybody wants to hold, with workers that run them: the guide, "Large groups"."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from celeriac import Celery, GroupResult, chord, group
from celeriac.core.errors import ChordError
from guide.conftest import Serve

MANY = 12_000
WAIT_S = 60

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def double(tasks: dict[str, Any]) -> Any:
    return tasks["double"]


@pytest.fixture
def total(tasks: dict[str, Any]) -> Any:
    return tasks["total"]


def numbers(task: Any, count: int = MANY) -> Iterator[Any]:
    return (task.s(number) for number in range(count))


def test_the_values_of_a_large_group_come_in_order(double: Any, serve: Serve) -> None:
    serve()

    result = group(numbers(double)).delay()

    assert result.get(timeout=WAIT_S) == list(range(0, 2 * MANY, 2))
    assert (len(result), result.completed_count(), result.successful()) == (MANY, MANY, True)
    result.forget()
    assert result.completed_count() == 0


def test_the_body_of_a_large_header_runs_with_all_values_in_order(app: Celery, double: Any, serve: Serve) -> None:
    checked = app.task(name="checked")(lambda values: values == list(range(0, 2 * MANY, 2)))
    serve()

    result = chord(numbers(double))(checked.s())

    assert result.get(timeout=WAIT_S) is True
    assert result.parent[MANY - 1].get(timeout=WAIT_S) == 2 * MANY - 2


def test_a_large_header_may_be_a_group_that_is_followed(double: Any, total: Any, serve: Serve) -> None:
    serve()

    result = (group(numbers(double)) | total.s() | double.s()).delay()

    assert result.get(timeout=WAIT_S) == 2 * sum(range(0, 2 * MANY, 2))


def test_a_large_header_that_is_a_list_has_a_list_of_results(double: Any, total: Any, serve: Serve) -> None:
    serve()

    result = chord(list(numbers(double, 2_000)))(total.s())

    assert result.get(timeout=WAIT_S) == sum(range(0, 4_000, 2))
    assert isinstance(result.parent.results, list)


def test_it_may_be_sent_and_awaited_on_an_event_loop(double: Any, total: Any, serve: Serve) -> None:
    serve()

    async def main() -> int:
        result = await chord(numbers(double), total.s()).aapply_async()
        value: int = await result.aget(timeout=WAIT_S)
        return value

    assert asyncio.run(main()) == sum(range(0, 2 * MANY, 2))


def test_one_failure_ends_a_large_chord(app: Celery, total: Any, serve: Serve) -> None:
    @app.task(name="picky")
    def picky(x: int) -> int:
        if x == 11_111:
            raise ValueError("not this one")
        return x

    serve()

    result = chord(numbers(picky))(total.s())

    with pytest.raises(ChordError, match="not this one"):
        result.get(timeout=WAIT_S)
    assert result.parent.failed()
    assert isinstance(result.parent.failure(), ValueError)


def test_a_saved_group_is_found_by_another_program(app: Celery, double: Any, serve: Serve) -> None:
    serve()
    result = group(numbers(double)).delay()
    result.save()

    found = GroupResult.restore(str(result.id), app=app)

    assert found == result
    assert found.join(timeout=WAIT_S)[-1] == 2 * MANY - 2


def test_who_waits_for_the_body_of_a_large_header_does_not_listen_to_its_members(app: Celery, double: Any, total: Any) -> None:
    result = chord(list(numbers(double, 1_001)))(total.s())

    with pytest.raises(TimeoutError, match=str(result.id)) as caught:
        result.get(timeout=0)

    assert "more arrived" not in str(caught.value)


def test_a_body_that_was_frozen_before_gets_the_values_of_a_saved_header_in_order(app: Celery, double: Any, serve: Serve) -> None:
    checked = app.task(name="checked")(lambda values: values == list(range(0, 2 * MANY, 2)))
    body = checked.s()
    body.freeze("body")

    result = chord(numbers(double))(body)
    result.parent.save()
    serve()

    assert result.id == "body"
    assert result.get(timeout=WAIT_S) is True
