"""One course of action, taken by a method that blocks and by its twin."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from celeriac.app.twins import Course, Step, atake, in_a_thread, take

WAYS: list[Callable[[Course[Any]], Any]] = [take, lambda course: asyncio.run(atake(course))]


def both(action: Callable[[], Any]) -> Step:
    async def awaited() -> Any:
        return action()

    return Step(action, awaited)


def refuse() -> None:
    raise LookupError("refused")


@pytest.mark.parametrize("way", WAYS)
def test_each_step_hands_back_what_came_of_it(way: Callable[[Course[Any]], Any]) -> None:
    def course() -> Course[int]:
        first = yield both(lambda: 1)
        second = yield both(lambda: first + 1)
        return int(first + second)

    assert way(course()) == 3


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_raised_where_the_step_was_asked_for(way: Callable[[Course[Any]], Any]) -> None:
    def course() -> Course[str]:
        try:
            yield both(refuse)
        except LookupError as error:
            yield both(lambda: None)
            return f"after all: {error}"
        return "not reached"

    assert way(course()) == "after all: refused"


@pytest.mark.parametrize("way", WAYS)
def test_an_error_that_nobody_takes_is_that_of_the_course(way: Callable[[Course[Any]], Any]) -> None:
    def course() -> Course[None]:
        yield both(refuse)

    with pytest.raises(LookupError, match="refused"):
        way(course())


def test_a_step_without_a_twin_leaves_the_event_loop_to_others() -> None:
    def course() -> Course[threading.Thread]:
        found: threading.Thread = yield in_a_thread(threading.current_thread)
        return found

    assert take(course()) is threading.current_thread()
    assert asyncio.run(atake(course())) is not threading.current_thread()
