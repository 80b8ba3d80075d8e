"""The node's thread for hooks of users: a slow one must hold up neither the lease, nor the limits, nor a stop.

In a node's life: from the moment it is ready until it stops. It also beats: ``heartbeat_sent``, while the store answers. It runs
only where somebody listens. Does not know: what it tells. What is told at the start and at the very end is told without it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from celeriac.abc import Runtime
from celeriac.app import signals
from celeriac.worker.plan import BEAT_S

log = logging.getLogger("celeriac.worker")

PATIENCE_S: Final = 2.0
"""How long a node that stops waits for the hooks that are under way."""


class Herald:
    """Sender of ``heartbeat_sent``."""

    def __init__(
        self, healthy: Callable[[], bool], runtime: Runtime, *, interval: float | None = BEAT_S, patience_s: float = PATIENCE_S
    ) -> None:
        """Be ready to tell.

        Args:
            healthy: Whether the store knows that this node is alive.
            runtime: Clocks.
            interval: Seconds between two heartbeats. ``None``: there are none.
            patience_s: How long ``stop`` waits.
        """
        self._patience_s = patience_s
        self._healthy, self._runtime = healthy, runtime
        self.interval = interval
        """Seconds between two heartbeats; ``None``: there are none."""
        self._news: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to beat, if anybody listens by now."""
        if self.interval is not None and signals.heartbeat_sent.receivers:
            self._begin()

    def tell(self, news: Callable[[], object]) -> None:
        """Have ``news`` called soon, in order. Any thread may call, and a signal handler."""
        self._news.put(news)
        self._begin()

    def stop(self) -> None:
        """Tell what there is to tell, and end; but do not wait for ever."""
        if self._thread is not None:
            self._news.put(None)
            self._thread.join(self._patience_s)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="celeriac-herald", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        due = self._runtime.monotonic()
        while True:
            wait_s = None if self.interval is None else max(0.0, due - self._runtime.monotonic())
            try:
                news = self._news.get(timeout=wait_s)
            except Empty:
                assert self.interval is not None
                due = self._runtime.monotonic() + self.interval
                news = self._beat
            if news is None:
                return
            try:
                news()
            except Exception:
                log.exception("telling a hook failed")

    def _beat(self) -> None:
        if signals.heartbeat_sent.receivers and self._healthy():
            signals.heartbeat_sent.send(self)

    def __repr__(self) -> str:
        return f"<Herald: a heartbeat every {self.interval} s>"
