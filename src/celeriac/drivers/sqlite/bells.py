"""Wake a process that waits: one socket in a folder beside the database for each waiting call.

In a job's life: a fetch that finds nothing writes the name of its bell into the database and waits here; the publish of the
next message reads the name and rings. A ring says nothing but "look": it may be lost or come twice without harm.
Does not know: who waits for what (``waiters.py``, ``watchers.py``).
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from enum import Enum
from typing import Final

from celeriac.abc import Runtime
from celeriac.core.errors import ImproperlyConfigured
from celeriac.drivers import descriptors
from celeriac.drivers.sqlite.files import make_private_folder

LONGEST_ADDRESS: Final = 100
"""Bytes that every system allows in the path of a socket."""
ANY_RING: Final = 64
NAME_LENGTH: Final = 18
"""Of an id: 15 hexadecimal digits of chance."""


class Ring(Enum):
    """Why a wait ended."""

    CALLED = "called"
    """There may be something for this waiter."""
    INTERRUPTED = "interrupted"
    TIMED_OUT = "timed out"


class Bell:
    """What one call waits for: a socket that others ring, and a pipe for signal handlers of this process."""

    def __init__(self, folder: BellFolder, name: str) -> None:
        self.name = name
        self._folder = folder
        self._socket = folder.listen(name)
        self._heard, self._pull = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._pull, False)

    def wait(self, seconds: float) -> Ring:
        """Wait for the first ring."""
        ready = descriptors.readable([self._socket.fileno(), self._heard], seconds)
        if self._heard in ready:
            self._hush_pipe()
            return Ring.INTERRUPTED
        if not ready:
            return Ring.TIMED_OUT
        self._hush_socket()
        return Ring.CALLED

    def interrupt(self) -> None:
        """End the wait. Safe in a signal handler."""
        # A full pipe rings already; a closed one belongs to a wait that has ended.
        with suppress(OSError):
            descriptors.write(self._pull, b"!")

    def is_lost(self) -> bool:
        """Say whether somebody has removed the socket, so that nobody can ring it any more."""
        return not os.path.exists(self._folder.address(self.name))

    def renew(self) -> None:
        """Listen again under the same name."""
        lost, self._socket = self._socket, self._folder.listen(self.name)
        lost.close()

    def hush(self) -> None:
        """Forget the rings of a wait that is over."""
        self._hush_pipe()
        self._hush_socket()

    def close(self, *, remove: bool = True) -> None:
        """Let go of it. In a forked child without removing the socket, which is the parent's."""
        if remove:
            with suppress(OSError):
                os.unlink(self._folder.address(self.name))
        self._socket.close()
        os.close(self._heard)
        os.close(self._pull)

    def _hush_pipe(self) -> None:
        with suppress(BlockingIOError):
            descriptors.read(self._heard, ANY_RING)

    def _hush_socket(self) -> None:
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(ANY_RING)


class BellFolder:
    """The folder with the sockets of all processes that use one database."""

    def __init__(self, database: str) -> None:
        self._path = f"{database}-bells"
        self._descriptor: int | None = None
        make_private_folder(self._path)
        self._prefix = self._path if self._fits(self._path) else self._short_path()
        self._ringer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ringer.setblocking(False)

    def address(self, name: str) -> str:
        """Return the path of a socket, short enough for the system."""
        return f"{self._prefix}/{name}"

    def listen(self, name: str) -> socket.socket:
        """Return a new socket under this name."""
        make_private_folder(self._path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listening.setblocking(False)
        try:
            listening.bind(self.address(name))
        except OSError:
            listening.close()
            raise
        return listening

    def ring(self, name: str) -> bool:
        """Ring a bell; ``False``: its process is gone, and what it left is removed."""
        address = self.address(name)
        try:
            self._ringer.sendto(b"!", address)
        except FileNotFoundError:
            return False
        except ConnectionRefusedError:
            with suppress(OSError):
                os.unlink(address)
            return False
        except OSError:
            # Mostly: it holds so many unheard rings that no more fit. It will look, at the latest with its next glance.
            return True
        return True

    def sweep(self) -> set[str]:
        """Remove the sockets of dead processes; return the names of the living."""
        living = set()
        for name in os.listdir(self._path):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
                try:
                    # Connecting a datagram socket sends nothing: the living do not notice.
                    probe.connect(self.address(name))
                    living.add(name)
                except ConnectionRefusedError:
                    with suppress(OSError):
                        os.unlink(self.address(name))
                except OSError:
                    continue
        return living

    def close(self) -> None:
        """Close what this process has opened here."""
        self._ringer.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _fits(self, folder: str) -> bool:
        return len(os.fsencode(folder)) + 40 <= LONGEST_ADDRESS

    def _short_path(self) -> str:
        """Return another way to the folder: Linux lets us go through an open descriptor of it."""
        if not os.path.isdir("/proc/self/fd"):
            raise ImproperlyConfigured(
                f"{self._path!r} is too long for the path of a socket: choose a database with a path of at most 50 characters"
            )
        self._descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._descriptor}"


class Bells:
    """The bells of one store object: lent to waiting calls, used again."""

    def __init__(self, folder: BellFolder, *, runtime: Runtime) -> None:
        self.folder = folder
        self._runtime = runtime
        self._idle: list[Bell] = []
        self._closed = False

    def take(self) -> Bell:
        """Return a bell that nobody else waits for."""
        # Not "while there are some": another thread may take the last one in between.
        with suppress(IndexError):
            while True:
                bell = self._idle.pop()
                if not bell.is_lost():
                    bell.hush()
                    return bell
                bell.close()
        return Bell(self.folder, self._runtime.new_id()[:NAME_LENGTH])

    def give_back(self, bell: Bell) -> None:
        """Keep a bell for the next wait."""
        if self._closed:
            bell.close()
        else:
            self._idle.append(bell)

    def close(self, *, remove: bool = True) -> None:
        """Close the bells that nobody waits for; the others when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close(remove=remove)
        self.folder.close()
