"""Stop a node that has no processes but its own (``-P solo``): a thread that hears of a stop while a task has the main one.

In a node's life: from its start to its end. Warm and soft are the child's own ``stop``; a cold stop hands the running task back
and ends the process under it. A task that holds the interpreter in a C call holds up this thread, too. Does not know: signals.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from celeriac.abc import Runtime
from celeriac.worker.stopping import Stage, Stopping

ROUND_S: Final = 0.1
"""How often the deadline of a stop is looked at."""
COLD: Final = 1
"""Exit code of a node whose tasks were stopped."""


class LoneStopper:
    """Carries out ``stopping``."""

    def __init__(
        self,
        stopping: Stopping,
        *,
        runtime: Runtime,
        is_busy: Callable[[], bool],
        on_stage: Callable[[float], None],
        finish: Callable[[], None],
        hand_back: Callable[[], None],
    ) -> None:
        """``finish``: no new work. ``hand_back``: give up what runs and say goodbye; the process ends after it."""
        self._stopping, self._runtime, self._is_busy = stopping, runtime, is_busy
        self._on_stage, self._finish, self._hand_back = on_stage, finish, hand_back
        # An Event would lock, and a second signal may come while the first one is noted.
        self._calls: SimpleQueue[bool] = SimpleQueue()
        self._closed = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="celeriac-stopper", daemon=True).start()

    def wake(self) -> None:
        """Look at what was asked. Safe in a signal handler."""
        self._calls.put(True)

    def close(self) -> None:
        """The loop has ended by itself: whatever is asked from now on comes too late."""
        self._closed.set()
        self._calls.put(True)

    def _run(self) -> None:
        self._calls.get()
        while not self._closed.is_set():
            now = self._runtime.monotonic()
            if self._stopping.advance(now, is_busy=self._is_busy):
                self._on_stage(now)
                if self._stopping.stage is Stage.COLD:
                    self._hand_back()
                    os._exit(COLD)
                self._finish()
            try:
                self._calls.get(timeout=ROUND_S)
            except Empty:
                continue
