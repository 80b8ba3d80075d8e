"""Carry messages from queue to queue, on one broker or from one to another.

In a message's life: between two places where it waits. It is leased from its queue, sent to where it shall lie, and only then
given up: whoever carries may be killed at any moment, and the message is in one of the two places, or for once in both, under one
id. What stays behind is leased until all was looked at, and goes back in the order in which it lay. What waits for a date is
carried into the schedule of the other place. Results stay where they are. Does not know: brokers, what messages say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct

from celeriac.abc import HANDS, Broker, Lessee, Runtime
from celeriac.core import protocol
from celeriac.core.errors import LeaseExpired, OperationalError
from celeriac.core.message import Delivery, Message, Outgoing, Parcel, Rejected
from celeriac.core.settlement import Done, Requeue, Settlement

AT_ONCE: Final = 100
"""Messages carried in one step: so many may be in both places after a crash."""
GIVEN_BACK: Final = 1000
SIGN_S: Final = 1.0
"""A sign of life about so often."""


class Carried(Struct):
    """How far it has come."""

    seen: int = 0
    """Messages that were looked at."""
    carried: int = 0
    """Messages that were sent on."""
    unreadable: int = 0
    """Messages that cannot be understood: they stay where they are."""


Decide = Callable[[Delivery], Outgoing | None]
"""Say how a message goes on; ``None``: it stays."""


def carry(
    source: Broker,
    to: Broker,
    queues: Sequence[str],
    decide: Decide,
    *,
    runtime: Runtime,
    name: str = "celeriac@carry",
    copy: bool = False,
    limit: int | None = None,
    wait_s: float = 0.0,
    forever: bool = False,
    tell: Callable[[Delivery], object] | None = None,
) -> Carried:
    """Look at what waits in ``queues`` of ``source``, and at what is scheduled for them; send on what ``decide`` says.

    Args:
        source: Where the messages are.
        to: Where they go; may be ``source``.
        queues: Of ``source``.
        decide: Where each goes.
        runtime: Clock and ids.
        name: Whoever looks at the nodes of ``source`` meanwhile sees this.
        copy: What was sent on also stays.
        limit: Send on so many. ``None``: all.
        wait_s: End when nothing came for so many seconds.
        forever: Do not end, but wait for more.
        tell: Called for each message that was sent on.

    Raises:
        OperationalError: one of both did not answer; what was not sent on stays in ``source``.
    """
    carrier = _Carrier(source, to, queues, runtime, name)
    try:
        for batch in carrier.batches(wait_s, forever=forever):
            most = None if limit is None else limit - carrier.state.carried
            for delivery in carrier.send_on(batch, decide, most, copy=copy):
                if tell is not None:
                    tell(delivery)
            if limit is not None and carrier.state.carried >= limit:
                break
    finally:
        carrier.give_back()
    return carrier.state


def outgoing(delivery: Delivery, queue: str) -> Outgoing | None:
    """Return a delivery as a message for ``queue``, with its priority and its date; ``None``: it cannot be read."""
    parcel = delivery.parcel
    if isinstance(parcel, Rejected):
        return None
    priority = parcel.properties.get("priority")
    return Outgoing(
        parcel=parcel,
        queue=queue,
        routing_key=queue,
        priority=priority if isinstance(priority, int) else 0,
        eta=protocol.eta_in(parcel),
    )


def task_of(delivery: Delivery) -> str:
    """Return the name of the task that a delivery asks for; ``""``: that cannot be read."""
    if isinstance(delivery.parcel, Rejected):
        return ""
    return str(delivery.parcel.headers.get("task") or "") or getattr(_older(delivery.parcel), "task", "")


def id_of(delivery: Delivery) -> str:
    """Return the id of the task that a delivery asks for; ``""``: that cannot be read."""
    if isinstance(delivery.parcel, Rejected):
        return ""
    return str(delivery.parcel.headers.get("id") or "") or getattr(_older(delivery.parcel), "id", "")


def _older(parcel: Parcel) -> Message | None:
    """Return a message of Celery's older protocol, which has everything in its body."""
    found = protocol.decode(parcel, accept=frozenset({"application/json"}))
    return found if isinstance(found, Message) else None


class _Carrier:
    """One who carries: a node of ``source`` with one pair of hands."""

    def __init__(self, source: Broker, to: Broker, queues: Sequence[str], runtime: Runtime, name: str) -> None:
        self.state = Carried()
        self._source, self._to, self._queues, self._runtime, self._name = source, to, queues, runtime, name
        self._me = Lessee(f"{name}/{runtime.new_id()}", HANDS)
        self._signed: float | None = None
        self._kept: list[int] = []
        """Tags of what stays, as they lay there; not of what waits for a date."""
        self._open: list[int] = []
        """Tags of the batch in hand."""

    def batches(self, wait_s: float, *, forever: bool) -> Iterator[Sequence[Delivery]]:
        """Yield what waits, then what is scheduled, until nothing comes any more."""
        idle_since = self._runtime.monotonic()
        while True:
            deliveries = self._fetch(0.0)
            if not deliveries and self._source.hasten(self._queues):
                continue
            if not deliveries:
                left_s = SIGN_S if forever else wait_s - (self._runtime.monotonic() - idle_since)
                if left_s <= 0:
                    return
                deliveries = self._fetch(min(left_s, SIGN_S))
            if deliveries:
                self._open = [delivery.tag for delivery in deliveries]
                yield deliveries
                idle_since = self._runtime.monotonic()

    def send_on(self, batch: Sequence[Delivery], decide: Decide, most: int | None, *, copy: bool) -> list[Delivery]:
        """Send on what is to go, at most so many; return what went."""
        going: list[tuple[Delivery, Outgoing]] = []
        staying: list[Delivery] = []
        for delivery in batch:
            message = decide(delivery) if most is None or len(going) < most else None
            if message is not None:
                going.append((delivery, message))
            if message is None or copy:
                staying.append(delivery)
        self._to.publish([message for _, message in going])
        if not copy:
            self._source.settle([Settlement(tag=delivery.tag, fate=Done()) for delivery, _ in going], lessee=self._me)
        self._open = []
        self._kept += [delivery.tag for delivery in staying if not self._waits_for_a_date(delivery)]
        self.state.seen += len(batch)
        self.state.carried += len(going)
        self.state.unreadable += sum(isinstance(delivery.parcel, Rejected) for delivery in batch)
        return [delivery for delivery, _ in going]

    def give_back(self) -> None:
        """Put back what stays, and say goodbye. A source that does not answer finds out by itself."""
        with suppress(OperationalError):
            tags = [*self._kept, *self._open]
            # The last comes first to the front: so the first of them is the first again.
            for last in range(len(tags), 0, -GIVEN_BACK):
                self._live()
                some = tags[max(0, last - GIVEN_BACK) : last]
                self._source.settle([Settlement(tag=tag, fate=Requeue()) for tag in some], lessee=self._me)
            self._give_back_dated()
            self._source.leave(self._me.node)

    def _give_back_dated(self) -> None:
        """Put what waits for a date into the schedule, and what a fetch whose answer was lost may have leased into its queue."""
        other = Lessee(self._me.node, f"{HANDS}-2")
        while held := self._source.adopt(self._me, by=other, limit=GIVEN_BACK):
            self._live()
            self._source.settle([self._returned(delivery) for delivery in held], lessee=other)

    def _returned(self, delivery: Delivery) -> Settlement:
        again = outgoing(delivery, delivery.queue) if self._waits_for_a_date(delivery) else None
        if again is None:
            return Settlement(tag=delivery.tag, fate=Requeue())
        return Settlement(tag=delivery.tag, fate=Done(), followups=(again,))

    def _waits_for_a_date(self, delivery: Delivery) -> bool:
        date = None if isinstance(delivery.parcel, Rejected) else protocol.eta_in(delivery.parcel)
        return date is not None and date > self._runtime.now()

    def _fetch(self, wait_s: float) -> Sequence[Delivery]:
        self._live()
        try:
            return self._source.fetch(self._queues, lessee=self._me, limit=AT_ONCE, wait_s=wait_s).deliveries
        except LeaseExpired:  # such as after this machine slept
            self._signed = None
            return ()

    def _live(self) -> None:
        now = self._runtime.monotonic()
        if self._signed is None or now - self._signed >= SIGN_S:
            self._source.keep(self._me.node, name=self._name, info={"carries": list(self._queues)}, queues=[])
            self._signed = now


def to_queues(names: Mapping[str, str]) -> Decide:
    """Return a decision: everything goes to the queue that stands beside its own, or to one of the same name."""
    return lambda delivery: outgoing(delivery, names.get(delivery.queue, delivery.queue))
