"""Whatever happens to the file, the store says so in our words, and what it had accepted is there."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from celeriac.abc import Lessee
from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import BrokerUnreachable, StoreRefused
from celeriac.core.settlement import Settled
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.conformance.subject import a_result, alive, an_outgoing, back, done, take, take_ids


def test_a_full_disk_is_refused_and_the_store_goes_on_when_there_is_room(store: SqliteStore) -> None:
    store.publish([an_outgoing("before")])
    with store._connections.reading() as db:
        # Of this one connection, which the next call takes again.
        [[pages]] = db.execute("PRAGMA page_count").fetchall()
        db.execute(f"PRAGMA max_page_count = {pages + 20}")

    with pytest.raises(StoreRefused, match="full") as refusal:
        store.publish([an_outgoing("big", body=b"x" * 1_000_000)])
    store.publish([an_outgoing("after")])

    assert refusal.value.accepted == 0
    assert store.depth(["q"]) == [2]


def test_a_publish_of_many_batches_says_how_many_are_in(store: SqliteStore) -> None:
    store.depth(["q"])
    with store._connections.reading() as db:
        db.execute("PRAGMA max_page_count = 1000")
    messages = [an_outgoing(str(number), body=b"x" * 1000) for number in range(3000)]

    with pytest.raises(StoreRefused) as refusal:
        store.publish(messages)

    assert 0 < refusal.value.accepted < 3000
    assert store.depth(["q"]) == [refusal.value.accepted]


def test_a_lock_that_is_never_released_ends_the_call_at_its_deadline(path: str, store: SqliteStore) -> None:
    store.depth(["q"])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(BrokerUnreachable, match=f"{path}: locked by another process for 0.2 s"):
            store.publish([an_outgoing("a")], deadline_s=0.2)
        other.execute("ROLLBACK")

    store.publish([an_outgoing("a")])
    assert store.depth(["q"]) == [1]


def test_readers_do_not_wait_for_a_writer(path: str, store: SqliteStore) -> None:
    store.publish([an_outgoing("a")])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        depth = store.depth(["q"])

        assert depth == [1]
        other.execute("ROLLBACK")


def test_a_fetch_that_broke_after_its_commit_is_handed_out_again(store: SqliteStore) -> None:
    me = alive(store, "node")
    store.publish([an_outgoing(id) for id in "abc"])
    take(store, me, limit=1)
    sure = store._fetching._told

    class Forgetful(dict[Lessee, int]):
        """Fails in the only moment between the commit and the answer."""

        def __setitem__(self, lessee: Lessee, tag: int) -> None:
            raise KeyboardInterrupt

    store._fetching._told = Forgetful(sure)
    with pytest.raises(KeyboardInterrupt):
        take(store, me, limit=2)
    store._fetching._told = dict(sure)

    again = [delivery.tag for delivery in take(store, me, limit=2)]

    assert again == [2, 3]
    assert store.depth(["q"]) == [0]


def test_a_damaged_file_is_named_and_called_so(path: str) -> None:
    with closing(SqliteStore(path, runtime=SystemRuntime())) as store:
        store.publish([an_outgoing(str(number)) for number in range(500)])
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 20)

    with closing(SqliteStore(path, runtime=SystemRuntime())) as store, pytest.raises(StoreRefused, match="damaged"):
        store.purge(["q"])


def test_a_settlement_that_breaks_a_rule_of_the_file_is_refused_and_its_neighbours_are_not(path: str, store: SqliteStore) -> None:
    me = alive(store, "node")
    store.publish([an_outgoing(id) for id in "abc"])
    a, b, c = take(store, me)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TRIGGER no BEFORE INSERT ON result WHEN new.id = 'b' BEGIN SELECT RAISE(ABORT, 'not b'); END")
    settlements = [back(a), done(b, result=a_result("b"), followups=(an_outgoing("x"),)), done(c, result=a_result("c"))]

    answers = store.settle(settlements, lessee=me)

    assert list(answers) == [Settled.APPLIED, Settled.REFUSED, Settled.APPLIED]
    assert list(store.load(["b", "c"])) == [None, a_result("c").body]
    assert take_ids(store, me) == ["a"]


def test_a_full_disk_refuses_all_settlements_and_nothing_has_happened(store: SqliteStore) -> None:
    me = alive(store, "node")
    store.publish([an_outgoing(id) for id in "ab"])
    a, b = take(store, me)
    with store._connections.reading() as db:
        [[pages]] = db.execute("PRAGMA page_count").fetchall()
        db.execute(f"PRAGMA max_page_count = {pages + 20}")
    large = done(b, followups=(an_outgoing("big", body=b"x" * 1_000_000),))

    with pytest.raises(StoreRefused, match="full"):
        store.settle([done(a, result=a_result("a")), large], lessee=me)

    assert list(store.load(["a"])) == [None]
    assert list(store.settle([done(a, result=a_result("a")), large], lessee=me)) == [Settled.APPLIED] * 2
