"""The seats of a lane that runs many tasks at once: taken by the fetching thread, left by whoever ran the task."""

from __future__ import annotations

import threading


class Seats:
    """``size`` seats. One thread takes them; any thread leaves them."""

    def __init__(self, size: int) -> None:
        self._free = list(range(size))[::-1]
        """Their numbers; the lowest is taken first, so that few are ever in use."""
        self._size = size
        self._change = threading.Condition()
        self._woken = False

    def take(self) -> int:
        """Take one; return its number, from 0."""
        with self._change:
            return self._free.pop()

    def leave(self, number: int) -> None:
        """Leave this one."""
        with self._change:
            self._free.append(number)
            self._change.notify()

    def free(self) -> int:
        """Return how many are free."""
        return len(self._free)

    def idle(self) -> bool:
        """Return whether all are free."""
        return len(self._free) == self._size

    def wait(self, seconds: float) -> None:
        """Wait so long, or until one is free, or ``wake``."""
        with self._change:
            self._change.wait_for(lambda: self._free or self._woken, timeout=seconds)

    def wake(self) -> None:
        """Let waits end: now, or within their time. No lock: a signal handler may have interrupted its holder."""
        self._woken = True
