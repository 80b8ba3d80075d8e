"""An event loop in a thread of its own, for coroutines of lanes whose threads are busy with something else.

What a coroutine raises is no business of the loop's: SystemExit and KeyboardInterrupt would end it, and hang every other
coroutine of the child. Does not know: tasks.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("celeriac.worker")


def start_loop() -> asyncio.AbstractEventLoop:
    """Return a loop that runs. ``loop.call_soon_threadsafe(loop.stop)`` ends it, and its thread closes it then."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=_turn, args=(loop,), name="celeriac-lane-loop", daemon=True).start()
    return loop


def run_on(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Drive ``coroutine`` on a loop of another thread; return its result, or raise what it raised."""
    value, error = asyncio.run_coroutine_threadsafe(_contained(coroutine), loop).result()
    if error is not None:
        raise error
    return value


async def _contained(coroutine: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    try:
        return await coroutine, None
    except BaseException as error:
        return None, error


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    while not _turned(loop):
        pass
    loop.close()


def _turned(loop: asyncio.AbstractEventLoop) -> bool:
    """Run the loop; return whether it was stopped. A coroutine that a task began on its own may have thrown it over."""
    try:
        loop.run_forever()
    except (KeyboardInterrupt, SystemExit):
        log.exception("a coroutine tried to end the event loop of this child; the loop goes on")
        return False
    return True
