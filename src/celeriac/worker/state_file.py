"""A file that remembers which tasks are revoked, from one life of a node to the next (``--statedb``).

In a node's life: read before it serves, written when something was revoked and when it ends. The store remembers by itself; the
file is for stores that forget (another server, an emptied one) and for programs that expect it. JSON, replaced in one step;
Celery's own format runs code when it is read, and is refused. Does not know: who revokes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.rules import REVOKED_AT_MOST

log = logging.getLogger("celeriac.worker")

LARGEST: Final = 64 << 20
"""Bytes of a file that is read."""


class Remembered(msgspec.Struct, frozen=True):
    """What the file holds."""

    revoked: list[str] = []
    """Ids of tasks that must not start."""
    clock: int = 0
    """The logical clock of the node when it was written."""


class StateFile:
    """One file. Nobody else writes it while the node lives."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._last: bytes | None = None

    def read(self) -> Remembered:
        """Return what it holds; nothing, if there is no file yet.

        Raises:
            ImproperlyConfigured: it is not ours, or cannot be read.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return Remembered()
        except OSError as error:
            raise ImproperlyConfigured(f"worker_state_db: cannot read {str(self._path)!r}: {error.strerror}") from error
        with open(descriptor, "rb") as file:
            data = file.read(LARGEST)
        try:
            return msgspec.json.decode(data, type=Remembered)
        except msgspec.DecodeError as error:
            raise ImproperlyConfigured(
                f"worker_state_db: {str(self._path)!r} is not a state file of this program: name one that is not there yet"
            ) from error

    def write(self, revoked: Iterable[str], clock: int) -> None:
        """Replace what it holds. A disk that is full costs the file, not the node."""
        data = msgspec.json.encode(Remembered(sorted(revoked)[-REVOKED_AT_MOST:], clock))
        if data == self._last:
            return
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            log.error("the state of this node cannot be written to %s: %s", self._path, error)
            with suppress(OSError):
                beside.unlink()
        else:
            self._last = data
