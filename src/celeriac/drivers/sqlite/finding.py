"""Where the result of a task lies: an index that is written in order, although ids come in none.

In a job's life: beside ``storing``. Ids are random, so in a plain index each result dirties a page of its own, and that page
is most of what a commit writes (measured: two thirds of the throughput). Here a new result is noted at the end of ``tail``,
a small table without index; when that has grown, all of it moves to the index ``place`` at once, sorted.
Readers search the tail from end to end, which takes less than a millisecond; writers remember it and read only what is new.

The notes have a 32-bit key in place of the id. Two ids may share one: what is found is a candidate until its id was compared.
Does not know: states, bodies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

from msgspec import json

LONGEST_TAIL: Final = 8000
IDLE_TAIL: Final = 500
"""Longer than this it moves with the next ``keep``, so that readers need not search it."""


def key_of(id: str) -> int:
    """Return the key of a task id: 32 bits with a sign, which SQLite keeps in four bytes."""
    return crc32(id.encode("utf-8", "surrogatepass")) - 0x8000_0000


def search(db: sqlite3.Connection, ids: Sequence[str]) -> list[int]:
    """Return the numbers of all results that may be those of ``ids``; for readers."""
    if len(ids) == 1:
        key = key_of(ids[0])
        rows = db.execute("SELECT number FROM place WHERE key = ? UNION ALL SELECT number FROM tail WHERE key = ?", (key, key))
    else:
        keys = _as_json(map(key_of, ids))
        rows = db.execute(
            "SELECT number FROM place WHERE key IN (SELECT value FROM json_each(?))"
            " UNION ALL SELECT number FROM tail WHERE key IN (SELECT value FROM json_each(?))",
            (keys, keys),
        )
    return [number for (number,) in rows.fetchall()]


def remove(db: sqlite3.Connection, results: Iterable[tuple[int, str]]) -> None:
    """Forget where these results, given as number and id, lay."""
    notes = [(number, key_of(id)) for number, id in results]
    db.executemany("DELETE FROM tail WHERE number = ? AND key = ?", notes)
    db.executemany("DELETE FROM place WHERE number = ? AND key = ?", notes)


def move_tail(db: sqlite3.Connection, *, longer_than: int) -> None:
    """Move the tail into the index, if it is so long."""
    [[length]] = db.execute("SELECT count(*) FROM tail").fetchall()
    if length > longer_than:
        db.execute("INSERT INTO place SELECT key, number FROM tail ORDER BY key")
        db.execute("DELETE FROM tail")
        db.execute("UPDATE mark SET value = value + 1 WHERE name = 'moved'")


class Tail:
    """What one process remembers of the tail. Used inside writing transactions only, so by one thread at a time."""

    def __init__(self) -> None:
        self._moved = -1
        self._seen = 0
        self._numbers: dict[int, list[int]] = {}

    def candidates(self, db: sqlite3.Connection, ids: Sequence[str]) -> list[int]:
        """Return the numbers of all results that may be those of ``ids``."""
        self._catch_up(db)
        keys = [key_of(id) for id in ids]
        found = [number for key in keys if key in self._numbers for number in self._numbers[key]]
        rows = db.execute("SELECT number FROM place WHERE key IN (SELECT value FROM json_each(?))", (_as_json(keys),))
        return found + [number for (number,) in rows.fetchall()]

    def note(self, db: sqlite3.Connection, results: Sequence[tuple[int, str]]) -> None:
        """Note new results, given as number and id. They are remembered when they were committed: by the next look."""
        db.executemany("INSERT INTO tail VALUES (?, ?)", [(number, key_of(id)) for number, id in results])
        if len(self._numbers) > LONGEST_TAIL:
            move_tail(db, longer_than=LONGEST_TAIL)

    def _catch_up(self, db: sqlite3.Connection) -> None:
        [[moved]] = db.execute("SELECT value FROM mark WHERE name = 'moved'").fetchall()
        if moved != self._moved:
            self._moved, self._seen = moved, 0
            self._numbers.clear()
        for number, key in db.execute("SELECT number, key FROM tail WHERE number > ?", (self._seen,)).fetchall():
            self._numbers.setdefault(key, []).append(number)
            self._seen = number


def _as_json(numbers: Iterable[int]) -> str:
    return json.encode(list(numbers)).decode()
