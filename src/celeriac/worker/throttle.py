"""The dates of the next runs of limited task types, shared by all children of a node.

In a job's life: a child asks before a run of a limited type begins; ``rates`` says how it is reckoned. In shared memory, made
before the first child. A child may be killed at any moment: the lock is one of the system's, on a file without a name, which the
system opens when its holder dies. Does not know: which limits there are.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from struct import Struct as Layout
from typing import Final

from celeriac.worker import rates

_PLACES: Final = 4096
"""Task types that are told apart; those of one node that have a limit are far fewer."""
_ENTRY: Final = Layout("=QdQ")
"""Mark of the name (0: a free place), date, runs that have begun."""
SIZE: Final = _PLACES * _ENTRY.size


class Throttle:
    """For each task type the date of its next run, by the monotonic clock, which all processes of a machine share."""

    def __init__(self, *, memory: mmap.mmap | None = None, file: int | None = None) -> None:
        """Keep the dates in ``memory`` of ``SIZE`` bytes, and lock ``file``; ``None``: what forked children share."""
        self._memory = memory or mmap.mmap(-1, SIZE)
        if file is None:
            file, path = tempfile.mkstemp(prefix="celeriac-")
            os.unlink(path)
            weakref.finalize(self, os.close, file)
        self._file = file
        self._threads = threading.Lock()
        """The system's lock is held by a process, for all of its threads."""
        self._found: dict[str, int] = {}

    def begin(self, task: str, per_s: float, now: float) -> bool:
        """Note that a run begins; ``False``: it must not yet."""
        with self._locked():
            mark, date, begun = _ENTRY.unpack_from(self._memory, at := self._place(task))
            next_date = rates.begin(date, now, per_s)
            if next_date is None:
                return False
            _ENTRY.pack_into(self._memory, at, mark, next_date, begun + 1)
            return True

    def look(self, task: str) -> tuple[float, int]:
        """Return the date of the next run, and how many have begun."""
        with self._locked():
            _, date, begun = _ENTRY.unpack_from(self._memory, self._place(task))
            return date, begun

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _place(self, task: str) -> int:
        """Return where the entry of a type begins; a new one if need be."""
        if task not in self._found:
            digest = blake2b(task.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            mark = int.from_bytes(digest, "little") or 1
            for step in range(_PLACES):
                at = (mark + step) % _PLACES * _ENTRY.size
                known, _, _ = _ENTRY.unpack_from(self._memory, at)
                if known in {0, mark}:
                    break
            else:
                # More limited types than places: those that are too many share the first.
                at, known = 0, mark
            if known == 0:
                _ENTRY.pack_into(self._memory, at, mark, 0.0, 0)
            self._found[task] = at
        return self._found[task]
