"""Drive a coroutine so that it can be interrupted at any of its waits, and while it runs.

In a job's life: around an ``async def`` task, in every lane. A coroutine that waits is interrupted by a cancellation that bears
the reason as a second class: whatever cleans up after a cancellation (task groups, locks, time-outs) does so for this one, and
the task may catch it as what it is. One that runs is interrupted as any other code, through a door that is open only while it
does. Does not know: which loop, which thread.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol

from celeriac.app.ended import RunEnded
from celeriac.core.errors import SoftTimeLimitExceeded
from celeriac.worker.lanes.asks import Ask


class SoftTimeLimitCancellation(asyncio.CancelledError, SoftTimeLimitExceeded):
    """What a coroutine hears whose soft limit is over."""


class EndCancellation(asyncio.CancelledError, RunEnded):
    """What a coroutine hears that is to end."""


class Door(Protocol):
    """Through which something may be thrown into running code."""

    def open(self, tag: int, /) -> None:
        """The code of this run follows."""

    def shut(self) -> None:
        """It is over."""


class Errand:
    """One coroutine that a loop drives for a run."""

    __slots__ = ("_ask", "tag", "task", "was_asked")

    def __init__(self, tag: int) -> None:
        self.tag = tag
        self.task: asyncio.Task[Any] | None = None
        """``None``: it has not begun. One that is cancelled before its first step never runs, and nobody hears of its end."""
        self.was_asked = False
        """Whether it was interrupted."""
        self._ask: Ask | None = None

    def cancel(self, ask: Ask) -> None:
        """Interrupt it at its next wait, or at the one where it is. In the thread of its loop; it has begun."""
        assert self.task is not None  # it has begun
        self._ask, self.was_asked = ask, True
        self.task.cancel()

    def reason(self) -> BaseException | None:
        """Return what its cancellation means; ``None``: it is one of the user's own."""
        ask, self._ask = self._ask, None
        if ask is None:
            return None
        if self.task is not None:
            self.task.uncancel()  # it is an exception like others now: who catches it may go on
        return EndCancellation() if ask.ends else SoftTimeLimitCancellation()


@types.coroutine
def interruptible(errand: Errand, coroutine: Coroutine[Any, Any, Any], door: Door) -> Generator[Any, Any, Any]:
    """Drive ``coroutine``, inside of the task of a loop, and return its result."""
    tag = errand.tag
    errand.task = asyncio.current_task()
    step: Callable[[Any], Any] = coroutine.send
    given: Any = None
    while True:
        try:
            door.open(tag)
            wanted = step(given)
        except StopIteration as end:
            return end.value
        except BaseExceptionGroup as group:
            raise alone(group) if errand.was_asked else group from None
        finally:
            door.shut()
        try:
            given = yield wanted
            step = coroutine.send
        except asyncio.CancelledError as error:
            step, given = coroutine.throw, errand.reason() or error
        except BaseException as error:
            step, given = coroutine.throw, error


def alone(error: BaseException) -> BaseException:
    """Return what interrupted a coroutine without the group into which a ``TaskGroup`` has put it; else ``error`` itself."""
    inner = error
    while isinstance(inner, BaseExceptionGroup) and len(inner.exceptions) == 1:
        [inner] = inner.exceptions
    return inner if isinstance(inner, SoftTimeLimitCancellation | EndCancellation) else error
