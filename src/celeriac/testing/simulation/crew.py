"""Put nodes and children together from the worker's own parts, each with a line of its own to the store.

In a world's life: the fleet asks for a new one whenever one is born. Stands beside ``worker.assembly``, which does the same for
real processes. Does not know: when anybody is born or dies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from celeriac.abc import Lessee
from celeriac.app import errbacks
from celeriac.app.following import following
from celeriac.core import codecs, protocol
from celeriac.core.message import Address, Message, Outgoing
from celeriac.testing.simulation.app import SimulatedApp
from celeriac.testing.simulation.fate import Fate
from celeriac.testing.simulation.lane import SimulatedLane
from celeriac.testing.simulation.ledger import Ledger
from celeriac.testing.simulation.line import Line
from celeriac.testing.simulation.processes import Machine, Process
from celeriac.testing.simulation.report import Scale
from celeriac.testing.simulation.store import SimulatedStore
from celeriac.testing.simulation.tasks import the_tasks
from celeriac.testing.simulation.workload import QUEUES
from celeriac.worker.appetite import Appetite
from celeriac.worker.child import Child
from celeriac.worker.leases import Leases
from celeriac.worker.limiting import Limits, Releaser, limit_of
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.reading import Reader
from celeriac.worker.request import Request
from celeriac.worker.slots import Slots
from celeriac.worker.terms import Terms
from celeriac.worker.throttle import Throttle


class SimulatedNode(Process):
    """A supervisor, and the machine that its children share with it."""

    line: Line
    leases: Leases
    slots: Slots
    book: OrderBook
    limits: Limits

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, machine.name)
        self.children: dict[int, SimulatedChild] = {}
        self.generation = 0
        self.ticking = False
        self.told = False
        """It was asked to stop."""
        self.parting = False
        """Its children have ended, and its keeper has."""


class SimulatedChild(Process):
    """A child of a node."""

    child: Child

    def __init__(self, node: SimulatedNode, index: int, lessee: Lessee) -> None:
        super().__init__(node.machine, f"{lessee.node}/{lessee.child}")
        self.node, self.index, self.lessee = node, index, lessee
        self.running: Request | None = None
        self.idle_s = 0.01
        self.told = False


class Crew:
    """Makes nodes and children."""

    def __init__(self, store: SimulatedStore, ledger: Ledger, fate: Fate, app: SimulatedApp, scale: Scale) -> None:
        self._store, self._ledger, self._fate, self._runtime, self._scale = store, ledger, fate, app.runtime, scale
        tasks = {**app.tasks, **the_tasks(app)}
        self._reader = Reader(tasks, accept=codecs.content_types(["json"]), hostname="celery@world")
        self._terms = Terms(
            ttl_s=None,
            failure_ttl_s=None,
            chord_ttl_s=None,
            serializer="json",
            hostname="celery@world",
            stores_results=True,
            again=self._again,
            follow=partial(following, app),
            tell=partial(errbacks.told, app),
            calls=lambda errback: errbacks.is_called(errback, tasks),
        )

    def line(self, process: Process) -> Line:
        """Return a line to the store for this process."""
        return Line(self._store, process, self._fate.before, self._fate.after)

    def node(self, place: int, *, number: int) -> SimulatedNode:
        """Return a new node."""
        node = SimulatedNode(Machine(f"node-{place}.{number}", place))
        node.line = self.line(node)
        node.slots = Slots(self._scale.children)
        node.book = OrderBook(Orders(queues=tuple(QUEUES)))
        node.limits = Limits(Throttle(), self._runtime)
        node.leases = Leases(
            node.line,
            node=node.name,
            name=f"celery@{node.name}",
            queues=QUEUES,
            reader=self._reader,
            terms=self._terms,
            runtime=self._runtime,
            max_deliveries=self._scale.max_deliveries,
            lease_s=self._scale.lease_s,
            release=Releaser(
                node.line,
                limits=node.limits,
                limit_of=lambda task: limit_of(task, node.book.read()[1], self._reader.tasks),
                queues=lambda: QUEUES,
                runtime=self._runtime,
            ).release,
        )
        return node

    def child(
        self, node: SimulatedNode, index: int, *, while_it_runs: Callable[[SimulatedChild, Request, float], None]
    ) -> SimulatedChild:
        """Return a new child of ``node``, with a name that none had before."""
        process = SimulatedChild(node, index, Lessee(node.name, f"{index}.{node.generation}"))
        process.child = Child(
            store=self.line(process),
            lessee=process.lessee,
            book=node.book,
            lane=SimulatedLane(
                lessee=process.lessee,
                slot=node.slots[index],
                ledger=self._ledger,
                runtime=self._runtime,
                while_it_runs=lambda request, seconds: while_it_runs(process, request, seconds),
            ),
            reader=self._reader,
            appetite=Appetite(),
            terms=self._terms,
            runtime=self._runtime,
            max_deliveries=self._scale.max_deliveries,
            limits=node.limits,
        )
        return process

    def _again(self, message: Message, queue: str, address: Address | None = None, *, announce: bool = False) -> Outgoing:
        del announce  # nobody listens
        assert address is None  # no task here names another queue
        parcel = protocol.encode(message, now=self._runtime.now())
        return Outgoing(parcel=parcel, queue=queue, routing_key=queue, priority=message.priority, eta=message.eta)
