"""Who is alive: one lease for each node, renewed by ``keep``, on the wall clock that all processes of the machine share.

A step of that clock must kill nobody. Forward, it looks like a silence of all nodes, after which everybody gets time to
speak. Backward, leases would end far in the future: they are cut to their full length from now.
Every function runs inside a transaction of its caller. Does not know: what the nodes hold, but for ``orphans``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from msgspec import json

from celeriac.abc import Lessee, NodeRecord


def keep(db: sqlite3.Connection, node: str, *, name: str, info: Mapping[str, object], lease_s: float, now: float) -> None:
    """Renew the lease of ``node``."""
    [[last]] = db.execute("SELECT value FROM mark WHERE name = 'kept'").fetchall()
    if now - last > lease_s / 6:
        db.execute("UPDATE node SET ends = max(ends, ?)", (now + lease_s / 3,))
    if now < last:
        db.execute("UPDATE node SET ends = min(ends, ? + lease), seen = min(seen, ?)", (now, now))
    db.execute("UPDATE mark SET value = ? WHERE name = 'kept'", (now,))
    db.execute(
        "INSERT OR REPLACE INTO node (id, name, info, seen, lease, ends) VALUES (?, ?, ?, ?, ?, ?)",
        (node, name, json.encode(info), now, lease_s, now + lease_s),
    )


def is_alive(db: sqlite3.Connection, node: str, now: float) -> bool:
    """Say whether the lease of ``node`` holds."""
    return db.execute("SELECT 1 FROM node WHERE id = ? AND ends > ?", (node, now)).fetchone() is not None


def orphans(db: sqlite3.Connection, now: float) -> list[Lessee]:
    """Return the lessees that hold something, and whose node is dead or unknown."""
    rows = db.execute(
        "SELECT e.node, e.child FROM lessee e WHERE NOT EXISTS (SELECT 1 FROM node n WHERE n.id = e.node AND n.ends > ?)"
        " AND EXISTS (SELECT 1 FROM lease l WHERE l.lessee = e.id) ORDER BY e.id",
        (now,),
    )
    return [Lessee(node, child) for node, child in rows]


def bury(db: sqlite3.Connection, now: float) -> None:
    """Strike off the dead nodes, and their lessees, that hold nothing."""
    db.execute(
        "DELETE FROM lessee WHERE NOT EXISTS (SELECT 1 FROM node n WHERE n.id = lessee.node AND n.ends > ?)"
        " AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.lessee = lessee.id)",
        (now,),
    )
    db.execute("DELETE FROM node WHERE ends <= ? AND NOT EXISTS (SELECT 1 FROM lessee e WHERE e.node = node.id)", (now,))


def forget(db: sqlite3.Connection, node: str) -> None:
    """Strike ``node`` off."""
    db.execute("DELETE FROM node WHERE id = ?", (node,))


def records(db: sqlite3.Connection, now: float) -> list[NodeRecord]:
    """Return the living."""
    rows: list[tuple[str, bytes, float]] = db.execute(
        "SELECT name, info, seen FROM node WHERE ends > ? ORDER BY name, id", (now,)
    ).fetchall()
    return [NodeRecord(node=name, info=_read(info), seen_s=max(0.0, now - seen)) for name, info, seen in rows]


def _read(info: bytes) -> dict[str, Any]:
    return json.decode(info, type=dict[str, Any])
