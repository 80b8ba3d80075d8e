"""The heart of a node: tells monitors that it is there, every two seconds, and when it comes and goes.

In a node's life: from the moment it is ready until it stops, unless ``--without-heartbeat``.
A thread of its own, so that neither hooks of users nor a broker that does not answer make it miss more than they must: a beat
that could not be said is not said later. Does not know: tasks, leases, which keep a node alive in the eyes of its store.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from celeriac.core.errors import OperationalError
from celeriac.events.dispatcher import Dispatcher

log = logging.getLogger("celeriac.worker")

_PATIENCE_S: Final = 2.0


def software(version: str) -> Mapping[str, Any]:
    """Return what a node says of the program that it runs."""
    return {"sw_ident": "celeriac", "sw_ver": version, "sw_sys": platform.system()}


class Heart:
    """Beats for one node."""

    def __init__(
        self, dispatcher: Dispatcher, *, software: Mapping[str, Any], business: Callable[[], tuple[int, int]], interval: float
    ) -> None:
        """Be ready to beat.

        Args:
            dispatcher: Says it.
            software: What it says of the program.
            business: Returns how many tasks run, and how many have ended.
            interval: Seconds between two beats.
        """
        self._dispatcher, self._software, self._business, self.interval = dispatcher, software, business, interval
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Say that the node is there, and beat from now on."""
        self._thread = threading.Thread(target=self._run, name="celeriac-heart", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say that the node goes; but do not wait for ever."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join(_PATIENCE_S)
            self._thread = None

    def _run(self) -> None:
        self._say("worker-online")
        while not self._stopping.wait(self.interval):
            self._say("worker-heartbeat")
        self._say("worker-offline")

    def _say(self, type: str) -> None:
        load = [round(load, 2) for load in os.getloadavg()]
        try:
            active, processed = self._business()
            work: dict[str, Any] = {"active": active, "processed": processed, "loadavg": load}
            self._dispatcher.send(type, freq=self.interval, **work, **self._software)
        except OperationalError as error:
            log.debug("no monitor hears %s: %s", type, error)
        except Exception:
            log.exception("%s could not be told to monitors", type)

    def __repr__(self) -> str:
        return f"<Heart: a beat every {self.interval:g} s>"
