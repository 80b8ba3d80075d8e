"""One thread that does for many what each of them would block for: whatever has gathered is handled in one call.

In a job's life: behind the asyncio twins. Coroutines put things in and go on; the thread takes all that is there, hands it to one
blocking function, and each caller is told. It starts with the first thing and belongs to one process.
Does not know: what it handles, asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Gatherer(Generic[T]):
    """Hands what has gathered to ``handle``, in the order of arrival, at most ``limit`` at a time."""

    def __init__(self, handle: Callable[[Sequence[T]], None], *, name: str, limit: int) -> None:
        """``handle`` blocks as long as it must, and does not raise."""
        self._handle, self._name, self._limit = handle, name, limit
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self._thread: Thread | None = None

    def put(self, thing: T) -> None:
        """Hand one thing over; returns at once."""
        self._queue.put(thing)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, args=(self._queue,), name=self._name, daemon=True)
                self._thread.start()

    def _work(self, queue: SimpleQueue[T | None]) -> None:
        while True:
            first = queue.get()
            if first is None:
                return
            batch, stop = [first], False
            while len(batch) < self._limit:
                try:
                    thing = queue.get_nowait()
                except Empty:
                    break
                if thing is None:
                    stop = True
                    break
                batch.append(thing)
            self._handle(batch)
            if stop:
                return

    def close(self) -> None:
        """Handle what is there, then end the thread. The next thing starts another."""
        with self._lock:
            queue, thread = self._queue, self._thread
            self._forget()
        if thread is not None:
            queue.put(None)
            thread.join()

    def abandon(self) -> None:
        """Forget the thread: it did not survive the fork."""
        self._lock = Lock()
        self._forget()
