"""What cannot go on: dead letters with the reason, in the order of their deaths.

In a job's life: a settlement that ends it badly -> **here** -> a person replays or purges it.
Every function runs inside a transaction of its caller. Does not know: clocks, leases.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from celeriac.abc import DeadRecord
from celeriac.core.settlement import DeadLetter
from celeriac.drivers.sqlite.queueing import Letter

_COLUMNS = "id, at, queue, reason, detail, task, task_id, raw"


def add(db: sqlite3.Connection, message: int, why: DeadLetter, at: float) -> None:
    """Keep a copy of ``message``, which died at ``at`` (seconds since 1970)."""
    db.execute(
        "INSERT INTO dead (at, queue, priority, reason, detail, task, task_id, raw)"
        " SELECT ?, queue, priority, ?, ?, ?, ?, raw FROM message WHERE id = ?",
        (at, why.reason, why.detail, why.task, why.task_id, message),
    )


def page(db: sqlite3.Connection, *, limit: int, after: str | None) -> list[DeadRecord]:
    """Return up to ``limit`` records after the one with id ``after``, which may be gone by now."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM dead WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - a constant
        (0 if after is None else _number(after), limit),
    )
    return [_record(row) for row in rows.fetchall()]


def get(db: sqlite3.Connection, id: str) -> DeadRecord | None:
    """Return one record, or ``None``."""
    row = db.execute(f"SELECT {_COLUMNS} FROM dead WHERE id = ?", (_number(id),)).fetchone()  # noqa: S608 - a constant
    return None if row is None else _record(row)


def take(db: sqlite3.Connection, ids: Iterable[str]) -> list[Letter]:
    """Remove these dead letters and return them as they were."""
    letters = []
    for id in ids:
        rows = db.execute("DELETE FROM dead WHERE id = ? RETURNING queue, priority, raw", (_number(id),)).fetchall()
        letters += [Letter(*row) for row in rows]
    return letters


def drop_all(db: sqlite3.Connection) -> int:
    """Forget all; return how many there were."""
    return db.execute("DELETE FROM dead").rowcount


def _record(row: Sequence[object]) -> DeadRecord:
    id, at, queue, reason, detail, task, task_id, raw = row
    assert isinstance(at, float)
    assert isinstance(raw, bytes)
    return DeadRecord(
        id=str(id), at=at, queue=str(queue), reason=str(reason), detail=str(detail), task=str(task), task_id=str(task_id), raw=raw
    )


def _number(id: str) -> int:
    # Ids come from people: what is no number, or more than SQLite can count, names nothing.
    return int(id) if id.isascii() and id.isdigit() and len(id) < 19 else 0
