"""One thread that does for many what each of them would block for: whatever has gathered is handled in one call.

In a job's life: behind the asyncio twins. Coroutines put things in and go on; the thread takes all that is there, hands it to one
blocking function, and each caller is told. It starts with the first thing, ends when nobody holds the gatherer any more, and
belongs to one process.
Does not know: what it handles, asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread
from typing import Any, Generic, TypeVar
from weakref import finalize, ref

T = TypeVar("T")


class Gatherer(Generic[T]):
    """Hands what has gathered to ``handle``, in the order of arrival, at most ``limit`` at a time."""

    def __init__(self, handle: Callable[[Sequence[T]], None], *, name: str, limit: int) -> None:
        """``handle`` blocks as long as it must, and does not raise."""
        self._handle, self._name, self._limit = handle, name, limit
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        # In this order: whoever puts something into the new queue finds no thread and starts one. The other way round it would
        # lie there, taken for the old thread's, until the next thing came, or for ever.
        self._thread: Thread | None = None
        self._queue: SimpleQueue[T | None] = SimpleQueue()

    def put(self, thing: T) -> None:
        """Hand one thing over; returns at once. Takes no lock: the garbage collector calls it, too."""
        queue = self._queue
        queue.put(thing)
        if queue is not self._queue:
            self._rescue(queue)
        if self._thread is None:
            self._start()

    def _rescue(self, queue: SimpleQueue[T | None]) -> None:
        """Take what lies in a queue that was closed meanwhile, maybe behind the end of its thread, to the one that is served."""
        closed = False
        while True:
            try:
                thing = queue.get_nowait()
            except Empty:
                break
            if thing is None:
                closed = True
            else:
                self._queue.put(thing)
        if closed:
            queue.put(None)  # for its thread, if that has not ended

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=_work, args=(self._queue, ref(self)), name=self._name, daemon=True)
                self._thread.start()
                # Without it a dropped app would live on in its threads.
                finalize(self, self._queue.put, None).atexit = False

    def close(self) -> None:
        """Handle what is there, then end the thread. The next thing starts another."""
        with self._lock:
            queue, thread = self._queue, self._thread
            self._forget()
        if thread is not None:
            queue.put(None)
            if thread is not current_thread():  # one of the things that it handles may close us
                thread.join()

    def abandon(self) -> None:
        """Forget the thread: it did not survive the fork."""
        self._lock = Lock()
        self._forget()


def _work(queue: SimpleQueue[Any], gatherer: ref[Gatherer[Any]]) -> None:
    """Handle what comes, until ``None`` does. While nothing comes, the thread keeps nothing alive."""
    going = True
    while going and (first := queue.get()) is not None:
        going = _handle_from(queue, first, gatherer())
        del first


def _handle_from(queue: SimpleQueue[Any], first: Any, gatherer: Gatherer[Any] | None) -> bool:
    """Handle one batch; say whether there will be another."""
    if gatherer is None:
        return False
    batch, more = [first], True
    while more and len(batch) < gatherer._limit:
        try:
            thing = queue.get_nowait()
        except Empty:
            break
        if thing is None:
            more = False
        else:
            batch.append(thing)
    gatherer._handle(batch)
    return more
