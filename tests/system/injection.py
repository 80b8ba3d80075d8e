"""Put bytes into a queue as they are, past every client."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import redis


def inject(url: str, messages: Sequence[bytes], *, queue: str = "celery") -> None:
    """Put these messages at the back of a queue; nobody is woken."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)) as db:
            db.execute("BEGIN IMMEDIATE")
            [[last]] = db.execute("SELECT max(0, coalesce(max(id), 0)) FROM message").fetchall()
            rows = [(last + place, queue, 0, raw) for place, raw in enumerate(messages, 1)]
            db.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", rows)
            db.executemany("INSERT INTO waiting VALUES (?, ?, ?)", [(queue, 0, row[0]) for row in rows])
            db.execute("COMMIT")
    else:
        with redis.Redis.from_url(url) as server:
            for raw in messages:
                server.lpush(queue, raw)
