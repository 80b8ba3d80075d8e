"""Errands: commands are carried out one after the other, and one that takes long does not hold up the next.

In a command's life: between hearing it and its answer. Order matters (add a queue, cancel it), so a command waits for the one
before it, but for a moment only: then that one goes on by itself, in its own thread. How many may do so is counted for each
kind, so that a command of a user's that hangs leaves the others their room. Does not know: what a command does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

log = logging.getLogger("celeriac.control")

PATIENCE_S: Final = 1.0
"""For so long a command is waited for."""
MOST: Final = 8
"""Commands of one kind that are under way at the same time."""


class Errands:
    """Carries out calls, in threads of its own, one at a time where that is possible."""

    def __init__(self, *, patience_s: float = PATIENCE_S, most: int = MOST) -> None:
        self._patience_s, self._most = patience_s, most
        self._idle: _Runner | None = None
        self._slow: list[tuple[str, _Runner]] = []

    def run(self, kind: str, errand: Callable[[], None]) -> bool:
        """Carry it out; return when it has ended, or has taken too long. ``False``: too many of its kind are under way."""
        self._slow = [(what, runner) for what, runner in self._slow if not runner.done.is_set()]
        if sum(what == kind for what, _ in self._slow) >= self._most:
            return False
        runner = self._idle or _Runner()
        self._idle = None
        if runner.carry_out(errand).wait(self._patience_s):
            self._idle = runner
        else:
            runner.send_off()
            self._slow.append((kind, runner))
        return True

    def close(self) -> None:
        """Begin nothing more."""
        if self._idle is not None:
            self._idle.send_off()
            self._idle = None


class _Runner:
    """One thread."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self._errands: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="celeriac-command", daemon=True).start()

    def carry_out(self, errand: Callable[[], None]) -> threading.Event:
        """Begin; return what is set at the end."""
        self.done.clear()
        self._errands.put(errand)
        return self.done

    def send_off(self) -> None:
        """End after what is under way."""
        self._errands.put(None)

    def _work(self) -> None:
        while (errand := self._errands.get()) is not None:
            try:
                errand()
            except Exception:
                log.exception("a command could not be carried out to its end", extra={"event": "command-failed"})
            self.done.set()
