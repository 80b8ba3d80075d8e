"""Messages that are put aside, under the name of their task type.

In a job's life: settle puts a message **here** whose type is paused or throttled; resume or release puts it back into its queue.
It keeps its id, which is its rank: so it comes back in front of all that was published after it. Every function runs inside a
transaction of its caller. Does not know: which types are paused.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from msgspec import json

from celeriac.drivers.sqlite.queueing import Arrivals

_TASKS = """
WITH RECURSIVE known(task) AS (
  SELECT min(task) FROM parked
  UNION ALL SELECT (SELECT min(task) FROM parked WHERE task > known.task) FROM known WHERE known.task IS NOT NULL
)
SELECT task FROM known WHERE task IS NOT NULL AND task NOT IN (SELECT name FROM pause WHERE kind = 'task')
"""
"""From one name to the next: to read all rows each second would take long when there are many."""


def park(db: sqlite3.Connection, task: str, message: int) -> None:
    """Put ``message`` aside, which is not leased any more."""
    db.execute("INSERT INTO parked VALUES (?, ?)", (task, message))


def unpark_all(db: sqlite3.Connection, task: str, arrivals: Arrivals) -> None:
    """Put everything of a type back into its queue."""
    db.execute(
        "INSERT INTO waiting SELECT m.queue, m.priority, m.id FROM parked p JOIN message m ON m.id = p.message WHERE p.task = ?",
        (task,),
    )
    counts = db.execute(
        "SELECT m.queue, count(*) FROM parked p JOIN message m ON m.id = p.message WHERE p.task = ? GROUP BY m.queue", (task,)
    )
    arrivals.queues.update(dict(counts.fetchall()))
    db.execute("DELETE FROM parked WHERE task = ?", (task,))


def unpark(db: sqlite3.Connection, task: str, *, queues: Sequence[str], limit: int, arrivals: Arrivals) -> int:
    """Put the oldest of a type, in these queues, back; return how many."""
    rows = db.execute(
        "SELECT m.queue, m.priority, m.id FROM parked p JOIN message m ON m.id = p.message"
        " WHERE p.task = ? AND m.queue IN (SELECT value FROM json_each(?)) ORDER BY p.message LIMIT ?",
        (task, json.encode(list(queues)).decode(), limit),
    ).fetchall()
    db.executemany("INSERT INTO waiting VALUES (?, ?, ?)", rows)
    db.executemany("DELETE FROM parked WHERE task = ? AND message = ?", [(task, message) for _, _, message in rows])
    arrivals.queues.update(Counter(queue for queue, _, _ in rows))
    return len(rows)


def throttled(db: sqlite3.Connection) -> list[str]:
    """Return the types of which something is parked, and that are not paused."""
    return [task for (task,) in db.execute(_TASKS)]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many messages of each type are parked."""
    return dict(db.execute("SELECT task, count(*) FROM parked GROUP BY task").fetchall())
