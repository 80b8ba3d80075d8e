"""The order in which a pair carries a settlement out, and what a fault between its two halves leaves behind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from celeriac.abc import Lessee, ResultBackend, Store
from celeriac.core.errors import BrokerUnreachable
from celeriac.core.message import Delivery, Outgoing, Parcel
from celeriac.core.settlement import Done, Join, Opening, Part, Settled, Settlement, StoredResult
from celeriac.drivers.memory.store import MemoryStore
from celeriac.drivers.pair import Pair
from celeriac.testing.clock import VirtualRuntime

ME, HEIR = Lessee("node-1", "child-1"), Lessee("node-1", "heir")


class Unreachable(MemoryStore):
    """A store whose settle or store_results fails as often as it is told, before anything happened."""

    faults = 0

    def _fail(self) -> None:
        if self.faults:
            self.faults -= 1
            raise BrokerUnreachable("away")

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        self._fail()
        return super().settle(settlements, lessee=lessee)

    def store_results(self, results: Sequence[StoredResult]) -> None:
        self._fail()
        super().store_results(results)


@pytest.fixture
def broker() -> Unreachable:
    broker = Unreachable(runtime=VirtualRuntime(1))
    broker.keep(ME.node, name="one", info={}, queues=["q"])
    return broker


@pytest.fixture
def results() -> Unreachable:
    return Unreachable(runtime=VirtualRuntime(2))


@pytest.fixture
def pair(broker: Unreachable, results: Unreachable) -> Pair:
    return Pair(broker, results)


def a_message(id: str) -> Outgoing:
    parcel = Parcel(body=b"[[], {}, {}]", content_type="application/json", content_encoding="utf-8", headers={"id": id})
    return Outgoing(parcel=parcel, queue="q", routing_key="q")


def fetch_one(store: Store) -> Delivery:
    store.publish([a_message("a")])
    [delivery] = store.fetch(["q"], lessee=ME, limit=1, wait_s=0).deliveries
    return delivery


def success(delivery: Delivery, body: bytes = b'{"status": "SUCCESS"}') -> Settlement:
    return Settlement(tag=delivery.tag, fate=Done(), result=StoredResult("a", "SUCCESS", body), followups=(a_message("next"),))


def test_results_go_to_the_backend_and_messages_to_the_broker(pair: Pair, broker: Store, results: ResultBackend) -> None:
    delivery = fetch_one(pair)

    answers = pair.settle([success(delivery)], lessee=ME)

    assert list(answers) == [Settled.APPLIED]
    assert list(results.load(["a"])) == [b'{"status": "SUCCESS"}']
    assert list(broker.load(["a"])) == [None]
    assert list(broker.depth(["q"])) == [1]


def test_while_the_result_cannot_be_stored_the_delivery_stays_leased(pair: Pair, broker: Store, results: Unreachable) -> None:
    delivery = fetch_one(pair)
    results.faults = 1

    with pytest.raises(BrokerUnreachable):
        pair.settle([success(delivery)], lessee=ME)

    assert list(broker.depth(["q"])) == [0]
    assert list(pair.settle([success(delivery)], lessee=ME)) == [Settled.APPLIED]


def test_a_settlement_that_failed_half_way_is_repeated_without_harm(
    pair: Pair, broker: Unreachable, results: ResultBackend
) -> None:
    delivery = fetch_one(pair)
    broker.faults = 1

    with pytest.raises(BrokerUnreachable):
        pair.settle([success(delivery)], lessee=ME)
    between = list(results.load(["a"]))
    answers = pair.settle([success(delivery)], lessee=ME)

    assert between == [b'{"status": "SUCCESS"}']
    assert list(answers) == [Settled.APPLIED]
    assert list(broker.depth(["q"])) == [1]


def test_a_delivery_that_another_process_adopted_stores_no_result(pair: Pair, broker: Store, results: ResultBackend) -> None:
    delivery = fetch_one(pair)
    broker.adopt(ME, by=HEIR)

    answers = pair.settle([success(delivery)], lessee=ME)

    assert list(answers) == [Settled.LEASE_LOST]
    assert list(results.load(["a"])) == [None]
    assert list(broker.depth(["q"])) == [0]


def test_a_batch_without_results_does_not_touch_the_backend(pair: Pair, results: Unreachable) -> None:
    delivery = fetch_one(pair)
    results.faults = 1

    answers = pair.settle([Settlement(tag=delivery.tag, fate=Done())], lessee=ME)

    assert list(answers) == [Settled.APPLIED]


def test_of_two_settlements_of_one_delivery_only_the_first_stores_a_result(pair: Pair, results: ResultBackend) -> None:
    delivery = fetch_one(pair)
    first, second = success(delivery, b"first"), success(delivery, b"second")

    answers = pair.settle([Settlement(tag=first.tag, fate=Done()), second], lessee=ME)

    assert list(answers) == [Settled.APPLIED, Settled.LEASE_LOST]
    assert list(results.load(["a"])) == [None]


def test_a_member_that_is_added_is_sent_before_its_chord_waits_for_it(pair: Pair, broker: Unreachable) -> None:
    pair.open_chords([Opening("c", 1, None)])
    adder = fetch_one(pair)
    part = Part("a", 0, b'[1, "a", "SUCCESS", 1]')
    adds = Settlement(tag=adder.tag, fate=Done(), followups=(a_message("next"),), join=Join("c", (part,), added=("next",)))

    broker.faults = 1
    with pytest.raises(BrokerUnreachable):
        pair.settle([adds], lessee=ME)

    # Whatever becomes of the one that added it: what the chord waits for is there.
    assert broker.depth(["q"]) == [1]
    [sent] = pair.fetch(["q"], lessee=ME, limit=1, wait_s=0).deliveries
    last = Part("next", None, b'[1, "next", "SUCCESS", 2]')
    [answer] = pair.settle([Settlement(tag=sent.tag, fate=Done(), join=Join("c", (last,), added=("next",)))], lessee=ME)
    assert (answer, len(pair.parts("c") or ())) == (Settled.JOINED, 2)


class Strict(MemoryStore):
    """A store that can carry out nothing."""

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        del lessee
        return [Settled.REFUSED for _ in settlements]


def test_the_parts_of_a_chord_stay_when_the_call_of_its_body_is_refused(results: Unreachable) -> None:
    broker = Strict(runtime=VirtualRuntime(1))
    broker.keep(ME.node, name="one", info={}, queues=["q"])
    pair = Pair(broker, results)
    delivery = fetch_one(pair)
    results.open_chords([Opening("c", 1, None)])
    results.join(Join("c", (Part("a", 0, b"part"),)), claimant=str(delivery.tag))

    answers = pair.settle([Settlement(tag=delivery.tag, fate=Done(), followups=(a_message("body"),), closes="c")], lessee=ME)

    assert list(answers) == [Settled.REFUSED]
    assert pair.parts("c") == [b"part"]
