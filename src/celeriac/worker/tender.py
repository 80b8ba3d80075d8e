"""The tender: the child's second thread. It settles and gives back while the first is busy with a task.

In a job's life: beside it. In an inline child the main thread settles its own batches; when a run takes longer than a
batch, the tender settles what ended before it and gives back what waits behind it. In children of many slots every settlement is
its business. It sleeps for good while nothing arrives. Does not know: what a settlement means.
"""

from __future__ import annotations

import logging
import threading

from celeriac.abc import Runtime
from celeriac.core.errors import OperationalError
from celeriac.worker.appetite import BATCH_S
from celeriac.worker.child import Child

log = logging.getLogger("celeriac.worker")

_ROUND_S = 2 * BATCH_S
_QUIET_ROUNDS = 50
"""After so many rounds with nothing to do it sleeps until something arrives."""
_PAUSE_S = 0.5


class Tender:
    """Looks after one child."""

    def __init__(self, child: Child, *, concurrent: bool, runtime: Runtime) -> None:
        self._child, self._concurrent, self._runtime = child, concurrent, runtime
        self._arrival = threading.Event()
        self._awake = False
        child.on_arrival = self._wake
        self._thread = threading.Thread(target=self._tend, name="celeriac-tender", daemon=True)

    def start(self) -> None:
        """Begin; the thread ends with the process."""
        self._thread.start()

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            self._arrival.set()

    def _tend(self) -> None:
        while True:
            self._arrival.wait()
            self._arrival.clear()
            if self._concurrent:
                # Marked asleep before the flush: what arrives during it wakes the next round.
                self._awake = False
                self._attempt()
            else:
                self._watch()

    def _watch(self) -> None:
        quiet = 0
        while quiet < _QUIET_ROUNDS:
            self._runtime.sleep(_ROUND_S)
            began = self._child.begun_at
            if began is None:
                quiet += 1
                continue
            quiet = 0
            if self._child.has_loose_ends and self._runtime.monotonic() - began > _ROUND_S:
                self._child.give_back()
                self._attempt()
        self._awake = False
        if self._child.begun_at is not None:  # it began while we made up our mind
            self._wake()

    def _attempt(self) -> None:
        try:
            self._child.flush()
        except OperationalError as error:
            log.warning("%s; results are kept until it does", error, extra={"event": "store-lost"})
            self._runtime.sleep(_PAUSE_S)
            self._wake()
        except Exception:
            log.exception("the tender of this child failed; it goes on")
            self._runtime.sleep(_PAUSE_S)
            self._wake()
