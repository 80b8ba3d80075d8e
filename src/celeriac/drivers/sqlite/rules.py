"""What operators have said: revoked ids and stamps, each with an end, and what is paused; one revision for all of it.

Every function runs inside a transaction of its caller. Does not know: clocks (it is told what time it is), what waits
or is parked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Literal

from celeriac.core.rules import REVOKED_AT_MOST, Rules

Kind = Literal["queue", "task"]


def revoke(db: sqlite3.Connection, ids: Sequence[str], *, until: float, now: float, at_most: int = REVOKED_AT_MOST) -> None:
    """Forbid these ids until ``until`` (seconds since 1970)."""
    db.executemany("INSERT OR REPLACE INTO revocation (id, ends) VALUES (?, ?)", [(id, until) for id in ids])
    _trim(db, "revocation", now, at_most)
    _changed(db, len(ids))


def revoke_stamps(
    db: sqlite3.Connection, stamps: Mapping[str, Sequence[str]], *, until: float, now: float, at_most: int = REVOKED_AT_MOST
) -> None:
    """Forbid what bears one of these stamps."""
    rows = [(header, value, until) for header, values in stamps.items() for value in values]
    db.executemany("INSERT OR REPLACE INTO stamp_revocation (header, value, ends) VALUES (?, ?, ?)", rows)
    _trim(db, "stamp_revocation", now, at_most)
    _changed(db, len(rows))


def pause(db: sqlite3.Connection, kind: Kind, names: Sequence[str]) -> None:
    """Note that these are paused."""
    cursor = db.executemany("INSERT OR IGNORE INTO pause VALUES (?, ?)", [(kind, name) for name in names])
    _changed(db, cursor.rowcount)


def resume(db: sqlite3.Connection, kind: Kind, names: Sequence[str]) -> None:
    """Note that these are not paused."""
    cursor = db.executemany("DELETE FROM pause WHERE kind = ? AND name = ?", [(kind, name) for name in names])
    _changed(db, cursor.rowcount)


def paused(db: sqlite3.Connection, kind: Kind) -> frozenset[str]:
    """Return what is paused."""
    return frozenset(name for (name,) in db.execute("SELECT name FROM pause WHERE kind = ?", (kind,)))


def revision(db: sqlite3.Connection) -> int:
    """Return a number that grows with each change."""
    [[number]] = db.execute("SELECT value FROM mark WHERE name = 'revision'").fetchall()
    return int(number)


def current(db: sqlite3.Connection, now: float) -> Rules:
    """Return what is in force now. The revision is read first: what changes meanwhile is read once more, and not missed."""
    number = revision(db)
    ids = frozenset(id for (id,) in db.execute("SELECT id FROM revocation WHERE ends > ?", (now,)))
    stamps: dict[str, set[str]] = {}
    for header, value in db.execute("SELECT header, value FROM stamp_revocation WHERE ends > ?", (now,)):
        stamps.setdefault(header, set()).add(value)
    frozen = {header: frozenset(values) for header, values in stamps.items()}
    return Rules(number, ids, frozen, paused(db, "queue"), paused(db, "task"))


def _trim(db: sqlite3.Connection, table: str, now: float, at_most: int) -> None:
    # table: one of two constants
    db.execute(f"DELETE FROM {table} WHERE ends <= ?", (now,))  # noqa: S608
    newest = f"SELECT number FROM {table} ORDER BY number DESC LIMIT 1 OFFSET ?"  # noqa: S608
    db.execute(f"DELETE FROM {table} WHERE number <= ({newest})", (at_most,))  # noqa: S608


def _changed(db: sqlite3.Connection, rows: int) -> None:
    if rows > 0:
        db.execute("UPDATE mark SET value = value + 1 WHERE name = 'revision'")
