"""An event loop in a thread of its own, for coroutines of lanes whose threads are busy with something else.

What a coroutine raises is no business of the loop's: SystemExit and KeyboardInterrupt would end it, and hang every other
coroutine of the child. A coroutine that does not let go of the loop is interrupted by an exception in the loop's thread.
Does not know: tasks, seats.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final

from celeriac.worker.lanes.asks import Ask
from celeriac.worker.lanes.coroutines import Errand, interruptible
from celeriac.worker.lanes.gate import Gate
from celeriac.worker.lanes.real import start_thread
from celeriac.worker.lanes.real_loop import make_loop

log = logging.getLogger("celeriac.worker")

_STUCK: Final = 5
"""After so many attempts to reach a coroutine through the loop somebody must be holding that up."""


def _wait(future: Future[Any]) -> None:
    future.exception()


class LoopThread:
    """The loop, its thread, and the errands that are under way."""

    def __init__(self, wait: Callable[[Future[Any]], None] = _wait) -> None:
        """Start it. ``wait``: returns when a future has its result; greenlets have ways of their own."""
        self._loop, self._wait = make_loop(), wait
        self._errands: dict[int, Errand] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate: Gate | None = None
        """``None``: the loop does not turn yet."""
        start_thread(self._turn, name="celeriac-lane-loop")

    def begin(self, tag: int, serve: Callable[[Errand], Coroutine[Any, Any, None]]) -> None:
        """Start a coroutine that ``serve`` makes and that raises nothing; its errand is over when it has called ``end``."""
        errand = self._errands[tag] = Errand(tag)
        self._loop.call_soon_threadsafe(self._start, errand, serve)

    def end(self, errand: Errand) -> None:
        """Forget an errand: it cannot be interrupted any more."""
        del self._errands[errand.tag]

    def drive(self, tag: int, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Drive a coroutine for a thread that waits for it; return its result, or raise what it raised."""
        errand = self._errands[tag] = Errand(tag)
        try:
            future = asyncio.run_coroutine_threadsafe(self._contained(errand, coroutine), self._loop)
            self._wait(future)
            value, error = future.result()
        finally:
            self.end(errand)
        if error is not None:
            raise error
        return value

    def interruptible(self, errand: Errand, coroutine: Coroutine[Any, Any, Any]) -> Awaitable[Any]:
        """Drive ``coroutine`` inside of another one, so that it can be interrupted, and return its result."""
        assert self._gate is not None  # the loop turns
        return interruptible(errand, coroutine, self._gate)

    def is_on(self, tag: int) -> bool:
        """Say whether the loop drives a coroutine for this run."""
        return tag in self._errands

    def throw(self, ask: Ask) -> None:
        """Interrupt the coroutine of this run. Any thread may call."""
        gate = self._gate
        if gate is not None and ask.times >= _STUCK and gate.is_inside(ask.tag):
            gate.throw(ask.tag, ask.error, claim=ask.claim)
        else:
            self._loop.call_soon_threadsafe(self._cancel, ask)

    def close(self) -> None:
        """Stop the loop; what still runs there is left to the end of the process."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _start(self, errand: Errand, serve: Callable[[Errand], Coroutine[Any, Any, None]]) -> None:
        task = self._loop.create_task(serve(errand))
        self._tasks.add(task)  # the loop itself keeps only weak references
        task.add_done_callback(self._tasks.discard)

    def _cancel(self, ask: Ask) -> None:
        errand, gate = self._errands.get(ask.tag), self._gate
        if errand is not None and errand.task is not None and gate is not None and gate.claimed(ask.claim):
            errand.cancel(ask)

    async def _contained(self, errand: Errand, coroutine: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
        try:
            return await self.interruptible(errand, coroutine), None
        except BaseException as error:
            return None, error

    def _turn(self) -> None:
        self._gate = Gate()
        while not self._turned():
            pass
        self._loop.close()

    def _turned(self) -> bool:
        """Run the loop; return whether it was stopped. A coroutine that a task began on its own may have thrown it over."""
        try:
            self._loop.run_forever()
        except (KeyboardInterrupt, SystemExit):
            log.exception("a coroutine tried to end the event loop of this child; the loop goes on")
            return False
        return True
