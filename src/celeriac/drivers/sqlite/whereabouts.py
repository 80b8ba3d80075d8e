"""Where the messages of one task lie, in the database.

Beside a job's life. Reads in pages, each a statement of its own: readers hold nobody up, but a long one would keep the log from
being tidied. Does not know: who asks, whose lease has ended.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from celeriac.abc import DeadRecord, Held, Lessee, Parked, Place, Scheduled, Waiting
from celeriac.core.wanted import Wanted
from celeriac.drivers.sqlite import dead

PAGE: Final = 5_000
"""Messages looked at in one statement."""

_LEASE: Final = (
    "SELECT l.tag, l.joined, e.node, e.child, coalesce(n.name, ''), coalesce(n.ends, 0)"
    " FROM lease l JOIN lessee e ON e.id = l.lessee LEFT JOIN node n ON n.id = e.node WHERE l.message = ?"
)
_PARKED: Final = (
    "SELECT p.task, (SELECT count(*) FROM parked o JOIN message m ON m.id = o.message"
    " WHERE o.task = p.task AND o.message < p.message AND m.queue = ?) FROM parked p WHERE p.message = ?"
)


def alive(db: sqlite3.Connection, wanted: Wanted, now: float) -> Iterator[Place]:
    """Look at all messages but the dead."""
    for id, queue, raw in _pages(db, "message", wanted):
        found = _place(db, id, queue, raw, now)
        if found is not None:
            yield found


def buried(db: sqlite3.Connection, wanted: Wanted) -> Iterator[DeadRecord]:
    """Look at dead letters."""
    for id, _, _ in _pages(db, "dead", wanted):
        record = dead.get(db, str(id))
        if record is not None:
            yield record


def _pages(db: sqlite3.Connection, table: str, wanted: Wanted) -> Iterator[tuple[int, str, bytes]]:
    # table: one of two constants
    [[first, last]] = db.execute(f"SELECT min(id), max(id) FROM {table}").fetchall()  # noqa: S608
    if first is None:
        return
    test = " OR ".join("instr(raw, ?) > 0" for _ in wanted.spellings)
    query = f"SELECT id, queue, raw FROM {table} WHERE id BETWEEN ? AND ? AND ({test}) ORDER BY id"  # noqa: S608
    while first is not None and first <= last:
        rows = db.execute(f"SELECT max(id) FROM (SELECT id FROM {table} WHERE id >= ? ORDER BY id LIMIT ?)", (first, PAGE))  # noqa: S608
        [[end]] = rows.fetchall()
        if end is None:
            return
        for row in db.execute(query, (first, end, *wanted.spellings)).fetchall():
            if wanted.is_in(row[2]):
                yield row
        first = end + 1


def _place(db: sqlite3.Connection, id: int, queue: str, raw: bytes, now: float) -> Place | None:
    """Return where a message lies; ``None``: it is gone meanwhile."""
    for (due,) in db.execute("SELECT due FROM schedule WHERE message = ?", (id,)).fetchall():
        return Scheduled(raw, queue, due)
    for tag, joined, node, child, name, ends in db.execute(_LEASE, (id,)).fetchall():
        return Held(raw, queue, Lessee(node, child), tag, bool(joined), name, max(0.0, ends - now))
    for task, ahead in db.execute(_PARKED, (queue, id)).fetchall():
        return Parked(raw, queue, task, ahead)
    for (priority,) in db.execute("SELECT priority FROM waiting WHERE queue = ? AND message = ?", (queue, id)).fetchall():
        [[ahead]] = db.execute(
            "SELECT count(*) FROM waiting WHERE queue = ? AND (priority < ? OR priority = ? AND message < ?)",
            (queue, priority, priority, id),
        ).fetchall()
        return Waiting(raw, queue, ahead)
    return None
