"""Who listens to notices, and what was said in the last seconds: rows.

In a notice's life: who says it leaves one row, if anybody listens, and rings the bells of those who do; each reads what came
after what he has read. Rows are kept for seconds, and only so many: who is slower misses some. Every function runs
inside a transaction of its caller. Does not know: sockets, what a notice means.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, json

from celeriac.core.notice import fits

KEPT_S: Final = 15.0
"""For so long a notice can be read by those who were listening when it was said."""
KEPT_AT_MOST: Final = 10_000


class Ear(Struct, frozen=True):
    """One pattern of somebody who listens."""

    bell: str
    exchange: str
    pattern: str


class Said(Struct, frozen=True):
    """One notice."""

    number: int
    """Grows."""
    routing_key: str
    raw: bytes


def open_ear(db: sqlite3.Connection, bell: str, exchange: str, patterns: Sequence[str], *, mailbox: bool) -> int:
    """Let ``bell`` ring for these; return the number of the last notice that was said before."""
    rows = [(bell, exchange, pattern, mailbox) for pattern in patterns]
    db.executemany("INSERT INTO ear (address, exchange, pattern, mailbox) VALUES (?, ?, ?, ?)", rows)
    [[last]] = db.execute("SELECT coalesce(max(number), 0) FROM notice").fetchall()
    return int(last)


def close_ear(db: sqlite3.Connection, bell: str) -> None:
    """Ring ``bell`` no more."""
    db.execute("DELETE FROM ear WHERE address = ?", (bell,))


def ears(db: sqlite3.Connection, exchanges: Sequence[str], *, mailbox: bool) -> list[Ear]:
    """Return who listens there."""
    rows = db.execute(
        "SELECT address, exchange, pattern FROM ear WHERE mailbox = ? AND exchange IN (SELECT value FROM json_each(?))",
        (mailbox, json.encode(exchanges).decode()),
    )
    return [Ear(*row) for row in rows.fetchall()]


def write(db: sqlite3.Connection, said: Sequence[tuple[str, str, bytes]], *, mailbox: bool, now: float) -> None:
    """Leave notices (exchange, routing key, bytes), and drop what is old."""
    rows = [(exchange, routing_key, mailbox, now, raw) for exchange, routing_key, raw in said]
    db.executemany("INSERT INTO notice (exchange, routing_key, mailbox, said, raw) VALUES (?, ?, ?, ?, ?)", rows)
    drop_old(db, now)
    db.execute("DELETE FROM notice WHERE number <= (SELECT max(number) FROM notice) - ?", (KEPT_AT_MOST,))


def drop_old(db: sqlite3.Connection, now: float) -> None:
    """Drop what was said too long ago."""
    db.execute("DELETE FROM notice WHERE said < ?", (now - KEPT_S,))


def read(db: sqlite3.Connection, exchange: str, *, mailbox: bool, after: int, limit: int) -> list[Said]:
    """Return what was said at ``exchange`` after number ``after``, oldest first."""
    rows = db.execute(
        "SELECT number, routing_key, raw FROM notice WHERE exchange = ? AND mailbox = ? AND number > ? ORDER BY number LIMIT ?",
        (exchange, mailbox, after, limit),
    )
    return [Said(*row) for row in rows.fetchall()]


def hears(ear: Ear, exchange: str, routing_key: str, *, mailbox: bool) -> bool:
    """Say whether this one wants to hear what is said there."""
    return ear.exchange == exchange and reaches((ear.pattern,), routing_key, mailbox=mailbox)


def reaches(patterns: Sequence[str], routing_key: str, *, mailbox: bool) -> bool:
    """Say whether one of these patterns, or the key of a mailbox, is meant."""
    return routing_key in patterns if mailbox else fits(patterns, routing_key)
