"""Tell whoever started this program how it is: systemd through its socket, the command that detached it through a pipe.

In a node's life: from ready to stopped, and beats between. Where nobody asked to be told, nothing happens. A message that does
not arrive is not worth stopping for. Does not know: nodes. Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

READY_VARIABLE: Final = "CELERIAC_READY_FD"
"""Environment: a pipe to whoever waits until this program is ready."""
SOCKET_VARIABLE: Final = "NOTIFY_SOCKET"
"""Environment: systemd's socket, a path or an abstract name that begins with ``@``."""
_WATCHDOG_VARIABLES: Final = ("WATCHDOG_USEC", "WATCHDOG_PID")


class Overseer:
    """Who wants to know of this process."""

    def __init__(self) -> None:
        """Take it from the environment, where systemd and ``--detach`` leave it."""
        self._address = os.environ.get(SOCKET_VARIABLE, "")
        self._watchdog_s = _watchdog_s()
        self._ended = threading.Event()

    def ready(self, status: str) -> None:
        """It works from now on; ``status``: for people."""
        self._tell(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")
        # Once: a program that begins again finds a pipe that nobody reads.
        if (number := os.environ.pop(READY_VARIABLE, None)) is not None:
            with suppress(OSError, ValueError):
                os.write(int(number), b"1")
                os.close(int(number))

    def stopping(self, status: str) -> None:
        """It ends."""
        self._tell(f"STOPPING=1\nSTATUS={status}")

    def reloading(self, status: str) -> None:
        """It begins again, as the same process."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}\nSTATUS={status}")

    def watch(self, lives: Callable[[], bool]) -> None:
        """From now on say that it lives as often as systemd wants to hear it, while ``lives()``. Call after the forks."""
        if self._address and self._watchdog_s:
            threading.Thread(target=self._beat, args=(lives, self._watchdog_s / 2), name="celeriac-watchdog", daemon=True).start()

    def close(self) -> None:
        """Beat no more."""
        self._ended.set()

    def _beat(self, lives: Callable[[], bool], pause_s: float) -> None:
        while True:
            if lives():
                self._tell("WATCHDOG=1")
            if self._ended.wait(pause_s):
                return

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        name = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.settimeout(1.0)
            line.sendto(text.encode(), name)


def forget_overseer() -> None:
    """In a child: what its tasks start must not speak for this program."""
    for name in (SOCKET_VARIABLE, READY_VARIABLE, *_WATCHDOG_VARIABLES):
        os.environ.pop(name, None)


def _watchdog_s() -> float:
    with suppress(ValueError):
        if os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            return int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    return 0.0
