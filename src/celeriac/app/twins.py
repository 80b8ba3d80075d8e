"""One course of action for a method and its twin: what blocks in one is awaited in the other.

In a job's life: between ``apply_async`` or ``aapply_async`` and the producer. A course is a generator of steps, each told in both
ways; who drives it takes them in one way and hands back what came of them, errors too. Does not know: what is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from msgspec import Struct

R = TypeVar("R")


class Step(Struct, frozen=True):
    """Something to be done, in either way."""

    blocking: Callable[[], Any]
    awaited: Callable[[], Awaitable[Any]]


Course = Generator[Step, Any, R]
"""Yields what is to be done, is sent what came of it or has its error raised there, and returns what comes of all."""


def in_a_thread(action: Callable[[], Any]) -> Step:
    """Return a step that has no twin of its own: an event loop leaves it to another thread."""

    async def awaited() -> Any:
        from asyncio import to_thread  # late: whoever runs a coroutine has paid for asyncio

        return await to_thread(action)

    return Step(action, awaited)


def take(course: Course[R]) -> R:
    """Take all steps here, and return what comes of them."""
    try:
        step = next(course)
        while True:
            try:
                found = step.blocking()
            except Exception as error:
                step = course.throw(error)
            else:
                step = course.send(found)
    except StopIteration as end:
        result: R = end.value
        return result


async def atake(course: Course[R]) -> R:
    """The twin of ``take`` for event loops."""
    try:
        step = next(course)
        while True:
            try:
                found = await step.awaited()
            except Exception as error:
                step = course.throw(error)
            else:
                step = course.send(found)
    except StopIteration as end:
        result: R = end.value
        return result
