"""Run a scheduler in the main thread of a process until a signal ends it: that of ``beat``, or one beside a node.

In a tick's life: around the loop. Does not know: options, logs.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from typing import Any

from celeriac.app.overseer import Overseer
from celeriac.beat.choosing import Scheduling, scheduling_of
from celeriac.cli.store_urls import store_urls

log = logging.getLogger("celeriac.beat")


def run(chosen: Scheduling) -> int:
    """Run it until it is told to stop, and tell whoever started this program how it is; return the exit code."""
    _hear(chosen.stop)
    overseer = Overseer()
    log.info("beat: Starting...")
    chosen.run(on_ready=lambda: overseer.ready("looking at the timetable"))
    log.info("beat: Shutting down...")
    overseer.stopping("it was told to stop")
    return 0


def warn_of_memory(app: Any) -> None:
    """Say that nobody gets what is sent, where the broker is the memory of this process."""
    broker, _ = store_urls(app)
    if broker.startswith("memory:"):
        log.warning("beat: memory:// lives in one process: no worker gets what is sent here")


def run_beside(app: Any, *, scheduler: str | None, file: str | None) -> int:
    """Run the scheduler of a node's app until the node ends; return the exit code."""
    warn_of_memory(app)
    chosen = scheduling_of(app, scheduler=scheduler, file=file, max_interval_s=None)
    _hear(chosen.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the node, too, which says when to end
    chosen.run(embedded=True)
    return 0


def _hear(stop: Callable[[], None]) -> None:
    """Stop after the look that is under way at the first SIGTERM or Ctrl-C; at the second, at once."""

    def heard(number: int, frame: object) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)
        stop()

    signal.signal(signal.SIGTERM, heard)
    signal.signal(signal.SIGINT, heard)
