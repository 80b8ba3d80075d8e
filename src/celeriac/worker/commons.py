"""What all processes of a node share: the slots of its children, their orders, the dates of limited tasks, the counts.

In a node's life: made before the first child. Forked children have it by being forked; a fresh interpreter inherits an open file
without a name, and maps the same parts of it in the same order. Does not know: what stands in the parts.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence
from typing import Final

from msgspec import json

from celeriac.app.app import Celery
from celeriac.worker.assembly import first_orders
from celeriac.worker.limiting import Limits
from celeriac.worker.orders import SIZE as BOOK_SIZE
from celeriac.worker.orders import OrderBook
from celeriac.worker.plan import Plan
from celeriac.worker.slots import Slots, rooms_for
from celeriac.worker.tally import Tally
from celeriac.worker.throttle import SIZE as THROTTLE_SIZE
from celeriac.worker.throttle import Throttle

_GRAIN: Final = mmap.ALLOCATIONGRANULARITY
_LENGTH: Final = 8


class Commons:
    """The shared memory of one node."""

    def __init__(self, app: Celery, plan: Plan, *, named: bool = False) -> None:
        """Make it. ``named``: fresh interpreters are to share it, not only forked children."""
        most, _ = plan.autoscale or (0, 0)
        self.rooms = rooms_for(max(plan.children, most), plan.slots_per_child)
        self.names: Sequence[str] = sorted(app.tasks)
        """The tasks that are counted."""
        self.file = _open_file() if named else None
        """Where it is; ``None``: only forked children have it."""
        self._taken = 0 if self.file is None else _write_first(self.file, json.encode(self.names))
        self._map(app, plan)
        self.book.write(first_orders(plan))

    @classmethod
    def inherited(cls, app: Celery, plan: Plan, *, file: int, rooms: int) -> Commons:
        """Return what another process has made."""
        commons = cls.__new__(cls)
        commons.file, commons.rooms = file, rooms
        text, commons._taken = _read_first(file)
        commons.names = json.decode(text, type=list[str])
        commons._map(app, plan)
        return commons

    def _map(self, app: Celery, plan: Plan) -> None:
        seats = plan.slots_per_child
        self.slots = Slots(self.rooms, seats, memory=self._take(Slots.size_of(self.rooms, seats)))
        self.book = OrderBook(None, memory=self._take(BOOK_SIZE))
        dates = Throttle(memory=self._take(THROTTLE_SIZE), file=self.file)
        self.limits = None if app.conf.settings().worker.disable_rate_limits else Limits(dates, app.runtime)
        self.tally = Tally(self.names, self.rooms, memory=self._take(Tally.size_of(len(self.names), self.rooms)))

    def _take(self, size: int) -> mmap.mmap:
        if self.file is None:
            return mmap.mmap(-1, size)
        offset, self._taken = self._taken, self._taken + _whole(size)
        if os.fstat(self.file).st_size < self._taken:
            os.ftruncate(self.file, self._taken)
        return mmap.mmap(self.file, size, offset=offset)


def _whole(size: int) -> int:
    """Return the size of a part that others may follow."""
    return -(-size // _GRAIN) * _GRAIN


def _write_first(file: int, text: bytes) -> int:
    """Write what stands before all parts; return where they begin. The environment of a process would not hold every app's
    tasks."""
    os.pwrite(file, len(text).to_bytes(_LENGTH, "little") + text, 0)
    return _whole(_LENGTH + len(text))


def _read_first(file: int) -> tuple[bytes, int]:
    length = int.from_bytes(os.pread(file, _LENGTH, 0), "little")
    return os.pread(file, length, _LENGTH), _whole(_LENGTH + length)


def _open_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("celeriac")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
