"""Messages that wait: at the back of a queue, at its front, or in the schedule.

In a job's life: publish -> **here** -> ``leases.take``. Every function runs inside a transaction of its caller and
answers with what others should hear. Does not know: leases, clocks (it is told what time it is).
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from celeriac.abc import Scheduled

MOST_DUE = 1000
"""Move so many messages from the schedule in one transaction."""


class Letter(Struct, frozen=True):
    """A message as it lies in a queue."""

    queue: str
    priority: int
    """0 … 9; 0 is served first."""
    raw: bytes
    """The envelope."""
    due: float | None = None
    """Not before this moment, seconds since 1970. ``None``: at once."""


class Arrivals:
    """What a transaction has put where somebody may wait for it."""

    def __init__(self) -> None:
        self.queues: Counter[str] = Counter()
        """How many messages for each queue."""
        self.alarm = False
        """The schedule has a new first date."""


def post(db: sqlite3.Connection, letters: Sequence[Letter], *, now: float, arrivals: Arrivals) -> None:
    """Put each letter at the back of its queue, or into the schedule when its time has not come."""
    ready = [letter for letter in letters if letter.due is None or letter.due <= now]
    if ready:
        first = _next_id(db)
        _insert(db, ready, first)
        db.execute("INSERT INTO waiting SELECT queue, priority, id FROM message WHERE id >= ?", (first,))
        arrivals.queues.update(letter.queue for letter in ready)
    if len(ready) < len(letters):
        _schedule(db, [letter for letter in letters if letter.due is not None and letter.due > now], arrivals)


def put_first(db: sqlite3.Connection, letters: Sequence[Letter], arrivals: Arrivals) -> None:
    """Put these letters before all others of their priority; the first of them is the first to be served."""
    if not letters:
        return
    [[smallest]] = db.execute("SELECT coalesce(min(id), 1) FROM message").fetchall()
    first = smallest - len(letters)
    _insert(db, letters, first)
    rows = [(letter.queue, letter.priority, first + place) for place, letter in enumerate(letters)]
    db.executemany("INSERT INTO waiting VALUES (?, ?, ?)", rows)
    arrivals.queues.update(letter.queue for letter in letters)


def move_due(db: sqlite3.Connection, *, now: float, arrivals: Arrivals) -> float | None:
    """Put what is due at the back of its queue; return the next date, which is past when there was too much for once."""
    due = db.execute(
        "SELECT s.due, s.message, m.queue FROM schedule s JOIN message m ON m.id = s.message WHERE s.due <= ?"
        " ORDER BY s.due, s.message LIMIT ?",
        (now, MOST_DUE),
    ).fetchall()
    _to_queues(db, due, arrivals)
    return next_due(db)


def dated(db: sqlite3.Connection, queues: Sequence[str], *, limit: int) -> list[Scheduled]:
    """Return the first that are scheduled for ``queues``."""
    rows = db.execute(
        "SELECT m.raw, m.queue, s.due FROM schedule s JOIN message m ON m.id = s.message"
        " WHERE m.queue IN (SELECT value FROM json_each(?)) ORDER BY s.due, s.message LIMIT ?",
        (json.dumps(list(queues)), limit),
    )
    return [Scheduled(*row) for row in rows.fetchall()]


def hasten(db: sqlite3.Connection, queues: Sequence[str], *, limit: int, arrivals: Arrivals) -> int:
    """Put the first that are scheduled for ``queues`` at the back of them, due or not; return how many."""
    early = db.execute(
        "SELECT s.due, s.message, m.queue FROM schedule s JOIN message m ON m.id = s.message"
        " WHERE m.queue IN (SELECT value FROM json_each(?)) ORDER BY s.due, s.message LIMIT ?",
        (json.dumps(list(queues)), limit),
    ).fetchall()
    _to_queues(db, early, arrivals)
    return len(early)


def _to_queues(db: sqlite3.Connection, rows: Sequence[tuple[float, int, str]], arrivals: Arrivals) -> None:
    """Move from the schedule to the back of the queues: rows of date, message and queue."""
    if not rows:
        return
    first = _next_id(db)
    db.executemany("DELETE FROM schedule WHERE due = ? AND message = ?", [(date, message) for date, message, _ in rows])
    # A new id, since the id is the rank: what comes now stands behind what was published meanwhile.
    db.executemany("UPDATE message SET id = ? WHERE id = ?", [(first + i, message) for i, (_, message, _) in enumerate(rows)])
    db.execute("INSERT INTO waiting SELECT queue, priority, id FROM message WHERE id >= ?", (first,))
    arrivals.queues.update(queue for _, _, queue in rows)


def next_due(db: sqlite3.Connection) -> float | None:
    """Return the first date of the schedule."""
    [[due]] = db.execute("SELECT min(due) FROM schedule").fetchall()
    return None if due is None else float(due)


def read(db: sqlite3.Connection, message: int) -> Letter:
    """Return a message as it lies there."""
    [row] = db.execute("SELECT queue, priority, raw FROM message WHERE id = ?", (message,)).fetchall()
    return Letter(*row)


def count(db: sqlite3.Connection, queue: str) -> int:
    """Return how many messages wait in ``queue``."""
    [[found]] = db.execute("SELECT count(*) FROM waiting WHERE queue = ?", (queue,)).fetchall()
    return int(found)


def scheduled(db: sqlite3.Connection) -> int:
    """Return how many messages are in the schedule."""
    [[found]] = db.execute("SELECT count(*) FROM schedule").fetchall()
    return int(found)


def any_waits(db: sqlite3.Connection, queue: str) -> bool:
    """Say whether ``queue`` has messages."""
    return first_priority(db, queue, after=-1) is not None


def first_priority(db: sqlite3.Connection, queue: str, *, after: int) -> int | None:
    """Return the smallest priority above ``after`` that has messages in ``queue``."""
    row = db.execute(
        "SELECT priority FROM waiting WHERE queue = ? AND priority > ? ORDER BY priority LIMIT 1", (queue, after)
    ).fetchone()
    return None if row is None else int(row[0])


def purge(db: sqlite3.Connection, queue: str) -> int:
    """Drop what waits in ``queue``, is parked or scheduled for it; return how many."""
    doomed = db.execute("DELETE FROM waiting WHERE queue = ? RETURNING message", (queue,)).fetchall()
    doomed += db.execute(
        "DELETE FROM schedule WHERE message IN (SELECT id FROM message WHERE queue = ?) RETURNING message", (queue,)
    ).fetchall()
    doomed += db.execute(
        "DELETE FROM parked WHERE message IN (SELECT id FROM message WHERE queue = ?) RETURNING message", (queue,)
    ).fetchall()
    db.executemany("DELETE FROM message WHERE id = ?", doomed)
    return len(doomed)


def _insert(db: sqlite3.Connection, letters: Sequence[Letter], first: int) -> None:
    rows = [(first + place, letter.queue, letter.priority, letter.raw) for place, letter in enumerate(letters)]
    db.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", rows)


def _schedule(db: sqlite3.Connection, letters: Sequence[Letter], arrivals: Arrivals) -> None:
    earliest = next_due(db)
    first = _next_id(db)
    _insert(db, letters, first)
    db.executemany("INSERT INTO schedule VALUES (?, ?)", [(letter.due, first + place) for place, letter in enumerate(letters)])
    soonest = min(letter.due for letter in letters if letter.due is not None)
    arrivals.alarm = arrivals.alarm or earliest is None or soonest < earliest


def _next_id(db: sqlite3.Connection) -> int:
    # At least 1, so that the front of the queues has the numbers below.
    [[largest]] = db.execute("SELECT coalesce(max(id), 0) FROM message").fetchall()
    return max(int(largest), 0) + 1
