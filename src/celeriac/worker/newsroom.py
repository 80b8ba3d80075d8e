"""What a node tells monitors, and what it hears of other nodes, put together.

In a node's life: ``worker.start`` makes it; the supervisor has a ``Press``, each child an ``Emission`` on its own connection.
"""

from __future__ import annotations

from collections.abc import Callable

from celeriac import __version__
from celeriac.abc import Store
from celeriac.app.app import Celery
from celeriac.app.monitoring.whereabouts import here
from celeriac.events.courier import Courier
from celeriac.events.dispatcher import Dispatcher
from celeriac.worker.emitting import Emission
from celeriac.worker.gossip import Gossip
from celeriac.worker.heart import Heart, software
from celeriac.worker.orders import OrderBook
from celeriac.worker.plan import BEAT_S, Plan
from celeriac.worker.request import Request


def emission_of(app: Celery, plan: Plan, store: Store) -> Emission:
    """Return what tells of tasks in this process."""
    told, teller = app.settings.event, here(app, plan.hostname)
    courier = Courier(
        lambda: store.broadcast, app.runtime, exchange=told.exchange, serializer=told.serializer, hostname=plan.hostname
    )
    return Emission(courier, teller)


class Press:
    """What the supervisor of a node has to do with monitors."""

    def __init__(self, app: Celery, plan: Plan, store: Store, business: Callable[[], tuple[int, int]], book: OrderBook) -> None:
        """``business``: returns how many tasks run, and how many have ended."""
        told = app.settings.event
        self._plan, self._book, self._store = plan, book, store
        self._emission = emission_of(app, plan, store)
        self._dispatcher = Dispatcher(
            lambda: store.broadcast,
            here(app, plan.hostname),
            exchange=told.exchange,
            serializer=told.serializer,
            buffer_while_offline=False,
        )
        self.heart = Heart(
            self._dispatcher,
            software=software(__version__),
            business=business,
            interval=plan.heartbeat_s or BEAT_S,
        )
        """Tells that the node is there."""
        self._gossip = Gossip(
            lambda: store.broadcast,
            exchange=told.exchange,
            me=plan.hostname,
            clock=app.clock,
            accept={"json", told.serializer},
        )

    def start(self) -> None:
        """The node is ready."""
        if self._plan.heartbeat_s is not None:
            self.heart.start()
        if self._plan.gossip:
            self._gossip.start()

    def stop(self) -> None:
        """It has ended."""
        self._gossip.stop()
        self._emission.close()
        self.heart.stop()
        self._store.close()  # it was, before this had its last word

    @property
    def _tells(self) -> bool:
        return self._book.read()[1].task_events

    def failed(self, request: Request, error: Exception) -> None:
        """A task has failed without having ended."""
        if self._tells:
            self._emission.failed(request, error)

    def terminated(self, request: Request, signum: int) -> None:
        """An operator has had a task ended."""
        if self._tells:
            self._emission.terminated(request, signum)

    def goes_back(self, request: Request, handed_back: bool) -> None:
        """A task that ran goes back to its queue; ``handed_back``: its node stops at once, otherwise its process died."""
        if self._tells:
            self._emission.goes_back(request, handed_back)
