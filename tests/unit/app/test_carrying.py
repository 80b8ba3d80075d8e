"""Messages are carried from queue to queue: none is lost, none changes, what stays stays as it lay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from celeriac.abc import Lessee
from celeriac.app.carrying import carry, id_of, outgoing, task_of, to_queues
from celeriac.core import protocol
from celeriac.core.errors import BrokerUnreachable
from celeriac.core.message import Delivery, Message, Outgoing, Parcel
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime

ME = Lessee("reader", "0.1")
ALL = to_queues({})


class Full(MemoryStore):
    """A broker that takes so many batches, and then none."""

    batches = 0

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = 5.0) -> None:
        if self.batches == 0:
            raise BrokerUnreachable("it has gone")
        self.batches -= 1
        super().publish(messages, deadline_s=deadline_s)


@pytest.fixture
def runtime() -> VirtualRuntime:
    return VirtualRuntime()


@pytest.fixture
def source(runtime: VirtualRuntime) -> MemoryStore:
    return MemoryStore(runtime=runtime)


@pytest.fixture
def there(runtime: VirtualRuntime) -> MemoryStore:
    return MemoryStore(runtime=runtime)


def a_message(
    id: str, *, queue: str = "celery", task: str = "shop.add", in_s: float | None = None, priority: int = 0
) -> Outgoing:
    eta = None if in_s is None else VirtualRuntime().now() + timedelta(seconds=in_s)
    parcel = protocol.encode(Message(id=id, task=task, args=(2, 3), eta=eta, priority=priority), now=VirtualRuntime().now())
    return Outgoing(parcel=parcel, queue=queue, routing_key=queue, priority=priority, eta=eta)


def read(store: MemoryStore, *queues: str) -> list[Delivery]:
    store.keep(ME.node, name="reader", info={}, queues=[])
    found: list[Delivery] = []
    while some := store.fetch(queues or ("celery",), lessee=ME, limit=1000, wait_s=0).deliveries:
        found += some
    return found


def test_all_of_a_queue_is_moved_as_it_was_and_in_order(source: MemoryStore, there: MemoryStore, runtime: VirtualRuntime) -> None:
    sent = [a_message(f"id-{number}", priority=number % 4) for number in range(250)]
    source.publish(sent)

    state = carry(source, there, ["celery"], ALL, runtime=runtime)

    arrived = read(there)
    assert (state.seen, state.carried, source.depth(["celery"])) == (250, 250, [0])
    assert [id_of(one) for one in arrived] == [one.id for one in sorted(sent, key=lambda one: one.priority)]
    assert isinstance(arrived[0].parcel, Parcel)
    assert arrived[0].parcel.body == sent[0].parcel.body
    assert arrived[0].parcel.headers == {**sent[0].parcel.headers, "timelimit": [None, None]}  # JSON has no tuples


def test_what_waits_for_a_date_waits_for_it_there(source: MemoryStore, there: MemoryStore, runtime: VirtualRuntime) -> None:
    source.publish([a_message("later", in_s=60.0), a_message("now")])

    carry(source, there, ["celery"], ALL, runtime=runtime)

    assert (source.scheduled(), there.scheduled(), there.depth(["celery"])) == (0, 1, [1])
    runtime.advance(61.0)
    assert [id_of(one) for one in read(there)] == ["now", "later"]


def test_what_is_copied_stays_as_it_lay(source: MemoryStore, there: MemoryStore, runtime: VirtualRuntime) -> None:
    source.publish([a_message(f"id-{number}") for number in range(2500)])
    source.publish([a_message("later", in_s=60.0)])

    carry(source, there, ["celery"], ALL, runtime=runtime, copy=True)

    assert (source.scheduled(), there.scheduled()) == (1, 1)
    assert [id_of(one) for one in read(source)] == [id_of(one) for one in read(there)] == [f"id-{n}" for n in range(2500)]


def test_what_is_not_wanted_stays_as_it_lay(source: MemoryStore, there: MemoryStore, runtime: VirtualRuntime) -> None:
    source.publish([a_message(f"id-{n}", task="shop.add" if n % 2 else "shop.other") for n in range(6)])
    source.publish([a_message("later", task="shop.other", in_s=60.0)])

    def decide(delivery: Delivery) -> Outgoing | None:
        return outgoing(delivery, "celery") if task_of(delivery) == "shop.add" else None

    state = carry(source, there, ["celery"], decide, runtime=runtime)

    assert (state.seen, state.carried, source.scheduled()) == (7, 3, 1)
    assert [id_of(one) for one in read(source)] == ["id-0", "id-2", "id-4"]


def test_queues_can_be_renamed_on_one_broker(source: MemoryStore, runtime: VirtualRuntime) -> None:
    source.publish([a_message("a", queue="images"), a_message("b", queue="mails")])

    carry(source, source, ["images"], to_queues({"images": "pictures"}), runtime=runtime)

    assert source.depth(["images", "pictures", "mails"]) == [0, 1, 1]


def test_a_limit_leaves_the_rest_as_it_lay(source: MemoryStore, there: MemoryStore, runtime: VirtualRuntime) -> None:
    source.publish([a_message(f"id-{number}") for number in range(5)])

    carry(source, there, ["celery"], ALL, runtime=runtime, limit=2)

    assert [id_of(one) for one in read(there)] == ["id-0", "id-1"]
    assert [id_of(one) for one in read(source)] == ["id-2", "id-3", "id-4"]


def test_what_cannot_be_read_stays_and_is_counted(source: MemoryStore, there: MemoryStore, runtime: VirtualRuntime) -> None:
    source.inject("celery", b"no envelope")
    source.publish([a_message("a")])

    state = carry(source, there, ["celery"], ALL, runtime=runtime)

    assert (state.carried, state.unreadable) == (1, 1)
    assert [one.raw for one in read(source)] == [b"no envelope"]


def test_a_destination_that_goes_away_takes_nothing_with_it(source: MemoryStore, runtime: VirtualRuntime) -> None:
    there = Full(runtime=runtime)
    there.batches = 1
    source.publish([a_message(f"id-{number}") for number in range(250)])

    with pytest.raises(BrokerUnreachable):
        carry(source, there, ["celery"], ALL, runtime=runtime)

    there.batches = 1
    assert [id_of(one) for one in read(there)] == [f"id-{number}" for number in range(100)]
    assert [id_of(one) for one in read(source)] == [f"id-{number}" for number in range(100, 250)]


def test_nobody_is_left_behind_at_the_source(source: MemoryStore, there: MemoryStore, runtime: VirtualRuntime) -> None:
    source.publish([a_message("a")])

    carry(source, there, ["celery"], ALL, runtime=runtime)

    assert source.nodes() == []
