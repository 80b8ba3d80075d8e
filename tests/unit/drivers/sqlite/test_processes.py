"""Many processes on one file: nothing is lost, nothing is handed out twice, whoever is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from celeriac.abc import Lessee
from celeriac.app.runtime import SystemRuntime
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.conformance.subject import HOUR_S, PATIENCE_S, a_result, alive, an_outgoing, done, id_of, take

MESSAGES = 600


def work(path: str, node: str, journal: str) -> None:
    """Fetch and settle until killed, or until nothing has come for a while; write down what was settled."""
    store = SqliteStore(path, runtime=SystemRuntime())
    me = alive(store, node)
    with open(journal, "a", buffering=1) as told:
        while deliveries := store.fetch(["q"], lessee=me, limit=7, wait_s=1.0).deliveries:
            ids = [id_of(delivery) for delivery in deliveries]
            settlements = [done(delivery, result=a_result(id)) for delivery, id in zip(deliveries, ids, strict=True)]
            store.settle(settlements, lessee=me)
            told.write("".join(f"{id}\n" for id in ids))
    store.close()


def start(path: str, node: str, journal: Path) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=work, args=(path, node, str(journal)))
    process.start()
    return process


def wait_until_written(journal: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (journal.exists() and journal.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_two_processes_share_the_work_and_do_nothing_twice(path: str, store: SqliteStore, tmp_path: Path) -> None:
    ids = [f"task-{number}" for number in range(MESSAGES)]
    journals = [tmp_path / "one", tmp_path / "two"]

    workers = [start(path, journal.name, journal) for journal in journals]
    for first in range(0, MESSAGES, 10):
        store.publish([an_outgoing(id) for id in ids[first : first + 10]])
    for worker in workers:
        worker.join(PATIENCE_S)

    settled = Counter(line for journal in journals for line in journal.read_text().split())
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert settled == Counter(ids)
    assert None not in store.load(ids)


def test_kill_9_in_the_middle_of_load_loses_nothing(path: str, store: SqliteStore, tmp_path: Path) -> None:
    ids = [f"task-{number}" for number in range(MESSAGES)]
    journal = tmp_path / "journal"
    store.publish([an_outgoing(id) for id in ids])

    victim = start(path, "victim", journal)
    wait_until_written(journal)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(PATIENCE_S)
    alive(store, "victim")
    heir = Lessee("victim", "heir")
    adopted = store.adopt(Lessee("victim", "child-1"), by=heir)
    store.settle([done(delivery, result=a_result(id_of(delivery))) for delivery in adopted], lessee=heir)
    while deliveries := take(store, heir):
        store.settle([done(delivery, result=a_result(id_of(delivery))) for delivery in deliveries], lessee=heir)

    assert victim.exitcode == -signal.SIGKILL
    assert set(journal.read_text().split()) <= set(ids)
    assert None not in store.load(ids)
    assert store.adopt(Lessee("victim", "child-1"), by=heir) == []


def fork_and_wait(inside: str, store: SqliteStore) -> int:
    """Fork; let the child publish ``inside`` through the store of its parent; return its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            store.publish([an_outgoing(inside)])
            os._exit(0 if store.depth(["q"])[0] > 0 else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_uses_the_store_of_its_parent_and_both_go_on(store: SqliteStore) -> None:
    me = alive(store, "node")
    store.publish([an_outgoing("before")])

    code = fork_and_wait("inside", store)
    store.publish([an_outgoing("after")])

    assert code == 0
    assert sorted(id_of(delivery) for delivery in take(store, me)) == ["after", "before", "inside"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_fork_while_other_threads_write_harms_neither(store: SqliteStore) -> None:
    stop = threading.Event()
    counts: list[int] = []

    def publish() -> None:
        count = 0
        while not stop.is_set():
            store.publish([an_outgoing(f"thread-{count}")])
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    codes = [fork_and_wait(f"fork-{number}", store) for number in range(5)]
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert codes == [0] * 5
    assert store.depth(["q"]) == [sum(counts) + 5]


def test_what_a_parent_watches_is_told_after_a_fork(store: SqliteStore) -> None:
    told = threading.Event()
    store.watch(["a"], lambda _id, _body: told.set())

    code = fork_and_wait("inside", store)
    store.store_results([a_result("a")])

    assert code == 0
    assert told.wait(PATIENCE_S)


def test_an_abandoned_store_begins_anew(store: SqliteStore) -> None:
    alive(store, "node")
    store.publish([an_outgoing("a")])

    store.abandon()

    assert store.depth(["q"]) == [1]
    assert store.nodes()[0].seen_s < HOUR_S
