"""Who holds which message: a lease has a tag, and belongs to one child of one node.

In a job's life: ``queues`` -> **take** -> the child runs it -> **release**, or **adopt** when the child died.
Every function runs inside a transaction of its caller. Does not know: whether nodes are alive (``nodes.py``), what the
messages say.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct, json

from celeriac.abc import Lessee
from celeriac.drivers.sqlite.queueing import any_waits, first_priority

AT_ONCE_BYTES = 1 << 20
"""Large messages are taken by the megabyte, however many were asked for: whoever takes them must hold them."""


class Held(Struct, frozen=True):
    """A message that is leased."""

    tag: int
    queue: str
    raw: bytes
    joined: bool = False


def find_lessee(db: sqlite3.Connection, lessee: Lessee) -> int | None:
    """Return the number of ``lessee``; ``None``: holds nothing."""
    row = db.execute("SELECT id FROM lessee WHERE node = ? AND child = ?", (lessee.node, lessee.child)).fetchone()
    return None if row is None else int(row[0])


def enter_lessee(db: sqlite3.Connection, lessee: Lessee) -> int:
    """Return the number of ``lessee``, a new one if need be."""
    number = find_lessee(db, lessee)
    if number is None:
        cursor = db.execute("INSERT INTO lessee (node, child) VALUES (?, ?)", (lessee.node, lessee.child))
        assert cursor.lastrowid is not None
        number = cursor.lastrowid
    return number


def take(db: sqlite3.Connection, queues: Sequence[str], *, holder: int, limit: int) -> tuple[list[Held], list[str]]:
    """Lease up to ``limit`` messages to ``holder``, most urgent first; return them, and the queues that have more."""
    taken: list[Held] = []
    heads = {queue: first_priority(db, queue, after=-1) for queue in queues}
    size = 0
    while len(taken) < limit and size < AT_ONCE_BYTES:
        # Of equals the first: the queues are in the order in which they were asked for.
        urgent = min((head for head in heads.values() if head is not None), default=None)
        if urgent is None:
            break
        queue = next(queue for queue, head in heads.items() if head == urgent)
        wanted = limit - len(taken)
        some = _take_from(db, queue, urgent, holder, wanted)
        taken += some
        size += sum(len(held.raw) for held in some)
        if len(some) < wanted and size < AT_ONCE_BYTES:
            heads[queue] = first_priority(db, queue, after=urgent)
    # What was a head above may have been taken since.
    return taken, [queue for queue, head in heads.items() if head is not None and any_waits(db, queue)]


def _take_from(db: sqlite3.Connection, queue: str, priority: int, holder: int, limit: int) -> list[Held]:
    found = db.execute(
        "SELECT w.message, m.raw FROM waiting w JOIN message m ON m.id = w.message"
        " WHERE w.queue = ? AND w.priority = ? ORDER BY w.message LIMIT ?",
        (queue, priority, limit),
    )
    rows, size = [], 0
    for row in found:
        rows.append(row)
        size += len(row[1])
        if size >= AT_ONCE_BYTES:
            break
    if not rows:
        return []
    db.executemany("INSERT INTO lease (lessee, message) VALUES (?, ?)", [(holder, message) for message, _ in rows])
    [[last]] = db.execute("SELECT last_insert_rowid()").fetchall()
    db.execute("DELETE FROM waiting WHERE queue = ? AND priority = ? AND message <= ?", (queue, priority, rows[-1][0]))
    first = last - len(rows) + 1
    return [Held(first + place, queue, raw) for place, (_, raw) in enumerate(rows)]


def held_by(db: sqlite3.Connection, lessee: Lessee, *, above: int = 0) -> list[Held]:
    """Return what ``lessee`` holds under tags larger than ``above``, oldest first."""
    rows = db.execute(
        "SELECT l.tag, m.queue, m.raw, l.joined FROM lease l JOIN message m ON m.id = l.message"
        " WHERE l.lessee = ? AND l.tag > ? ORDER BY l.tag",
        (find_lessee(db, lessee), above),
    )
    return [Held(tag, queue, raw, bool(joined)) for tag, queue, raw, joined in rows]


def release(db: sqlite3.Connection, lessee: Lessee, tags: Sequence[int]) -> dict[int, int]:
    """End these leases; return the message under each tag that ``lessee`` did hold."""
    rows = db.execute(
        "DELETE FROM lease WHERE lessee = ? AND tag IN (SELECT value FROM json_each(?)) RETURNING tag, message",
        (find_lessee(db, lessee), json.encode(tags).decode()),
    )
    return dict(rows.fetchall())


def stay(db: sqlite3.Connection, lessee: Lessee, tag: int, message: int) -> None:
    """Let ``lessee`` hold on to ``message`` under its tag, which was released in this transaction, as one that is joined."""
    db.execute("INSERT INTO lease VALUES (?, ?, ?, 1)", (tag, enter_lessee(db, lessee), message))


def adopt(db: sqlite3.Connection, lost: Lessee, by: Lessee, limit: int) -> None:
    """Move up to ``limit`` leases, the oldest first. One that holds none is forgotten."""
    number = find_lessee(db, lost)
    if number is None:
        return
    cursor = db.execute(
        "UPDATE lease SET lessee = ? WHERE tag IN (SELECT tag FROM lease WHERE lessee = ? ORDER BY tag LIMIT ?)",
        (enter_lessee(db, by), number, limit),
    )
    if cursor.rowcount < limit:
        db.execute("DELETE FROM lessee WHERE id = ? AND NOT EXISTS (SELECT 1 FROM lease WHERE lessee = ?)", (number, number))
