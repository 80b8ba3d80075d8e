"""Greenlets by eventlet (``-P eventlet``), and the signals that Celery sends of that pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from eventlet import hubs

from celeriac.abc import Runtime
from celeriac.app import signals
from celeriac.worker.lanes import Finish
from celeriac.worker.lanes.greenlets import GreenletLane
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot


class Eventlet:
    """What the lane asks of eventlet."""

    def spawn(self, work: Callable[[], None]) -> None:
        """Start a greenlet."""
        eventlet.spawn(work)

    def current(self) -> Any:
        """Return the greenlet that runs."""
        return eventlet.getcurrent()

    def soon(self, act: Callable[[], None]) -> None:
        """Call it in the hub."""
        hubs.get_hub().schedule_call_global(0, act)

    def wait_until_readable(self, descriptor: int) -> None:
        """Let the others run until there is something to read."""
        hubs.trampoline(descriptor, read=True)

    def sleep(self, seconds: float) -> None:
        """Let the others run for so long."""
        eventlet.sleep(seconds)  # pyright: ignore[reportArgumentType] - it takes fractions, whatever it says


class EventletLane(GreenletLane):
    """``size`` slots, each a greenlet of eventlet. Source of the signals: Celery's page on signals."""

    def __init__(self, size: int, *, runtime: Runtime, slot: Slot) -> None:
        super().__init__(size, runtime=runtime, slot=slot, greens=Eventlet())
        signals.eventlet_pool_started.send(self)

    def run(self, request: Request, finish: Finish) -> None:
        """Hand it to a greenlet."""
        if signals.eventlet_pool_apply.receivers:
            context = request.context
            signals.eventlet_pool_apply.send(self, target=request.task.run, args=context.args, kwargs=context.kwargs)
        super().run(request, finish)

    def close(self) -> None:
        """End."""
        signals.eventlet_pool_preshutdown.send(self)
        super().close()
        signals.eventlet_pool_postshutdown.send(self)
