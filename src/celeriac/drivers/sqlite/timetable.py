"""The timetables of the SQLite store: a tick and its message are one transaction.

In a tick's life: a scheduler attends -> decides -> ``change`` moves the entry and posts its messages. The clock is that of the
machine, which all its processes share. Does not know: what an entry says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from celeriac.abc import Runtime
from celeriac.core.message import Outgoing
from celeriac.core.schedules.timetable import Agenda, Change, Record
from celeriac.drivers.sqlite import queueing, waiters
from celeriac.drivers.sqlite.connection import Connections
from celeriac.drivers.sqlite.queueing import Arrivals, Letter
from celeriac.drivers.sqlite.waiters import Call

Ring = Callable[[Sequence[Call]], None]
_FIELDS = "name, revision, entry, state, due"


class SqliteTimetable:
    """One timetable in one file."""

    def __init__(
        self, name: str, connections: Connections, *, letter: Callable[[Outgoing], Letter], ring: Ring, runtime: Runtime
    ) -> None:
        """``letter`` turns a message into a row, ``ring`` wakes those whom a transaction has chosen."""
        self._name, self._connections, self._letter, self._ring, self._runtime = name, connections, letter, ring, runtime

    def attend(self, who: str, *, lease_s: float, limit: int) -> Agenda:
        """See ``abc.Timetable.attend``."""
        with self._connections.writing() as db:
            now = self._runtime.time()
            leader = _leader(db, self._name, now)
            if leader not in {None, who}:
                return Agenda(now=now, leader=str(leader))
            db.execute("INSERT OR REPLACE INTO leader VALUES (?, ?, ?, ?)", (self._name, who, now + lease_s, lease_s))
        with self._connections.reading() as db:
            # One more than asked for: the first that is left, or that is to come.
            rows = db.execute(
                f"SELECT {_FIELDS} FROM entry WHERE timetable = ? AND due IS NOT NULL ORDER BY due LIMIT ?",  # noqa: S608
                (self._name, limit + 1),
            ).fetchall()
        records = [_record(row) for row in rows]
        due = [record for record in records[:limit] if record.due is not None and record.due <= now]
        return Agenda(now=now, leader=who, records=due, next_due=records[len(due)].due if len(due) < len(records) else None)

    def resign(self, who: str) -> None:
        """See ``abc.Timetable.resign``."""
        with self._connections.writing() as db:
            db.execute("DELETE FROM leader WHERE timetable = ? AND who = ?", (self._name, who))

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        """See ``abc.Timetable.change``."""
        letters = [[self._letter(message) for message in change.messages] for change in changes]
        arrivals = Arrivals()
        with self._connections.writing() as db:
            now, posted = self._runtime.time(), list[Letter]()
            [[revision]] = db.execute("SELECT value FROM mark WHERE name = 'entries'").fetchall()
            said: list[bool] = []
            for number, (change, own) in enumerate(zip(changes, letters, strict=True), revision + 1):
                said.append(self._move(db, change, number))
                if said[-1]:
                    posted += own
            queueing.post(db, posted, now=now, arrivals=arrivals)
            db.execute("UPDATE mark SET value = ? WHERE name = 'entries'", (revision + len(changes),))
            calls = waiters.choose_for(db, arrivals)
        self._ring(calls)
        return said

    def _move(self, db: sqlite3.Connection, change: Change, revision: int) -> bool:
        due = None if change.due is None else round(change.due * 1000)
        if change.seen == 0:
            row = (self._name, change.name, revision, due, change.entry or b"", change.state)
            return db.execute("INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?, ?)", row).rowcount == 1
        moved = db.execute(
            "UPDATE entry SET revision = ?, due = ?, state = ?, entry = coalesce(?, entry)"
            " WHERE timetable = ? AND name = ? AND revision = ?",
            (revision, due, change.state, change.entry, self._name, change.name, change.seen),
        )
        return moved.rowcount == 1

    def remove(self, names: Sequence[str]) -> int:
        """See ``abc.Timetable.remove``."""
        with self._connections.writing() as db:
            statement = "DELETE FROM entry WHERE timetable = ? AND name = ?"
            return sum(db.execute(statement, (self._name, name)).rowcount for name in names)

    def read(self, names: Sequence[str]) -> Sequence[Record | None]:
        """See ``abc.Timetable.read``."""
        with self._connections.reading() as db:
            statement = f"SELECT {_FIELDS} FROM entry WHERE timetable = ? AND name = ?"  # noqa: S608 - our own words
            rows = [db.execute(statement, (self._name, name)).fetchone() for name in names]
        return [None if row is None else _record(row) for row in rows]

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[Record]:
        """See ``abc.Timetable.page``."""
        with self._connections.reading() as db:
            statement = f"SELECT {_FIELDS} FROM entry WHERE timetable = ? AND name > ? ORDER BY name LIMIT ?"  # noqa: S608
            return [_record(row) for row in db.execute(statement, (self._name, after, limit))]

    def count(self) -> int:
        """See ``abc.Timetable.count``."""
        with self._connections.reading() as db:
            [[found]] = db.execute("SELECT count(*) FROM entry WHERE timetable = ?", (self._name,)).fetchall()
            return int(found)


def _leader(db: sqlite3.Connection, timetable: str, now: float) -> str | None:
    """Return who leads. A lease that ends later than any could was given before the clock was set back: it is over."""
    row = db.execute("SELECT who, ends, lease FROM leader WHERE timetable = ?", (timetable,)).fetchone()
    return str(row[0]) if row is not None and now < row[1] <= now + 2 * row[2] else None


def _record(row: tuple[str, int, bytes, bytes, int | None]) -> Record:
    name, revision, entry, state, due = row
    return Record(name=name, revision=revision, entry=entry, state=state, due=None if due is None else due / 1000)
