"""Which tasks must not start: ids with an end, and a revision that grows with each change.

Every function runs inside a transaction of its caller. Does not know: clocks (it is told what time it is).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

KEPT: Final = 50_000
"""So many of the newest are remembered."""


def add(db: sqlite3.Connection, ids: Sequence[str], *, until: float, now: float) -> None:
    """Forbid these ids until ``until`` (seconds since 1970)."""
    db.executemany("INSERT OR REPLACE INTO revocation (id, ends) VALUES (?, ?)", [(id, until) for id in ids])
    db.execute("DELETE FROM revocation WHERE ends <= ?", (now,))
    db.execute(
        "DELETE FROM revocation WHERE number <= (SELECT number FROM revocation ORDER BY number DESC LIMIT 1 OFFSET ?)", (KEPT,)
    )
    db.execute("UPDATE mark SET value = value + 1 WHERE name = 'revision'")


def revision(db: sqlite3.Connection) -> int:
    """Return a number that grows with each change."""
    [[number]] = db.execute("SELECT value FROM mark WHERE name = 'revision'").fetchall()
    return int(number)


def current(db: sqlite3.Connection, now: float) -> frozenset[str]:
    """Return the ids that are forbidden now."""
    return frozenset(id for (id,) in db.execute("SELECT id FROM revocation WHERE ends > ?", (now,)))
