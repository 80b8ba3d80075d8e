"""Settlements are carried out, many at once, and none is lost."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Sequence

import pytest

from celeriac.abc import Lessee
from celeriac.core.errors import BrokerUnreachable, OperationalError, StoreRefused
from celeriac.core.settlement import Done, Settled, Settlement, StoredResult
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.settler import AT_ONCE, Settler
from system.patience import eventually
from unit.worker.bench import ME, Bench, a_delivery, a_message, a_settler


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "celeriac")


class Moody(MemoryStore):
    """Refuses what is too large, and does not answer when it has no mind to."""

    def __init__(self, *, runtime: VirtualRuntime) -> None:
        super().__init__(runtime=runtime)
        self.error: OperationalError | None = None
        self.too_large: set[int] = set()
        """Tags of which no result is stored."""
        self.refused: dict[int, Settlement] = {}
        """Settlements that are refused, by their tags."""
        self.calls: list[int] = []

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        self.calls.append(len(settlements))
        if self.error is not None:
            raise self.error
        if any(one is self.refused.get(one.tag) or (one.tag in self.too_large and one.result is not None) for one in settlements):
            raise StoreRefused("too large")
        return super().settle(settlements, lessee=lessee)


def a_bench(count: int) -> tuple[Bench, Moody, list[Settlement]]:
    bench = Bench()
    store = Moody(runtime=bench.runtime)
    bench.store = store
    bench.keep()
    bench.send(*(a_message(str(number)) for number in range(count)))
    made = [
        Settlement(tag=delivery.tag, fate=Done(), result=StoredResult(str(number), "SUCCESS", b"{}"))
        for number, delivery in enumerate(bench.take(limit=count))
    ]
    return bench, store, made


def test_what_was_added_is_settled_in_one_call() -> None:
    _, store, settlements = a_bench(3)
    settler = a_settler(store)

    for each in settlements:
        settler.add(each)
    settler.flush()

    assert (store.calls, len(settler)) == ([3], 0)
    assert store.load(["0", "1", "2"]) == [b"{}"] * 3


def test_a_flush_of_nothing_asks_nobody() -> None:
    _, store, _ = a_bench(0)

    a_settler(store).flush()

    assert store.calls == []


def test_one_call_carries_a_bounded_number() -> None:
    _, store, settlements = a_bench(AT_ONCE + 1)
    settler = a_settler(store)

    for each in settlements:
        settler.add(each)
    settler.flush()

    assert store.calls == [AT_ONCE, 1]


def test_a_store_that_does_not_answer_costs_nothing() -> None:
    _, store, settlements = a_bench(2)
    settler = a_settler(store)
    for each in settlements:
        settler.add(each)
    store.error = BrokerUnreachable("no answer")

    with pytest.raises(BrokerUnreachable):
        settler.flush()

    store.error = None
    assert len(settler) == 2
    settler.flush()
    assert store.load(["0", "1"]) == [b"{}"] * 2


def test_one_that_is_refused_becomes_a_dead_letter_and_its_neighbours_are_settled() -> None:
    bench, store, settlements = a_bench(3)
    settler = a_settler(store)
    for each in settlements:
        settler.add(each)
    store.too_large = {settlements[1].tag}

    settler.flush()

    assert store.load(["0", "1", "2"]) == [b"{}", None, b"{}"]
    assert bench.reasons() == ["unsettled"]
    assert bench.store.dead_letters()[0].detail == "too large"


def test_whoever_waits_for_one_that_is_refused_hears_of_a_failure() -> None:
    bench, store, [settlement] = a_bench(1)
    settler, chain = a_settler(store), [{"task": "next", "args": [], "kwargs": {}, "options": {"task_id": "1"}}]
    message = a_message("0", chain=chain)
    store.refused = {settlement.tag: settlement}
    settler.add(settlement, a_delivery(message, tag=settlement.tag), message)

    settler.flush()

    assert bench.reasons() == ["unsettled"]
    assert bench.states("0", "1") == ["FAILURE", "FAILURE"]


def test_so_it_is_when_the_store_answers_that_it_cannot_carry_that_one_out() -> None:
    class Picky(Moody):
        def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
            refused = [one is self.refused.get(one.tag) for one in settlements]
            done = iter(
                MemoryStore.settle(self, [one for one in settlements if one is not self.refused.get(one.tag)], lessee=lessee)
            )
            return [Settled.REFUSED if each else next(done) for each in refused]

    bench, _, settlements = a_bench(0)
    store = Picky(runtime=bench.runtime)
    bench.store = store
    bench.keep()
    bench.send(a_message("0"), a_message("1"))
    deliveries = bench.take(limit=2)
    settlements = [
        Settlement(tag=each.tag, fate=Done(), result=StoredResult(str(n), "SUCCESS", b"{}")) for n, each in enumerate(deliveries)
    ]
    store.refused = {settlements[0].tag: settlements[0]}
    settler = a_settler(store)
    for settlement, delivery in zip(settlements, deliveries, strict=True):
        settler.add(settlement, delivery, a_message(settlement.result.id if settlement.result else ""))

    settler.flush()

    assert (bench.reasons(), len(settler)) == (["unsettled"], 0)
    assert bench.states("0") == ["FAILURE"]
    assert store.load(["1"]) == [b"{}"]


def test_a_store_that_refuses_everything_keeps_everything_pending() -> None:
    _, store, settlements = a_bench(2)
    settler = a_settler(store)
    for each in settlements:
        settler.add(each)
    store.error = StoreRefused("read-only")

    with pytest.raises(StoreRefused):
        settler.flush()

    assert len(settler) == 2


def test_one_alone_that_is_refused_becomes_a_dead_letter() -> None:
    bench, store, [settlement] = a_bench(1)
    settler = a_settler(store)
    settler.add(settlement)
    store.too_large = {settlement.tag}

    settler.flush()

    assert (bench.reasons(), len(settler)) == (["unsettled"], 0)


def test_a_settlement_whose_lease_is_lost_is_reported_and_not_made_again(caplog: pytest.LogCaptureFixture) -> None:
    _, store, [settlement] = a_bench(1)
    settler = a_settler(store)
    store.adopt(ME, by=Lessee(ME.node, "heir"))

    settler.add(settlement)
    settler.flush()

    assert len(settler) == 0
    assert store.load(["0"]) == [None]
    assert "came too late" in caplog.text


def test_a_flush_returns_when_that_of_another_thread_has_ended() -> None:
    # A child that ends while its tender still settles would lose what has ended well.
    may_go_on, asked = threading.Event(), threading.Event()
    order: list[str] = []

    class Slow(Moody):
        def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
            asked.set()
            may_go_on.wait(10)
            order.append("settled")
            return super().settle(settlements, lessee=lessee)

    def end() -> None:
        settler.flush()
        order.append("returned")

    bench, _, _ = a_bench(0)
    store = Slow(runtime=bench.runtime)
    settler = a_settler(store)
    settler.add(Settlement(tag=1, fate=Done()))
    tender, child = threading.Thread(target=settler.flush), threading.Thread(target=end)
    tender.start()
    asked.wait(10)

    child.start()
    eventually(lambda: order or is_in(Settler.flush, child), what="the child in its flush")
    may_go_on.set()
    child.join(10)

    assert order == ["settled", "returned"]
    assert store.calls == [1]
    tender.join(10)


def is_in(function: Callable[..., object], thread: threading.Thread) -> bool:
    """Say whether a thread stands in ``function`` itself, not in what that calls: there it can only wait for a lock."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code is function.__code__
