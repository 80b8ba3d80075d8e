"""State: what a command of remote control finds in a node, to ask and to change.

In a command's life: its first argument. Does not know: commands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from celeriac.abc import Store
from celeriac.app.app import Celery
from celeriac.worker.instance import Consumer
from celeriac.worker.known import Knowledge
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.steered import Autoscaling, Steered


class State:
    """What a command is handed. The first four names are Celery's."""

    def __init__(
        self,
        consumer: Consumer,
        node: Steered,
        book: OrderBook,
        store: Store,
        known: Knowledge,
        totals: Callable[[], Mapping[str, int]],
        seats: int = 1,
        autoscaler: Autoscaling | None = None,
    ) -> None:
        self.app: Celery = consumer.app
        self.hostname = consumer.hostname
        """Name of the node."""
        self.consumer = consumer
        self.tset: Callable[..., set[Any]] = set
        self.node = node
        """Its processes."""
        self.store = store
        self.known = known
        """What its children hold."""
        self._seats = seats
        self.totals = totals
        """How many tasks of each name its children have run."""
        self.began = self.app.runtime.monotonic()
        """When the node began, seconds of the monotonic clock."""
        self.autoscaler = autoscaler
        """Who chooses how many processes there are. ``None``: nobody but commands."""
        self._book = book

    @property
    def concurrency(self) -> int:
        """How many tasks its children run at a time, all together."""
        return self.node.count * self._seats

    @property
    def orders(self) -> Orders:
        """What all children are to do."""
        return self._book.read()[1]

    def order(self, change: Callable[[Orders], Orders]) -> None:
        """Change it. They hear of it at once."""
        self._book.amend(change)
