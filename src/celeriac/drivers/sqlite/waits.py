"""The waits of one process that are under way, and how a signal handler ends them.

In a job's life: between a fetch that found nothing and the next message. Does not know: queues, the database.
"""

from __future__ import annotations

from celeriac.drivers.sqlite.bells import Bell, Ring


class Waits:
    """``interrupt`` ends all waits; if there is none, the next one."""

    def __init__(self) -> None:
        self._waiting: set[Bell] = set()
        self._interrupted = False

    def wait(self, bell: Bell, seconds: float) -> Ring:
        """Wait for ``bell`` so long."""
        # First among the waiting, then the look at the mark: a signal handler that strikes in between rings the bell.
        self._waiting.add(bell)
        try:
            if self._interrupted:
                self._interrupted = False
                return Ring.INTERRUPTED
            return bell.wait(seconds)
        finally:
            self._waiting.discard(bell)

    def interrupt(self) -> None:
        """End every wait. Takes no lock: the interrupted thread may hold it."""
        waiting = tuple(self._waiting)
        if not waiting:
            self._interrupted = True
        for bell in waiting:
            bell.interrupt()
