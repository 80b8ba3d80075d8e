"""Who waits is woken at once, costs nothing meanwhile, and never waits for ever because somebody died."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from celeriac.abc import Fetched, Lessee
from celeriac.app.runtime import SystemRuntime
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.conformance.subject import PATIENCE_S, a_result, alive, an_outgoing, id_of

SOON_S = 0.1
"""A generous bound: measured are 0.2 ms."""


@pytest.fixture
def publisher(path: str) -> Iterator[SqliteStore]:
    """Return a second store on the same file, as another process has it."""
    with closing(SqliteStore(path, runtime=SystemRuntime())) as store:
        yield store


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def fetch(store: SqliteStore, lessee: Lessee) -> Fetched:
    return store.fetch(["q"], lessee=lessee, limit=1, wait_s=PATIENCE_S)


def waiters(path: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(DISTINCT address) FROM waiter").fetchone()[0])


def wait_for_waiters(path: str, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while waiters(path) != count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_waiting_fetch_is_woken_at_once(
    path: str, store: SqliteStore, publisher: SqliteStore, pool: ThreadPoolExecutor
) -> None:
    me = alive(store, "node")
    took = []

    for number in range(20):
        answer = pool.submit(fetch, store, me)
        wait_for_waiters(path, 1)
        began = time.perf_counter()
        publisher.publish([an_outgoing(str(number))])
        answer.result(PATIENCE_S)
        took.append(time.perf_counter() - began)

    assert median(took) < SOON_S


def test_a_watcher_is_told_at_once(store: SqliteStore, publisher: SqliteStore) -> None:
    took = []

    for number in range(20):
        told = threading.Event()
        store.watch([str(number)], lambda _id, _body, told=told: told.set())  # type: ignore[misc]
        began = time.perf_counter()
        publisher.store_results([a_result(str(number))])
        assert told.wait(PATIENCE_S)
        took.append(time.perf_counter() - began)

    assert median(took) < SOON_S


def test_every_state_is_told_in_order(store: SqliteStore, publisher: SqliteStore) -> None:
    heard: list[bytes] = []
    told = threading.Event()
    results = [a_result("a", state="PROGRESS", value=number) for number in range(300)] + [a_result("a")]

    def notify(id: str, body: bytes) -> None:
        heard.append(body)
        if len(heard) == len(results):
            told.set()

    store.watch(["a"], notify)
    publisher.store_results(results)

    assert told.wait(PATIENCE_S)
    assert heard == [result.body for result in results]


def test_a_call_that_waits_uses_no_processor(path: str, store: SqliteStore, pool: ThreadPoolExecutor) -> None:
    me = alive(store, "node")
    answer = pool.submit(fetch, store, me)
    wait_for_waiters(path, 1)

    began = time.process_time()
    time.sleep(1.5)
    used = time.process_time() - began

    store.interrupt()
    answer.result(PATIENCE_S)
    assert used < 0.05


def test_the_bell_of_a_dead_process_is_passed_over(
    path: str, store: SqliteStore, publisher: SqliteStore, pool: ThreadPoolExecutor
) -> None:
    me = alive(store, "node")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO waiter (address, queue) VALUES ('gone', 'q')")
    answer = pool.submit(fetch, store, me)
    wait_for_waiters(path, 2)

    began = time.perf_counter()
    publisher.publish([an_outgoing("a")])
    [delivery] = answer.result(PATIENCE_S).deliveries

    assert id_of(delivery) == "a"
    assert time.perf_counter() - began < SOON_S
    assert waiters(path) == 0


def test_a_waiter_whose_socket_was_removed_is_served_all_the_same(
    path: str, store: SqliteStore, publisher: SqliteStore, pool: ThreadPoolExecutor
) -> None:
    me = alive(store, "node")
    answer = pool.submit(fetch, store, me)
    wait_for_waiters(path, 1)
    for socket in Path(f"{path}-bells").iterdir():
        socket.unlink()

    publisher.publish([an_outgoing("a")])

    assert len(answer.result(PATIENCE_S).deliveries) == 1


def test_a_watcher_whose_socket_was_removed_is_told_all_the_same(path: str, store: SqliteStore, publisher: SqliteStore) -> None:
    told = threading.Event()
    store.watch(["a"], lambda _id, _body: told.set())
    for socket in Path(f"{path}-bells").iterdir():
        socket.unlink()

    publisher.store_results([a_result("a")])

    assert told.wait(PATIENCE_S)


def test_a_path_too_long_for_a_socket_is_no_hindrance(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    path = str(tmp_path / ("long" * 40) / "celeriac.db")
    with closing(SqliteStore(path, runtime=SystemRuntime(), create_parents=True)) as store:
        me = alive(store, "node")
        answer = pool.submit(fetch, store, me)
        wait_for_waiters(path, 1)

        began = time.perf_counter()
        store.publish([an_outgoing("a")])
        answer.result(PATIENCE_S)

        assert time.perf_counter() - began < SOON_S


def test_closing_leaves_no_socket_and_no_row(path: str, store: SqliteStore, pool: ThreadPoolExecutor) -> None:
    me = alive(store, "node")
    store.watch(["a"], lambda _id, _body: None)
    store.fetch(["q"], lessee=me, limit=1, wait_s=0.001)

    store.close()

    assert os.listdir(f"{path}-bells") == []
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT (SELECT count(*) FROM waiter) + (SELECT count(*) FROM watcher)").fetchone() == (0,)
