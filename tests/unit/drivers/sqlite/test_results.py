"""A result is found wherever its note lies: in the tail, in the index, beside one with the same key."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from celeriac.app.runtime import SystemRuntime
from celeriac.drivers.sqlite.finding import LONGEST_TAIL, key_of
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.conformance.subject import a_result

TWINS = ("plumless", "buckeroo")
"""Two words with one CRC-32."""


def notes(path: str) -> tuple[int, int]:
    with closing(sqlite3.connect(path)) as db:
        [[tail]] = db.execute("SELECT count(*) FROM tail")
        [[placed]] = db.execute("SELECT count(*) FROM place")
    return tail, placed


def test_ids_with_the_same_key_have_results_of_their_own(store: SqliteStore) -> None:
    assert key_of(TWINS[0]) == key_of(TWINS[1])

    store.store_results([a_result(TWINS[0], value=1)])
    store.store_results([a_result(TWINS[1], value=2)])
    store.forget([TWINS[0]])

    assert list(store.load(TWINS)) == [None, a_result(TWINS[1], value=2).body]
    assert list(store.load(TWINS[:1])) == [None]


def test_a_success_stays_wherever_its_note_has_moved(path: str, store: SqliteStore) -> None:
    with closing(SqliteStore(path, runtime=SystemRuntime())) as other:
        store.store_results([a_result("first", value=1)])
        for batch in range(LONGEST_TAIL // 1000 + 2):
            other.store_results([a_result(f"{batch}-{number}") for number in range(1000)])
        moved = notes(path)

        for either in (store, other):
            either.store_results([a_result("first", state="FAILURE"), a_result("0-0", state="FAILURE")])

        assert moved[1] > LONGEST_TAIL
        assert sum(moved) == sum(notes(path))
        assert list(store.load(["first", "0-0"])) == [a_result("first", value=1).body, a_result("0-0").body]


def test_a_state_is_replaced_where_it_lies(path: str, store: SqliteStore) -> None:
    store.store_results([a_result("a", state="STARTED"), a_result("b"), a_result("a", state="RETRY", value=2)])
    store.keep("node", name="node", info={}, queues=[])

    store.store_results([a_result("a", value=3), a_result("a", state="FAILURE")])

    assert list(store.load(["a", "b"])) == [a_result("a", value=3).body, a_result("b").body]
    assert sum(notes(path)) == 2


def test_what_was_forgotten_leaves_no_note(path: str, store: SqliteStore) -> None:
    ids = [str(number) for number in range(1000)]
    store.store_results([a_result(id) for id in ids])
    store.keep("node", name="node", info={}, queues=[])
    store.store_results([a_result("late")])

    store.forget([*ids, "late"])
    store.store_results([a_result("late", state="FAILURE")])

    assert notes(path) == (1, 0)
    assert list(store.load(["late", "7"])) == [a_result("late", state="FAILURE").body, None]
