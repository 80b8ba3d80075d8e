"""Wait on the socket of a blocked command in such a way that a signal handler can end the wait.

One for each store. Does not know: what is waited for.
"""

from __future__ import annotations

import os
from contextlib import suppress

import redis

from celeriac.drivers import descriptors


class Waits:
    """The waits that are under way. ``interrupt`` ends them all; if there is none, the next one."""

    def __init__(self) -> None:
        self._bells: set[int] = set()
        self._missed = False

    def wait(self, connection: redis.Connection, seconds: float) -> bool:
        """Wait until the connection has something to read; ``False`` after an interrupt.

        Raises:
            TimeoutError: nothing came within ``seconds``.
        """
        sock = connection._sock  # redis-py's own can_read cannot watch a second descriptor
        if sock is None:
            raise OSError("the connection was closed meanwhile")
        heard, bell = os.pipe()
        # First in the set, then the look at the mark: an interrupt in between rings the bell.
        self._bells.add(bell)
        try:
            if self._missed:
                self._missed = False
                return False
            ready = descriptors.readable([sock.fileno(), heard], seconds)
            if not ready:
                raise TimeoutError(f"nothing came within {seconds:.0f} s")
            return heard not in ready
        finally:
            self._bells.discard(bell)
            os.close(bell)
            os.close(heard)

    def interrupt(self) -> None:
        """End every wait."""
        bells = list(self._bells)
        if not bells:
            self._missed = True
        for bell in bells:
            with suppress(OSError):  # the wait ended by itself meanwhile
                descriptors.write(bell, b"!")
