"""What is known about tasks: one encoded task meta for each id.

In a job's life: settle -> **store** -> load by the caller. The first SUCCESS under an id stays, whoever comes later.
Every function runs inside a transaction of its caller. Does not know: what the bytes say, sockets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import json

from celeriac.core.settlement import StoredResult
from celeriac.drivers.sqlite import watchers

SWEPT_AT_ONCE: Final = 2000
"""Delete so many expired results in one transaction."""

# An expired SUCCESS is one that is not there any more.
_STORE: Final = (
    "INSERT INTO result (id, state, body, ends) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
    " SET state = excluded.state, body = excluded.body, ends = excluded.ends"
    " WHERE state <> 'SUCCESS' OR ends <= ?"
)


def store(db: sqlite3.Connection, results: Sequence[StoredResult], now: float) -> set[str]:
    """Keep these states; return the bells of those who must hear of them."""
    rung: set[str] = set()
    if not results:
        return rung
    awaited = watchers.find(db, [result.id for result in results])
    rows = [(r.id, r.state, r.body, None if r.ttl_s is None else now + r.ttl_s, now) for r in results]
    db.executemany(_STORE, [row for row in rows if row[0] not in awaited] if awaited else rows)
    if awaited:
        for row in rows:
            bells = awaited.get(row[0])
            if bells and db.execute(_STORE, row).rowcount:
                watchers.leave_news(db, row[0], row[2], bells)
                rung.update(bells)
    return rung


def load(db: sqlite3.Connection, ids: Sequence[str], now: float) -> list[bytes | None]:
    """Return the body under each id, or ``None``."""
    if len(ids) == 1:
        rows = db.execute("SELECT id, body FROM result WHERE id = ? AND (ends IS NULL OR ends > ?)", (ids[0], now)).fetchall()
    else:
        rows = db.execute(
            "SELECT id, body FROM result WHERE id IN (SELECT value FROM json_each(?)) AND (ends IS NULL OR ends > ?)",
            (json.encode(ids).decode(), now),
        ).fetchall()
    found: dict[str, bytes] = dict(rows)
    return [found.get(id) for id in ids]


def forget(db: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Delete what is kept."""
    db.executemany("DELETE FROM result WHERE id = ?", [(id,) for id in ids])


def sweep(db: sqlite3.Connection, now: float) -> bool:
    """Delete some of what has expired; say whether there may be more."""
    cursor = db.execute(
        "DELETE FROM result WHERE number IN (SELECT number FROM result WHERE ends <= ? ORDER BY ends LIMIT ?)",
        (now, SWEPT_AT_ONCE),
    )
    return cursor.rowcount == SWEPT_AT_ONCE
