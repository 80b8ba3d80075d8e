"""Greenlets by gevent (``-P gevent``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import gevent.socket

from celeriac.abc import Runtime
from celeriac.worker.lanes.greenlets import GreenletLane
from celeriac.worker.slots import Slot


class Gevent:
    """What the lane asks of gevent."""

    def __init__(self) -> None:
        self._hub = gevent.get_hub()

    def spawn(self, work: Callable[[], None]) -> None:
        """Start a greenlet."""
        gevent.spawn(work)

    def current(self) -> Any:
        """Return the greenlet that runs."""
        return gevent.getcurrent()

    def soon(self, act: Callable[[], None]) -> None:
        """Call it in the hub."""
        self._hub.loop.run_callback(act)

    def wait_until_readable(self, descriptor: int) -> None:
        """Let the others run until there is something to read."""
        gevent.socket.wait_read(descriptor)

    def sleep(self, seconds: float) -> None:
        """Let the others run for so long."""
        gevent.sleep(seconds)


class GeventLane(GreenletLane):
    """``size`` slots, each a greenlet of gevent."""

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot) -> None:
        super().__init__(size, runtime=runtime, slot=slot, greens=Gevent())
