"""The supervisor's thread for everything that asks the store.

In a node's life: from its start to its end, beside the loop that watches processes, which a store that does not answer must not
hold up. Does not know: processes, limits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from celeriac.abc import Broker, Runtime
from celeriac.core.errors import OperationalError
from celeriac.worker.leases import Leases

log = logging.getLogger("celeriac.worker")

_PAUSE_S: Final = 1.0


class Keeper:
    """Keeps the lease, and buries the dead."""

    def __init__(self, leases: Leases, broker: Broker, runtime: Runtime, *, then: Callable[[], object] | None = None) -> None:
        """``then``: called after each sign of life, in this thread; it may ask the store."""
        self._leases, self._broker, self._runtime, self._then = leases, broker, runtime, then
        self._stopping = False
        self.healthy = True
        """Whether the store has answered when it was last asked; a node registers before it has a keeper."""
        self._thread = threading.Thread(target=self._keep, name="celeriac-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that."""
        self._stopping = True
        self._broker.interrupt()
        if self._thread.ident is not None:
            self._thread.join(6.0)

    def _keep(self) -> None:
        silent_since: float | None = None
        while not self._stopping:
            try:
                doze_s = self._leases.tick()
                self.healthy = True
                if silent_since is not None:
                    log.info("the store answers again after %.1f s", self._runtime.monotonic() - silent_since)
                    silent_since = None
                if self._then is not None:
                    self._then()
                if not self._leases.has_dead and not self._stopping:
                    self._broker.doze(doze_s)
            except OperationalError as error:
                self.healthy = False
                if silent_since is None:
                    silent_since = self._runtime.monotonic()
                    log.warning("%s; this node's lease runs until it does", error, extra={"event": "store-lost"})
                self._runtime.sleep(_PAUSE_S)
            except Exception:
                log.exception("the keeper of this node failed; it goes on")
                self._runtime.sleep(_PAUSE_S)
