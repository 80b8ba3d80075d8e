"""One child on a memory store under a virtual clock, and the words in which the tests of the worker speak."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from celeriac.abc import LEASE_S, Broker, Lessee, Runtime
from celeriac.app.arguments import Parameters
from celeriac.app.conduct import Conduct, conduct_of
from celeriac.app.context import Context
from celeriac.app.task import Task
from celeriac.core import codecs, protocol, taskmeta
from celeriac.core.message import Delivery, Message, Outgoing, Parcel, Rejected
from celeriac.core.settlement import Following, Settlement
from celeriac.core.taskmeta import TaskMeta
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import BEGINNING, VirtualRuntime
from celeriac.worker.appetite import Appetite
from celeriac.worker.child import Child
from celeriac.worker.lanes.inline import InlineLane
from celeriac.worker.leases import Leases
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.reading import Reader
from celeriac.worker.request import Request
from celeriac.worker.settlement import refuse
from celeriac.worker.settler import Settler
from celeriac.worker.slots import Slot, Slots
from celeriac.worker.terms import Terms

NODE = "node-1"
ME = Lessee(NODE, "0.1")


class PlainTask(Task[..., Any]):
    """A task without an app: what the settings would say is said here."""

    plain = True
    ignore_result = False
    store_errors_even_if_ignored = False
    track_started = False
    acks_late = False
    acks_on_failure_or_timeout = True
    acks_on_failure: bool | None = None
    acks_on_timeout: bool | None = None
    reject_on_worker_lost = None
    retry_on_worker_lost = None
    time_limit = None
    soft_time_limit = None
    rate_limit: str | float | None = None

    def conduct(self) -> Conduct:
        """It needs no app, and has no settings that could change."""
        return conduct_of(self)

    def __init__(self, function: Callable[..., Any], name: str = "shop.charge", **attributes: Any) -> None:
        self.name = name
        self.run = function  # type: ignore[method-assign]
        self._parameters = Parameters(function, bound=False)
        for attribute, value in attributes.items():
            setattr(self, attribute, value)


def a_message(id: str = "a", task: str = "shop.charge", **fields: Any) -> Message:
    return Message(id=id, task=task, **fields)


def a_parcel(message: Message, *, now: datetime = BEGINNING) -> Parcel:
    return protocol.encode(message, now=now)


def an_outgoing(message: Message, *, queue: str = "q", eta: datetime | None = None) -> Outgoing:
    return Outgoing(parcel=a_parcel(message), queue=queue, routing_key=queue, priority=message.priority, eta=eta)


def a_delivery(message: Message, *, tag: int = 1) -> Delivery:
    return Delivery(tag=tag, queue="q", parcel=a_parcel(message), raw=b"as it lay there")


def a_request(message: Message | None = None, task: Task[..., Any] | None = None, *, tag: int = 1) -> Request:
    message = message or a_message()
    task = task or PlainTask(lambda: None)
    return Request(a_delivery(message, tag=tag), message, task, Context(message), task.conduct())


def the_terms(**changes: Any) -> Terms:
    told: dict[str, Any] = {
        "ttl_s": 60.0,
        "failure_ttl_s": 90.0,
        "chord_ttl_s": 120.0,
        "serializer": "json",
        "hostname": "celery@test",
        "stores_results": True,
        "again": lambda message, queue, address=None, announce=False: an_outgoing(message, queue=queue, eta=message.eta),
        "follow": lambda stored, first, parent: Following(
            (an_outgoing(a_message(f"{stored['task']} after {parent.id}", args=tuple(first))),)
        ),
    }
    return Terms(**{**told, **changes})


def a_reader(*tasks: Task[..., Any]) -> Reader:
    known: Mapping[str, Task[..., Any]] = {task.name: task for task in tasks}
    return Reader(known, accept=codecs.content_types(["json"]), hostname="celery@test")


def a_settler(store: Broker) -> Settler:
    """Return one of ``ME``, none of whose deliveries brings the last part of a chord."""

    def refused(delivery: Delivery, why: Rejected, message: Message | None) -> Settlement:
        return refuse(delivery, why, message, now=BEGINNING, terms=the_terms())

    def joined(delivery: Delivery, message: Message) -> Settlement:
        raise AssertionError(f"{message.id} is the last of no chord, but of delivery {delivery.tag}")

    return Settler(store, ME, when_joined=joined, when_refused=refused)


class Bench:
    """A store, a node that is alive, and as many children as a test makes."""

    def __init__(self, *tasks: Task[..., Any]) -> None:
        self.runtime = VirtualRuntime(seed=1)
        self.store = MemoryStore(runtime=self.runtime)
        self.reader = a_reader(*tasks)
        self.terms = the_terms()
        self.slot: Slot = Slots(1)[0]
        self.book = OrderBook(Orders(queues=("q",)))
        self.keep()

    def keep(self, node: str = NODE) -> None:
        self.store.keep(node, name=node, info={}, queues=["q"])

    def child(self, *, appetite: Appetite | None = None, max_tasks: int | None = None, runtime: Runtime | None = None) -> Child:
        return Child(
            store=self.store,
            lessee=ME,
            book=self.book,
            lane=InlineLane(runtime=self.runtime, slot=self.slot),
            reader=self.reader,
            appetite=appetite or Appetite(),
            terms=self.terms,
            runtime=runtime or self.runtime,
            max_tasks=max_tasks,
        )

    def leases(
        self,
        *,
        node: str = NODE,
        lease_s: float = LEASE_S,
        on_lost: Callable[[Request, Exception], None] | None = None,
        on_terminated: Callable[[Request, int], None] | None = None,
    ) -> Leases:
        return Leases(
            self.store,
            node=node,
            name=f"celery@{node}",
            queues=["q"],
            reader=self.reader,
            terms=self.terms,
            runtime=self.runtime,
            lease_s=lease_s,
            on_lost=on_lost,
            on_terminated=on_terminated,
        )

    def send(self, *messages: Message, eta: datetime | None = None) -> None:
        self.store.publish([an_outgoing(message, eta=eta) for message in messages])

    def take(self, lessee: Lessee = ME, limit: int = 100) -> list[Delivery]:
        return list(self.store.fetch(["q"], lessee=lessee, limit=limit, wait_s=0).deliveries)

    def later(self, seconds: float) -> datetime:
        return self.runtime.now() + timedelta(seconds=seconds)

    def meta(self, id: str) -> TaskMeta:
        [body] = self.store.load([id])
        return TaskMeta(task_id=id) if body is None else taskmeta.decode(body)

    def states(self, *ids: str) -> Sequence[str]:
        return [self.meta(id).status for id in ids]

    def reasons(self) -> Sequence[str]:
        return [letter.reason for letter in self.store.dead_letters()]

    def waiting(self) -> int:
        return self.store.depth(["q"])[0]


def hungry() -> Appetite:
    """Return an appetite that has seen short runs: it takes whole batches."""
    appetite = Appetite()
    appetite.saw(0.00001)
    return appetite
