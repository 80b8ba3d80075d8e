"""Show what every thread of a node is doing, also of a child that answers nobody.

In a node's life: SIGUSR1. Each child has a handler in C, which writes its stacks even while its interpreter is held by a call
that does not come back; it writes into a pipe that was made before the first fork. The supervisor asks one child after the
other, in a thread of its own, and logs what comes. Does not know: what stands in a stack.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from celeriac.worker.os_signals import STACKS

log = logging.getLogger("celeriac.worker")

PATIENCE_S: Final = 1.0
"""How long to wait for the first word of a child; one that the machine does not let run says nothing."""
PAUSE_S: Final = 0.05
"""After so long without another word it has said all."""
BOUND: Final = 1_000_000
"""Bytes of one child; it has written some 100 lines for each of at most 100 threads."""


def answer_into(file: int) -> None:
    """Have this process write the stacks of all its threads into an open file when the signal comes."""
    faulthandler.register(STACKS, file=file, all_threads=True)


class Stacks:
    """The supervisor's end, made before the children are."""

    def __init__(self) -> None:
        self._heard, self._said = os.pipe()
        os.set_blocking(self._heard, False)
        # A child whose supervisor stands still must not wait for it inside a signal handler.
        os.set_blocking(self._said, False)
        self._busy = threading.Lock()

    @property
    def said(self) -> int:
        """The end of the pipe into which children write."""
        return self._said

    def answer(self) -> None:
        """In a process that is to be asked: write the stacks of all threads when the signal comes."""
        answer_into(self._said)

    def show(self, children: Callable[[], Sequence[tuple[str, int]]]) -> None:
        """Log the stacks of this process and of its children (names and pids); return at once. Safe in a signal handler."""
        threading.Thread(target=self._show, args=(children,), name="celeriac-stacks", daemon=True).start()

    def show_mine(self) -> None:
        """Log the stacks of this process, which has no children; return at once. Safe in a signal handler."""
        self.show(lambda: ())

    def of(self, pid: int) -> str:
        """Return the stacks of one child; empty if it did not answer."""
        self._read(0.0)  # what came too late the last time
        with suppress(ProcessLookupError):
            os.kill(pid, STACKS)
        return self._read(PATIENCE_S)

    def close(self) -> None:
        """Close this process's ends."""
        os.close(self._heard)
        os.close(self._said)

    def _show(self, children: Callable[[], Sequence[tuple[str, int]]]) -> None:
        if not self._busy.acquire(blocking=False):
            return  # they are being shown
        try:
            log.warning("stacks of the node (pid %d):\n%s", os.getpid(), own_stacks(), extra={"event": "stacks"})
            for name, pid in children():
                shown = self.of(pid) or f"  it did not answer within {PATIENCE_S:g} s"
                log.warning("stacks of child %s (pid %d):\n%s", name, pid, shown, extra={"event": "stacks"})
        except Exception:
            log.exception("the stacks could not be shown")
        finally:
            self._busy.release()

    def _read(self, patience_s: float) -> str:
        said = b""
        until = time.monotonic() + patience_s
        while len(said) < BOUND:
            ready, _, _ = select.select([self._heard], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                break
            with suppress(BlockingIOError):
                said += os.read(self._heard, 65536)
            until = time.monotonic() + PAUSE_S
        return said.decode(errors="replace").rstrip()


def own_stacks() -> str:
    """Return the stacks of this process's threads but the one that asks, with their names."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = []
    for ident, frame in sys._current_frames().items():
        if ident != threading.get_ident():
            parts.append(f"Thread {names.get(ident, ident)} (most recent call last):\n{''.join(traceback.format_stack(frame))}")
    return "\n".join(parts).rstrip()
