"""An event loop that holds up the thread it turns in, also where gevent or eventlet make everything wait in greenlets.

In a node's life: beside greenlets, for ``async def`` tasks. There the standard library's own selector would wait in a greenlet of
its thread, and threads for blocking calls would be greenlets that never get their turn. Does not know: what the loop drives.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from celeriac.worker.lanes.real import is_patched, original, start_thread

T = TypeVar("T")


def make_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop."""
    if not is_patched():
        return asyncio.new_event_loop()
    select = original("select")

    class Poll(selectors._PollLikeSelector):  # what selectors.PollSelector is made of
        _selector_cls, _EVENT_READ, _EVENT_WRITE = select.poll, select.POLLIN, select.POLLOUT

    loop = asyncio.SelectorEventLoop(Poll())
    loop.set_default_executor(_ThreadForEach())
    return loop


class _ThreadForEach(ThreadPoolExecutor):  # asyncio takes no other kind, and calls ``submit`` alone
    """A thread of the system for each call: for what coroutines do seldom, such as looking up the address of a host."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Call it in a thread."""
        future: Future[T] = Future()
        start_thread(partial(_fulfil, future, partial(fn, *args, **kwargs)), name="celeriac-lane-blocking")
        return future


def _fulfil(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
