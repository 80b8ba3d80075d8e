"""The standing orders of a node to its children: what an operator may change while they work.

In a node's life: the supervisor writes them, first before there is a child; a child compares one number before each fetch, and
reads them again when that has changed. In shared memory, made before the first child: one who can be asked nothing can still be
told something. Does not know: who orders, how a child that waits is woken.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable, Mapping

from msgspec import Struct, msgpack

SIZE = 1 << 20
"""Bytes; pages that nobody has touched cost nothing."""
_REVISION, _LENGTH = range(2)
_TEXT_AT = 16


class Orders(Struct, frozen=True):
    """What all children of a node are to do, beside what they were born with."""

    queues: tuple[str, ...]
    """Fetch from these."""
    task_events: bool = False
    """Tell monitors what happens to tasks."""
    rate_limits: Mapping[str, str | None] = {}
    """By name of a task: such as ``"10/m"`` for all children together. ``None``: no limit, whatever the task says of itself."""
    time_limits: Mapping[str, tuple[float | None, float | None]] = {}
    """By name of a task: soft and hard limit of a run, seconds. ``None``: no such limit, whatever the task says of itself."""


class OrderBook:
    """Holds the orders. One process writes, any reads."""

    def __init__(self, orders: Orders | None, *, memory: mmap.mmap | None = None) -> None:
        """Begin with ``orders``; ``None``: with those that ``memory`` holds already.

        ``memory``: of ``SIZE`` bytes. ``None``: some that forked children share.
        """
        self._memory = mmap.mmap(-1, SIZE) if memory is None else memory
        self._words: memoryview[int] = memoryview(self._memory)[:_TEXT_AT].cast("Q")
        self._one_at_a_time = threading.RLock()
        self.on_change: Callable[[], None] = _nothing
        """Called after each change, in the thread that made it."""
        if orders is not None:
            self.write(orders)

    @property
    def revision(self) -> int:
        """Another number after each change."""
        return self._words[_REVISION]

    def write(self, orders: Orders) -> None:
        """Replace the orders.

        Raises:
            ValueError: they do not fit; nothing has changed.
        """
        text = msgpack.encode(orders)
        if len(text) > SIZE - _TEXT_AT:
            raise ValueError(f"the orders of a node take at most {SIZE - _TEXT_AT} bytes, these {len(text)}")
        with self._one_at_a_time:
            self._words[_REVISION] += 1  # odd: whoever reads now waits
            self._words[_LENGTH] = len(text)
            self._memory[_TEXT_AT : _TEXT_AT + len(text)] = text
            self._words[_REVISION] += 1
        self.on_change()

    def amend(self, change: Callable[[Orders], Orders]) -> Orders:
        """Replace the orders by what ``change`` makes of them; return that. Nobody else changes them in between.

        Raises:
            ValueError: they do not fit; nothing has changed.
        """
        with self._one_at_a_time:
            orders = change(self.read()[1])
            self.write(orders)
        return orders

    def read(self) -> tuple[int, Orders]:
        """Return the orders and their revision."""
        while True:
            revision = self.revision
            text = self._memory[_TEXT_AT : _TEXT_AT + self._words[_LENGTH]]
            if revision % 2 == 0 and self.revision == revision:
                return revision, msgpack.decode(text, type=Orders)


def _nothing() -> None:
    """Nobody wants to know."""
