"""The seats of a lane that runs many tasks at once: taken by the fetching thread, left by whoever ran the task."""

from __future__ import annotations

import threading


class Seats:
    """``size`` seats. One thread takes them; any thread leaves them."""

    def __init__(self, size: int) -> None:
        self._size, self._taken = size, 0
        self._change = threading.Condition()
        self._woken = False

    def take(self) -> int:
        """Take one; return how many are taken now."""
        with self._change:
            self._taken += 1
            return self._taken

    def leave(self) -> None:
        """Leave one."""
        with self._change:
            self._taken -= 1
            self._change.notify()

    def free(self) -> int:
        """Return how many are free."""
        return self._size - self._taken

    def idle(self) -> bool:
        """Return whether all are free."""
        return self._taken == 0

    def wait(self, seconds: float) -> None:
        """Wait so long, or until one is free, or ``wake``."""
        with self._change:
            self._change.wait_for(lambda: self._taken < self._size or self._woken, timeout=seconds)

    def wake(self) -> None:
        """Let waits end: now, or within their time. No lock: a signal handler may have interrupted its holder."""
        self._woken = True
