"""What the memory store promises beyond the contract: no threads, no hidden time, signal-safe interrupts."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta

import pytest

from celeriac.abc import LATE_PARTS_S, Lessee, Store
from celeriac.core.errors import BrokerUnreachable, LeaseExpired
from celeriac.core.message import Outgoing, Parcel
from celeriac.core.settlement import Done, Join, Opening, Part, Settled, Settlement, StoredResult
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime

ME = Lessee("node-1", "child-1")
LEASE_S = 30.0


@pytest.fixture
def runtime() -> VirtualRuntime:
    return VirtualRuntime(seed=1)


@pytest.fixture
def store(runtime: VirtualRuntime) -> MemoryStore:
    return MemoryStore(runtime=runtime)


def keep(store: Store, node: str = "node-1") -> list[Lessee]:
    return list(store.keep(node, name=node, info={}, queues=["q"], lease_s=LEASE_S).orphans)


def a_message(id: str, *, eta_from: VirtualRuntime | None = None, priority: int = 0) -> Outgoing:
    parcel = Parcel(body=b"[[], {}, {}]", content_type="application/json", content_encoding="utf-8", headers={"id": id})
    eta = eta_from.now() + timedelta(hours=1) if eta_from else None
    return Outgoing(parcel=parcel, queue="q", routing_key="q", priority=priority, eta=eta)


def take(store: Store, limit: int = 10) -> list[str]:
    deliveries = store.fetch(["q"], lessee=ME, limit=limit, wait_s=0).deliveries
    return [str(one.parcel.headers["id"]) for one in deliveries if isinstance(one.parcel, Parcel)]


def test_watchers_are_told_in_the_thread_that_settles_and_may_call_the_store(store: MemoryStore) -> None:
    told: list[tuple[str, int, object]] = []
    keep(store)
    store.publish([a_message("a")])
    store.watch(["a"], lambda task_id, _: told.append((task_id, threading.get_ident(), store.load([task_id])[0])))
    [delivery] = store.fetch(["q"], lessee=ME, limit=1, wait_s=0).deliveries

    store.settle([Settlement(tag=delivery.tag, fate=Done(), result=StoredResult("a", "SUCCESS", b"body"))], lessee=ME)

    assert told == [("a", threading.get_ident(), b"body")]


def test_a_watcher_that_fails_costs_neither_the_settlement_nor_other_watchers(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def fail(id: str, body: bytes) -> None:
        raise RuntimeError("no")

    store.watch(["a"], fail)
    store.watch(["a"], lambda task_id, _: told.append(task_id))

    store.store_results([StoredResult("a", "SUCCESS", b"body")])

    assert told == ["a"]
    assert "a watcher of results failed" in caplog.text


def test_nothing_starts_a_thread(store: MemoryStore) -> None:
    before = threading.active_count()

    keep(store)
    store.watch(["a"], lambda *_: None)
    store.publish([a_message("a")])
    take(store)

    assert threading.active_count() == before


def test_steps_of_the_wall_clock_kill_nobody_and_expire_nothing(store: MemoryStore, runtime: VirtualRuntime) -> None:
    keep(store)
    store.publish([a_message("a")])
    take(store)
    store.revoke(["r"])
    store.store_results([StoredResult("a", "SUCCESS", b"body", ttl_s=60)])

    for hours in (24, -48):
        runtime.step(hours * 3600)
        runtime.advance(1)

        assert keep(store, "node-2") == []
        assert store.rules().revoked == {"r"}
        assert list(store.load(["a"])) == [b"body"]


def test_a_step_of_the_wall_clock_makes_dates_due(store: MemoryStore, runtime: VirtualRuntime) -> None:
    store.publish([a_message("a", eta_from=runtime)])

    runtime.step(3600)
    keep(store)

    assert take(store) == ["a"]


def test_a_node_with_nothing_to_inherit_is_forgotten_when_it_dies(store: MemoryStore, runtime: VirtualRuntime) -> None:
    keep(store)
    for _ in range(40):
        runtime.advance(1)
        keep(store, "node-2")

    orphans = keep(store, "node-2")

    assert orphans == []
    assert [record.node for record in store.nodes()] == ["node-2"]


def test_ten_priorities_are_ten_and_what_lies_outside_is_the_nearest(store: MemoryStore) -> None:
    keep(store)
    store.publish([a_message(str(priority), priority=priority) for priority in (99, 9, 5, 4, 1, 0, -3)])

    ids = take(store)

    assert ids == ["0", "-3", "1", "4", "5", "99", "9"]


def test_an_injected_message_is_noticed_at_the_latest_by_the_next_keep(store: MemoryStore) -> None:
    keep(store)
    found: list[int] = []
    waiting = threading.Thread(
        target=lambda: found.append(len(store.fetch(["q"], lessee=ME, limit=1, wait_s=30).deliveries)), daemon=True
    )
    waiting.start()

    store.inject("q", b"garbage")
    while waiting.is_alive():
        keep(store)

    assert found == [1]


def test_a_lost_answer_leaves_the_deliveries_with_their_lessee(store: MemoryStore) -> None:
    keep(store)
    store.publish([a_message("a")])
    store.lose_next_answer()

    with pytest.raises(BrokerUnreachable):
        take(store)

    assert list(store.depth(["q"])) == [0]
    [adopted] = store.adopt(ME, by=Lessee("node-1", "supervisor"))
    assert list(store.settle([Settlement(tag=adopted.tag, fate=Done())], lessee=Lessee("node-1", "supervisor"))) == [
        Settled.APPLIED
    ]


def test_a_message_passes_to_the_next_waiter_when_the_one_it_woke_has_lost_its_lease(
    store: MemoryStore, runtime: VirtualRuntime
) -> None:
    late, other = Lessee("late", "child-1"), Lessee("other", "child-1")
    keep(store, "late")
    runtime.advance(20)
    keep(store, "other")
    outcomes: dict[str, object] = {}

    def wait(lessee: Lessee) -> None:
        try:
            outcomes[lessee.node] = len(store.fetch(["q"], lessee=lessee, limit=1, wait_s=30).deliveries)
        except LeaseExpired:
            outcomes[lessee.node] = "expired"

    threads = [threading.Thread(target=wait, args=(lessee,), daemon=True) for lessee in (late, other)]
    for thread in threads:
        thread.start()
    runtime.advance(15)
    store.publish([a_message("a")])
    threads[1].join(20)
    store.publish([a_message("b")])
    threads[0].join(20)

    assert outcomes == {"late": "expired", "other": 1}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no such timer on this system")
def test_interrupt_is_safe_in_a_signal_handler_wherever_it_strikes(store: MemoryStore) -> None:
    keep(store)
    strikes = 0

    def strike(number: int, frame: object) -> None:
        nonlocal strikes
        strikes += 1
        store.interrupt()

    previous = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        while strikes < 300:
            store.publish([a_message("a")])
            store.fetch(["q"], lessee=ME, limit=1, wait_s=0)
            store.fetch(["q"], lessee=ME, limit=1, wait_s=30)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)

    assert strikes >= 300


def test_chords_that_are_over_are_forgotten_though_nothing_else_expires(store: MemoryStore, runtime: VirtualRuntime) -> None:
    for number in range(50):
        store.open_chords([Opening(f"c{number}", 1, None)])
        store.join(Join(f"c{number}", (Part("a", 0, b"part"),), None), claimant="1")
        store.close_chord(f"c{number}")
    store.join(Join("c0", (Part("late", 0, b"part"),), None), claimant="2")

    runtime.advance(LATE_PARTS_S + 1)
    keep(store)

    assert store._chords._chords == {}
