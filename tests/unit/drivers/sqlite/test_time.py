"""Clocks step, results end, the dead leave things behind: the store lives with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from celeriac.abc import LATE_PARTS_S, Lessee, Pulse
from celeriac.core.settlement import Join, Opening, Part
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.conformance.subject import HOUR_S, a_result, an_outgoing, take, take_ids

LEASE_S = 30.0


@pytest.fixture
def runtime() -> VirtualRuntime:
    return VirtualRuntime()


@pytest.fixture
def store(path: str, runtime: VirtualRuntime) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, runtime=runtime)) as store:
        yield store


def speak(store: SqliteStore, node: str) -> Pulse:
    return store.keep(node, name=node, info={}, queues=["q"], lease_s=LEASE_S)


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_a_step_of_the_clock_kills_no_living_node(store: SqliteStore, runtime: VirtualRuntime, step_s: float) -> None:
    me = Lessee("node-1", "child")
    speak(store, "node-1")
    speak(store, "node-2")
    store.publish([an_outgoing("a")])
    take(store, me)

    runtime.step(step_s)
    orphans: list[Lessee] = []
    for _ in range(60):
        orphans += speak(store, "node-2").orphans
        orphans += speak(store, "node-1").orphans
        runtime.advance(1.0)

    assert orphans == []
    assert take_ids(store, me) == []


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_a_step_of_the_clock_lets_no_dead_node_live_longer(store: SqliteStore, runtime: VirtualRuntime, step_s: float) -> None:
    victim = Lessee("victim", "child")
    speak(store, "victim")
    speak(store, "survivor")
    store.publish([an_outgoing("a")])
    take(store, victim)

    runtime.step(step_s)
    orphans: list[Lessee] = []
    for _ in range(int(LEASE_S) + 1):
        orphans += speak(store, "survivor").orphans
        runtime.advance(1.0)

    assert set(orphans) == {victim}


def test_expired_results_are_deleted_a_part_at_a_time(path: str, store: SqliteStore, runtime: VirtualRuntime) -> None:
    store.store_results([a_result(str(number), ttl_s=10.0) for number in range(5000)])
    store.store_results([a_result("for ever", ttl_s=None)])

    runtime.advance(100.0)
    left = []
    for _ in range(4):
        speak(store, "node")
        with closing(sqlite3.connect(path)) as db:
            left += db.execute("SELECT count(*) FROM result").fetchone()

    assert left == [3001, 1001, 1, 1]


def test_what_a_dead_process_watched_is_removed(path: str, store: SqliteStore, runtime: VirtualRuntime) -> None:
    speak(store, "node")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO watcher VALUES ('a', 'gone')")
        db.execute("INSERT INTO news (address, task_id, body) VALUES ('gone', 'a', x'00')")

    runtime.advance(61.0)
    speak(store, "node")

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT (SELECT count(*) FROM watcher) + (SELECT count(*) FROM news)").fetchone() == (0,)


def test_many_messages_that_are_due_at_once_move_in_parts(store: SqliteStore, runtime: VirtualRuntime) -> None:
    store.publish([an_outgoing(str(number), eta=runtime.now().replace(year=2031)) for number in range(2500)])
    runtime.advance(2 * 365 * 86400.0)

    pulses = [speak(store, "node").next_due for _ in range(3)]

    assert pulses == [0.0, 0.0, None]
    assert store.depth(["q"]) == [2500]


def test_chords_that_are_over_are_forgotten_though_nothing_else_expires(
    path: str, store: SqliteStore, runtime: VirtualRuntime
) -> None:
    for number in range(50):
        store.open_chords([Opening(f"c{number}", 1, None)])
        store.join(Join(f"c{number}", (Part("a", 0, b"part"),), None), claimant="1")
        store.close_chord(f"c{number}")
    store.join(Join("c0", (Part("late", 0, b"part"),), None), claimant="2")
    store.open_if_new(Opening("c1", 1, None))

    runtime.advance(LATE_PARTS_S + 1)
    speak(store, "node")

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT (SELECT count(*) FROM chord), (SELECT count(*) FROM part)").fetchall() == [(0, 0)]
