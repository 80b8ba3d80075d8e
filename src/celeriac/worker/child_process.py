"""A child as its supervisor sees it: a process that can be sent signals, and be struck at one moment and no other.

In a node's life: from the report of a child's birth to its burial. A process id may pass to a stranger once its owner is gone;
where the system has handles of processes (Linux), signals go through one, and can reach nobody else. Does not know: why anybody
is signalled.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final

STANDS_WITHIN_S: Final = 0.05
"""How long a stopped process may take to stand; the scheduler needs far less, an uninterruptible call any time."""
_LOOK_S: Final = 0.0002


class Blow(Enum):
    """What came of a ``strike``."""

    KILLED = "killed"
    SPARED = "spared"
    """It was doing something else already, or had ended."""
    MISSED = "missed"
    """It did not come to a stand: it waits for the kernel. It goes on as if nothing had been tried."""


class ChildProcess:
    """One process, from its start to its burial."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None
        if sys.platform == "linux":
            with suppress(OSError):  # it has ended already, or this kernel is older than 5.3
                self._handle = os.pidfd_open(pid)

    def send(self, signum: int) -> None:
        """Send a signal; nothing happens if the process has ended."""
        with suppress(ProcessLookupError):
            if self._handle is not None and sys.platform == "linux":
                signal.pidfd_send_signal(self._handle, signum)
            else:
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self.send(signal.SIGKILL)

    def strike(self, still_meant: Callable[[], bool]) -> Blow:
        """Kill it if, while it stands still, ``still_meant`` says so; otherwise let it go on.

        A process that has been told to stop may run a little longer, and end the task that is meant and begin another one. So
        its stand is waited for, and only then is asked. Where the system does not show whether a process stands (other than
        Linux), a moment is waited instead.
        """
        self.send(signal.SIGSTOP)
        try:
            if not self._comes_to_a_stand():
                return Blow.MISSED
            if not still_meant():
                return Blow.SPARED
            self.kill()
            return Blow.KILLED
        finally:
            self.send(signal.SIGCONT)  # after a SIGKILL it changes nothing

    def close(self) -> None:
        """Let the handle go; the process has ended."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _comes_to_a_stand(self) -> bool:
        if sys.platform != "linux":
            time.sleep(STANDS_WITHIN_S)
            return True
        until = time.monotonic() + STANDS_WITHIN_S
        while True:
            try:
                state = state_of(self.pid)
            except OSError:  # gone, and buried by its parent
                return True
            if state in "TtZX":
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK_S)


def state_of(pid: int) -> str:
    """Return the letter of a process's state, on Linux: ``R`` runs, ``T`` stands, ``D`` waits for the kernel, ``Z`` has ended.

    Raises:
        OSError: there is no such process.
    """
    with open(f"/proc/{pid}/stat", "rb") as file:
        # The name of the program stands before it in brackets, and may hold anything.
        return file.read().rpartition(b")")[2].split()[0].decode()
