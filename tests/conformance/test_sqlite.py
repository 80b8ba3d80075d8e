"""The SQLite store keeps the contract, in a file, with the machine's clock."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.conformance import Conformance, KeepingTimetables, Subject


def insert(path: str, queue: str, raw: bytes) -> None:
    """Put any bytes at the back of ``queue``, with nothing but SQL."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("BEGIN IMMEDIATE")
        [[last]] = db.execute("SELECT max(0, coalesce(max(id), 0)) FROM message")
        db.execute("INSERT INTO message (id, queue, priority, raw) VALUES (?, ?, 0, ?)", (last + 1, queue, raw))
        db.execute("INSERT INTO waiting (queue, priority, message) VALUES (?, 0, ?)", (queue, last + 1))


class TestSqliteStore(Conformance, KeepingTimetables):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        runtime, path = SystemRuntime(), str(tmp_path / "celeriac.db")
        with closing(SqliteStore(path, runtime=runtime)) as store, closing(SqliteStore(path, runtime=runtime)) as another:
            yield Subject(
                store=store,
                runtime=runtime,
                advance=time.sleep,
                another=lambda: another,
                inject=partial(insert, path),
                lease_s=0.3,
            )
