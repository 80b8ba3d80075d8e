"""Notices in the database: heard at once, kept for seconds, and who died is struck off."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from statistics import median

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core.notice import Notice
from celeriac.drivers.sqlite import notices
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.conformance.notices import Heard, a_notice
from celeriac.testing.conformance.subject import PATIENCE_S, alive

SOON_S = 0.1
"""A generous bound: measured is less than a millisecond."""


@pytest.fixture
def speaker(path: str) -> Iterator[SqliteStore]:
    """Return a second store on the same file, as another process has it."""
    with closing(SqliteStore(path, runtime=SystemRuntime())) as store:
        yield store


def count(path: str, table: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_notice_is_heard_at_once(store: SqliteStore, speaker: SqliteStore) -> None:
    heard: SimpleQueue[float] = SimpleQueue()
    store.broadcast.listen("news", ["#"], lambda notice: heard.put(time.perf_counter()))
    took = []

    for _ in range(50):
        began = time.perf_counter()
        speaker.broadcast.say([a_notice("a")])
        took.append(heard.get(timeout=PATIENCE_S) - began)

    assert median(took) < SOON_S


def test_who_speaks_to_nobody_writes_nothing(path: str, speaker: SqliteStore) -> None:
    speaker.broadcast.say([a_notice("a")])
    speaker.broadcast.answer(a_notice("b", key="k"))

    assert count(path, "notice") == 0


def test_only_so_many_notices_are_kept_for_those_who_do_not_hear(path: str, store: SqliteStore, speaker: SqliteStore) -> None:
    heard = Heard()
    store.broadcast.listen("news", ["#"], heard)

    for _ in range(3):
        speaker.broadcast.say([a_notice("a")] * (notices.KEPT_AT_MOST // 2))

    assert count(path, "notice") == notices.KEPT_AT_MOST


def test_old_notices_are_dropped_by_the_next_one_and_by_a_sweep(path: str, store: SqliteStore, speaker: SqliteStore) -> None:
    store.broadcast.listen("news", ["#"], Heard())
    speaker.broadcast.say([a_notice("a"), a_notice("b")])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE notice SET said = said - ?", (notices.KEPT_S + 1,))

    speaker.broadcast.say([a_notice("c")])
    assert count(path, "notice") == 1

    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE notice SET said = said - ?", (notices.KEPT_S + 1,))
    alive(speaker, "node")
    assert count(path, "notice") == 0


def test_a_listener_that_died_is_struck_off_by_who_speaks_next(path: str, speaker: SqliteStore) -> None:
    child = os.fork()
    if child == 0:
        SqliteStore(path, runtime=SystemRuntime()).broadcast.listen("news", ["#"], Heard())
        os._exit(0)
    os.waitpid(child, 0)
    assert count(path, "ear") == 1

    speaker.broadcast.say([a_notice("a")])

    assert count(path, "ear") == 0


def test_a_closed_ear_leaves_no_row(path: str, store: SqliteStore) -> None:
    listening = store.broadcast.listen("news", ["task.#", "worker.#"], Heard())
    mailbox = store.broadcast.open_mailbox("replies", "me", Heard())
    assert count(path, "ear") == 3

    listening.close()
    mailbox.close()

    assert count(path, "ear") == 0


def test_an_ear_whose_socket_was_removed_hears_again(path: str, store: SqliteStore, speaker: SqliteStore) -> None:
    heard: SimpleQueue[Notice] = SimpleQueue()
    store.broadcast.listen("news", ["#"], heard.put)

    for socket in Path(f"{path}-bells").iterdir():
        socket.unlink()
    deadline = time.monotonic() + PATIENCE_S
    while heard.empty():
        assert time.monotonic() < deadline
        speaker.broadcast.say([a_notice("after")])
        time.sleep(0.05)

    assert heard.get().parcel.body == b"after"


def test_a_silent_listener_makes_no_calls(store: SqliteStore) -> None:
    store.broadcast.listen("news", ["#"], Heard())
    before = time.process_time()

    time.sleep(0.5)

    assert time.process_time() - before < 0.02
