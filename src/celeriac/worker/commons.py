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


class Commons:
    """The shared memory of one node."""

    def __init__(self, app: Celery, plan: Plan, *, named: bool = False) -> None:
        """Make it. ``named``: fresh interpreters are to share it, not only forked children."""
        self.rooms = rooms_for(plan.children, plan.slots_per_child)
        self.names = sorted(app.tasks)
        """The tasks that are counted."""
        self.file = _open_file() if named else None
        """Where it is; ``None``: only forked children have it."""
        self._map(app, plan)
        self.book.write(first_orders(plan))

    @classmethod
    def inherited(cls, app: Celery, plan: Plan, *, file: int, rooms: int, names: Sequence[str]) -> Commons:
        """Return what another process has made."""
        commons = cls.__new__(cls)
        commons.file, commons.rooms, commons.names = file, rooms, list(names)
        commons._map(app, plan)
        return commons

    def _map(self, app: Celery, plan: Plan) -> None:
        self._taken = 0
        seats = plan.slots_per_child
        self.slots = Slots(self.rooms, seats, memory=self._take(Slots.size_of(self.rooms, seats)))
        self.book = OrderBook(None, memory=self._take(BOOK_SIZE))
        dates = Throttle(memory=self._take(THROTTLE_SIZE), file=self.file)
        self.limits = None if app.conf.settings().worker.disable_rate_limits else Limits(dates, app.runtime)
        self.tally = Tally(self.names, self.rooms, memory=self._take(Tally.size_of(len(self.names), self.rooms)))

    def _take(self, size: int) -> mmap.mmap:
        if self.file is None:
            return mmap.mmap(-1, size)
        offset, self._taken = self._taken, self._taken + -(-size // _GRAIN) * _GRAIN
        if os.fstat(self.file).st_size < self._taken:
            os.ftruncate(self.file, self._taken)
        return mmap.mmap(self.file, size, offset=offset)


def _open_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("celeriac")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
