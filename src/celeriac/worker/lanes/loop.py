"""An event loop in a thread of its own, for coroutines of lanes whose threads are busy with something else.

Does not know: tasks.
"""

from __future__ import annotations

import asyncio
import threading


def start_loop() -> asyncio.AbstractEventLoop:
    """Return a loop that runs. ``loop.call_soon_threadsafe(loop.stop)`` ends it, and its thread closes it then."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=_turn, args=(loop,), name="celeriac-lane-loop", daemon=True).start()
    return loop


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
