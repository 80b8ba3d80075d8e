"""What is known about tasks: one encoded task meta for each id.

In a job's life: settle -> **store** -> load by the caller. The first SUCCESS under an id stays, whoever comes later; any
end stays when somebody who was not asked for a lease says that the task is on its way.
Every function runs inside a transaction of its caller. Does not know: what the bytes say, sockets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, json

from celeriac.core.settlement import StoredResult
from celeriac.core.states import READY_STATES, SUCCESS
from celeriac.drivers.sqlite import finding, watchers
from celeriac.drivers.sqlite.finding import Tail

SWEPT_AT_ONCE: Final = 2000
"""Delete so many expired results in one transaction."""


class _Kept(Struct, frozen=True):
    number: int
    state: str
    ends: float | None

    def stays(self, result: StoredResult, *, fenced: bool, now: float) -> bool:
        """Say whether ``result`` must not take its place."""
        if self.ends is not None and self.ends <= now:
            return False
        late = not fenced and self.state in READY_STATES and result.state not in READY_STATES
        return late or self.state == SUCCESS


def store(db: sqlite3.Connection, results: Sequence[StoredResult], *, fenced: bool, now: float, tail: Tail) -> set[str]:
    """Keep these states; return the bells of those who must hear of them.

    ``fenced``: they come with settlements, from the one who holds the deliveries.
    """
    if not results:
        return set()
    ids = [result.id for result in results]
    known = _known(db, tail.candidates(db, ids))
    number = _last_number(db)
    new: list[tuple[int, str, str, bytes, float | None]] = []
    changed: list[tuple[str, bytes, float | None, int]] = []
    accepted: list[StoredResult] = []
    for result in results:
        ends = None if result.ttl_s is None else now + result.ttl_s
        kept = known.get(result.id)
        if kept is None:
            number += 1
            new.append((number, result.id, result.state, result.body, ends))
            known[result.id] = _Kept(number, result.state, ends)
        elif kept.stays(result, fenced=fenced, now=now):
            continue
        else:
            changed.append((result.state, result.body, ends, kept.number))
            known[result.id] = _Kept(kept.number, result.state, ends)
        accepted.append(result)
    db.executemany("INSERT INTO result VALUES (?, ?, ?, ?, ?)", new)
    # After the inserts: the same id may come twice.
    db.executemany("UPDATE result SET state = ?, body = ?, ends = ? WHERE number = ?", changed)
    tail.note(db, [(number, id) for number, id, _, _, _ in new])
    return _announce(db, ids, accepted)


def load(db: sqlite3.Connection, ids: Sequence[str], now: float) -> list[bytes | None]:
    """Return the body under each id, or ``None``."""
    rows = db.execute(
        "SELECT id, body FROM result WHERE number IN (SELECT value FROM json_each(?)) AND (ends IS NULL OR ends > ?)",
        (_numbers(finding.search(db, ids)), now),
    )
    found: dict[str, bytes] = dict(rows.fetchall())
    return [found.get(id) for id in ids]


def forget(db: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Delete what is kept."""
    doomed = set(ids)
    rows = db.execute(
        "SELECT number, id FROM result WHERE number IN (SELECT value FROM json_each(?))", (_numbers(finding.search(db, ids)),)
    )
    _delete(db, [(number, id) for number, id in rows.fetchall() if id in doomed])


def sweep(db: sqlite3.Connection, now: float) -> bool:
    """Delete some of what has expired; say whether there may be more."""
    rows = db.execute("SELECT number, id FROM result WHERE ends <= ? ORDER BY ends LIMIT ?", (now, SWEPT_AT_ONCE)).fetchall()
    _delete(db, rows)
    return len(rows) == SWEPT_AT_ONCE


def _known(db: sqlite3.Connection, candidates: Sequence[int]) -> dict[str, _Kept]:
    if not candidates:
        return {}
    rows = db.execute(
        "SELECT id, number, state, ends FROM result WHERE number IN (SELECT value FROM json_each(?))", (_numbers(candidates),)
    )
    return {id: _Kept(number, state, ends) for id, number, state, ends in rows.fetchall()}


def _last_number(db: sqlite3.Connection) -> int:
    # Never given twice: who remembers the tail asks for what is above the last number that it saw.
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'result'").fetchone()
    return 0 if row is None else int(row[0])


def _announce(db: sqlite3.Connection, ids: Sequence[str], accepted: Sequence[StoredResult]) -> set[str]:
    rung: set[str] = set()
    awaited = watchers.find(db, ids)
    if awaited:
        for result in accepted:
            bells = awaited.get(result.id, ())
            watchers.leave_news(db, result.id, result.body, bells)
            rung.update(bells)
    return rung


def _delete(db: sqlite3.Connection, doomed: Sequence[tuple[int, str]]) -> None:
    db.executemany("DELETE FROM result WHERE number = ?", [(number,) for number, _ in doomed])
    finding.remove(db, doomed)


def _numbers(numbers: Sequence[int]) -> str:
    return json.encode(numbers).decode()
