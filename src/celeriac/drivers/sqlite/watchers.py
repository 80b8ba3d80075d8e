"""Who wants to hear of which task: names of bells, and the news that lie there for them.

In a job's life: a caller **watches** the id of its task; the transaction that stores a state under it leaves a copy of the
state as news, and rings when it has committed; the listener of the caller reads its news. So a ring that is lost, or
comes twice, loses and doubles nothing. Every function runs inside a transaction of its caller. Does not know: sockets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct, json


class News(Struct, frozen=True):
    """One state for one watcher."""

    number: int
    """Grows."""
    task_id: str
    body: bytes


def add(db: sqlite3.Connection, bell: str, ids: Sequence[str]) -> None:
    """Let ``bell`` hear of these ids."""
    db.executemany("INSERT OR IGNORE INTO watcher VALUES (?, ?)", [(id, bell) for id in ids])


def drop(db: sqlite3.Connection, bell: str, ids: Sequence[str]) -> None:
    """Let ``bell`` hear of these ids no more."""
    db.executemany("DELETE FROM watcher WHERE task_id = ? AND address = ?", [(id, bell) for id in ids])


def drop_all(db: sqlite3.Connection, bell: str) -> None:
    """Forget ``bell``."""
    db.execute("DELETE FROM watcher WHERE address = ?", (bell,))
    db.execute("DELETE FROM news WHERE address = ?", (bell,))


def find(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the bells that want to hear, for each of these ids that has any."""
    found: dict[str, list[str]] = {}
    if db.execute("SELECT 1 FROM watcher LIMIT 1").fetchone() is not None:
        rows = db.execute(
            "SELECT task_id, address FROM watcher WHERE task_id IN (SELECT value FROM json_each(?))", (json.encode(ids).decode(),)
        )
        for id, bell in rows.fetchall():
            found.setdefault(id, []).append(bell)
    return found


def leave_news(db: sqlite3.Connection, id: str, body: bytes, bells: Sequence[str]) -> None:
    """Leave one state for those who watch it."""
    db.executemany("INSERT INTO news (address, task_id, body) VALUES (?, ?, ?)", [(bell, id, body) for bell in bells])


def read_news(db: sqlite3.Connection, bell: str, *, after: int, limit: int) -> list[News]:
    """Return what lies there for ``bell``, oldest first."""
    rows = db.execute(
        "SELECT number, task_id, body FROM news WHERE number > ? AND address = ? ORDER BY number LIMIT ?", (after, bell, limit)
    )
    return [News(*row) for row in rows.fetchall()]


def clear_news(db: sqlite3.Connection, bell: str, *, until: int) -> None:
    """Remove what ``bell`` has read."""
    db.execute("DELETE FROM news WHERE number <= ? AND address = ?", (until, bell))
