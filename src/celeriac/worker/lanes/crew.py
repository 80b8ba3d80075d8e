"""Threads that run tasks: started when they are first needed, each with a gate through which its run can be interrupted.

In a job's life: a lane hands over an admitted request, a thread of the crew runs it. All of ``-P threads``, and the plain
functions of ``-P asyncio``. Does not know: seats, limits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from celeriac.worker.lanes.asks import Ask
from celeriac.worker.lanes.gate import Gate

log = logging.getLogger("celeriac.worker")

Work = Callable[[Gate], None]
"""Called in a thread of the crew, with its gate."""
_PATIENT: Final = 15
"""So often an interruption waits for a better moment."""


class Crew:
    """At most ``most`` threads. One thread hands over; work that finds no thread free waits."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._count = self._busy = 0
        self._change = threading.Lock()

    def do(self, work: Work) -> None:
        """Have a thread do it."""
        with self._change:
            self._busy += 1
            short = self._count < min(self._busy, self._most)
        if short:
            self._grow()
        self._work.put(work)

    def close(self) -> None:
        """Let the threads end when they have nothing to do."""
        for _ in range(self._count):
            self._work.put(None)

    def _grow(self) -> None:
        thread = threading.Thread(target=self._serve, name=f"celeriac-lane-{self._count}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system allows no more of them
            if self._count == 0:
                raise
            log.warning("this system allows no more than %d threads here: tasks wait for one", self._count)
            self._most = self._count
            return
        self._count += 1

    def _serve(self) -> None:
        gate = Gate()
        while (work := self._work.get()) is not None:
            try:
                work(gate)
            except BaseException:
                # A mistake of ours. The thread is to be there for the next one all the same.
                log.exception("a run could not be brought to its end")
            with self._change:
                self._busy -= 1


def throw_into(gate: Gate, ask: Ask) -> None:
    """Throw what is asked into the run that is inside of a gate, at a moment that does no harm if there is one soon."""
    if ask.times >= _PATIENT or not gate.is_delicate():
        gate.throw(ask.tag, ask.error, claim=ask.claim)
