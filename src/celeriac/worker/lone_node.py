"""A node that has no processes but its own (``-P solo``), as remote control steers it.

In a node's life: from its start to its end. What concerns its one run goes by way of its seat, as in every pool; there is nothing
to resize or replace. Does not know: commands, how a run hears what is asked of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from celeriac.abc import Lessee
from celeriac.worker.node import Doing
from celeriac.worker.os_signals import SOFT_LIMIT
from celeriac.worker.slots import Slot, mark_of
from celeriac.worker.stopping import Ask, Stopping


class LoneNode:
    """See ``Steered``."""

    count = most = 1

    def __init__(
        self, me: Lessee, slot: Slot, stopping: Stopping, *, wake: Callable[[], object], look: Callable[[], object]
    ) -> None:
        """Steer it.

        Args:
            me: In whose name it holds deliveries.
            slot: Where it says what it runs.
            stopping: Told of stops.
            wake: Has somebody look at ``stopping``.
            look: Has the main thread look at what its seat is asked.
        """
        self.id, self._me, self._slot, self._stopping = me.node, me, slot, stopping
        self._wake, self._look = wake, look

    def lessees(self) -> Sequence[Lessee]:
        """See ``Steered.lessees``."""
        return [self._me]

    def processes(self) -> Sequence[tuple[str, int]]:
        """See ``Steered.processes``."""
        return [(self._me.child, os.getpid())]

    def running(self) -> Sequence[Doing]:
        """See ``Steered.running``."""
        runs = [run for seat in self._slot.taken() if (run := seat.look()) is not None]
        return [Doing(self._me.child, os.getpid(), run.tag, run.id, run.since) for run in runs]

    def resize(self, count: int) -> None:
        """See ``Steered.resize``."""
        if count != 1:
            raise ValueError("a node of the solo pool has one process: its own")

    def restart_children(self, modules: Sequence[str] = (), *, reload: bool = False) -> None:
        """See ``Steered.restart_children``."""
        del modules, reload
        raise ValueError("a node of the solo pool has no process but its own: send it SIGHUP instead")

    def terminate(self, id: str, signum: int) -> bool:
        """See ``Steered.terminate``. The seat names the run that is meant, so no other can be hit."""
        mark = mark_of(id)
        for seat in self._slot.taken():
            run = seat.look()
            if run is not None and run.id == mark:
                if signum == SOFT_LIMIT:
                    seat.ask_soft(run.tag)
                else:
                    seat.ask_end(run.tag, signum)
                self._look()
                return True
        return False

    def stop(self, what: Ask, why: str) -> None:
        """See ``Steered.stop``."""
        self._stopping.ask(what, why)
        self._wake()
