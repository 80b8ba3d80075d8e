"""The parts of chords: by place, each member once.

In a job's life: settle -> **join**, until the last part is in; then the one who brought it reads them all. Every function runs
inside a transaction of its caller. Does not know: what the bytes say.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from celeriac.abc import LATE_PARTS_S
from celeriac.core.settlement import Join, Opening

SWEPT_AT_ONCE: Final = 100
"""Forget so many chords in one transaction: each may have thousands of parts."""
_SAID: Final = b""
"""Body of a row that is no part, but says that a member was added."""
_LIVES: Final = "(ends IS NULL OR ends > ?)"


def open_anew(db: sqlite3.Connection, opening: Opening, now: float) -> None:
    """Say how many parts it has. What is left of one that is over goes."""
    db.execute("DELETE FROM chord WHERE id = ? AND closed", (opening.chord,))
    _touch(db, opening.chord, opening.ttl_s, now)
    db.execute("UPDATE chord SET size = ? WHERE id = ?", (opening.size, opening.chord))


def open_if_new(db: sqlite3.Connection, opening: Opening, now: float) -> None:
    """The same, of one that is neither open nor over."""
    _touch(db, opening.chord, opening.ttl_s, now)
    db.execute("UPDATE chord SET size = ? WHERE id = ? AND size IS NULL AND NOT closed", (opening.size, opening.chord))


def join(db: sqlite3.Connection, join: Join, *, claimant: str, now: float) -> bool:
    """Record parts; say whether they are the last, or were so for the same claimant before."""
    missing, claimed, closed = _touch(db, join.chord, join.ttl_s, now)
    if claimed is not None or closed:
        return claimed == claimant and not closed
    if join.added:
        more = _add(db, join)
        missing = None if missing is None else missing + more
    rows = [(join.chord, f"{part.id}:{part.place}", part.place, part.body) for part in join.parts]
    new = db.executemany("INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?)", rows).rowcount
    if new:
        # Counted here, and nowhere but in the step that records them: to count the rows each time would take N² steps.
        db.execute("UPDATE chord SET arrived = arrived + ? WHERE id = ?", (new, join.chord))
    if missing is None or missing != new:
        return False
    db.execute("UPDATE chord SET claimant = ? WHERE id = ?", (claimant, join.chord))
    return True


def is_claimed(db: sqlite3.Connection, id: str, *, claimant: str, now: float) -> bool:
    """Say whether ``claimant`` was told that it has all parts."""
    found = db.execute(
        f"SELECT 1 FROM chord WHERE id = ? AND claimant = ? AND NOT closed AND {_LIVES}",  # noqa: S608 - a constant
        (id, claimant, now),
    )
    return found.fetchone() is not None


def parts(db: sqlite3.Connection, id: str, now: float) -> list[bytes] | None:
    """Return its parts, by place; ``None``: it is over."""
    found = db.execute(f"SELECT closed FROM chord WHERE id = ? AND {_LIVES}", (id, now)).fetchone()  # noqa: S608 - a constant
    if found is None:
        return []
    if found[0]:
        return None
    rows = db.execute("SELECT body FROM part WHERE chord = ? ORDER BY place IS NULL, place", (id,))
    return [body for (body,) in rows.fetchall() if body != _SAID]


def close(db: sqlite3.Connection, id: str, now: float) -> None:
    """Forget its parts, and remember for a while that it is over."""
    db.execute("DELETE FROM part WHERE chord = ?", (id,))
    db.execute("UPDATE chord SET closed = 1, ends = ? WHERE id = ?", (now + LATE_PARTS_S, id))


def sweep(db: sqlite3.Connection, now: float) -> bool:
    """Forget some of those whose life has ended; say whether there may be more."""
    rows = db.execute("SELECT id FROM chord WHERE ends <= ? ORDER BY ends LIMIT ?", (now, SWEPT_AT_ONCE)).fetchall()
    db.executemany("DELETE FROM part WHERE chord = ?", rows)
    db.executemany("DELETE FROM chord WHERE id = ?", rows)
    return len(rows) == SWEPT_AT_ONCE


def _touch(db: sqlite3.Connection, id: str, ttl_s: float | None, now: float) -> tuple[int | None, str | None, bool]:
    """Let it live for another while, if it is not over; return how many parts are missing, its claimant, whether it is closed."""
    ends = None if ttl_s is None else now + ttl_s
    row = db.execute("SELECT size + more - arrived, claimant, closed, ends FROM chord WHERE id = ?", (id,)).fetchone()
    if row is not None and row[3] is not None and row[3] <= now:
        db.execute("DELETE FROM part WHERE chord = ?", (id,))
        db.execute("DELETE FROM chord WHERE id = ?", (id,))
        row = None
    if row is None:
        db.execute("INSERT INTO chord (id, ends) VALUES (?, ?)", (id, ends))
        return None, None, False
    db.execute("UPDATE chord SET ends = ? WHERE id = ? AND NOT closed", (ends, id))
    return row[0], row[1], bool(row[2])


def _add(db: sqlite3.Connection, join: Join) -> int:
    """Let it have a part more for each member that is said to be added for the first time; return how many."""
    rows = [(join.chord, f"+{id}", _SAID) for id in join.added]
    more = db.executemany("INSERT OR IGNORE INTO part (chord, member, body) VALUES (?, ?, ?)", rows).rowcount
    db.execute("UPDATE chord SET more = more + ? WHERE id = ?", (more, join.chord))
    return more
