"""Tidy up: the tail of new results each time; once a minute expired results, and what dead processes left behind.

In a store's life: a part of ``keep``, so one of the nodes does it for all. Does not know: nodes.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from celeriac.drivers.sqlite import chords, finding, notices, storing, waiters, watchers
from celeriac.drivers.sqlite.bells import BellFolder

EVERY_S: Final = 60.0


def sweep(db: sqlite3.Connection, folder: BellFolder, now: float) -> None:
    """Do what is due. While there is more than can be done at once, every call does a part."""
    finding.move_tail(db, longer_than=finding.IDLE_TAIL)
    [[last]] = db.execute("SELECT value FROM mark WHERE name = 'swept'").fetchall()
    if last <= now < last + EVERY_S:
        return
    more = storing.sweep(db, now) or chords.sweep(db, now)
    if more:
        return
    db.execute("UPDATE mark SET value = ? WHERE name = 'swept'", (now,))
    notices.drop_old(db, now)
    living = folder.sweep()
    named = db.execute(
        "SELECT address FROM waiter UNION SELECT address FROM watcher UNION SELECT address FROM news"
        " UNION SELECT address FROM ear"
    ).fetchall()
    for (bell,) in named:
        if bell not in living:
            waiters.take_down(db, bell)
            watchers.drop_all(db, bell)
            notices.close_ear(db, bell)
