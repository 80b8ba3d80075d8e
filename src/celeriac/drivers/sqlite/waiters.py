"""Who waits for messages: the names of bells, in the database, so that a publisher can ring one.

In a job's life: fetch finds nothing and **hangs** its bell in the same transaction; the transaction that brings a message
takes one bell down, and rings it when it has committed. A bell that is down is rung by nobody else: one message wakes one.
Every function runs inside a transaction of its caller. Does not know: sockets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from msgspec import Struct

from celeriac.drivers.sqlite import rules
from celeriac.drivers.sqlite.queueing import Arrivals


class Call(Struct, frozen=True):
    """A bell to ring."""

    bell: str
    queue: str | None
    """For what. ``None``: the schedule has a new first date."""


def hang(db: sqlite3.Connection, bell: str, queues: Sequence[str]) -> None:
    """Wait for messages of these queues."""
    db.executemany("INSERT INTO waiter (address, queue) VALUES (?, ?)", [(bell, queue) for queue in dict.fromkeys(queues)])


def hang_for_alarm(db: sqlite3.Connection, bell: str) -> None:
    """Wait for a new first date in the schedule."""
    db.execute("INSERT INTO waiter (address, queue) VALUES (?, NULL)", (bell,))


def take_down(db: sqlite3.Connection, bell: str) -> None:
    """Wait no more."""
    db.execute("DELETE FROM waiter WHERE address = ?", (bell,))


def hangs(db: sqlite3.Connection, bell: str) -> bool:
    """Say whether ``bell`` waits still: it was not chosen."""
    return db.execute("SELECT 1 FROM waiter WHERE address = ? LIMIT 1", (bell,)).fetchone() is not None


def choose(db: sqlite3.Connection, arrived: Mapping[str, int]) -> list[Call]:
    """Take down, and return, one bell for each message that arrived: those that wait longest. None for paused queues."""
    calls: list[Call] = []
    if not arrived or db.execute("SELECT 1 FROM waiter WHERE queue IS NOT NULL LIMIT 1").fetchone() is None:
        return calls
    paused = rules.paused(db, "queue")
    for queue, count in arrived.items():
        if queue in paused:
            continue
        rows = db.execute("SELECT address FROM waiter WHERE queue = ? ORDER BY number LIMIT ?", (queue, count)).fetchall()
        db.executemany("DELETE FROM waiter WHERE address = ?", rows)
        calls += [Call(bell, queue) for (bell,) in rows]
    return calls


def choose_for(db: sqlite3.Connection, arrivals: Arrivals) -> list[Call]:
    """Take down, and return, the bells of those who wait for what has arrived."""
    calls = choose(db, arrivals.queues)
    return calls + choose_for_alarm(db) if arrivals.alarm else calls


def choose_for_alarm(db: sqlite3.Connection) -> list[Call]:
    """Take down, and return, every bell that waits for the schedule."""
    return [Call(bell, None) for (bell,) in db.execute("DELETE FROM waiter WHERE queue IS NULL RETURNING address").fetchall()]
