"""Open one connection: right version, right settings, tables in place.

In a store's life: the first call of a process, and of each of its threads that calls at the same time.
Does not know: what the tables mean, who uses the connection.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from typing import Final

from celeriac.core.errors import ImproperlyConfigured

OLDEST: Final = (3, 35, 0)
"""The first SQLite with ``RETURNING``."""
SCHEMA_VERSION: Final = 5
_ADDED_BY: Final = {1: "schema.sql", 2: "chords.sql", 3: "timetable.sql", 4: "notices.sql", 5: "rules.sql"}
"""Version of the tables -> what it brought."""
SYNCHRONOUS: Final = ("normal", "full", "extra")
"""What a commit waits for. ``normal``: a killed process loses nothing, a power cut may lose the last commits, never the order."""
CHECKPOINT_PAGES: Final = 8000
"""Copy the log into the database when it has grown by so much (32 MB): seldom, since that waits for the disk."""
LOG_LIMIT_BYTES: Final = 64 * 1024 * 1024


def check_version(found: tuple[int, int, int]) -> None:
    """Raise ImproperlyConfigured when this SQLite is too old."""
    if found < OLDEST:
        need, have = (".".join(map(str, version)) for version in (OLDEST, found))
        raise ImproperlyConfigured(f"SQLite {need} or newer is needed, this Python brings {have}: use a newer Python, or Redis")


def check_synchronous(value: str) -> None:
    """Raise ImproperlyConfigured when this is no way to commit."""
    if value not in SYNCHRONOUS:
        raise ImproperlyConfigured(f"synchronous={value!r} is not one of {', '.join(SYNCHRONOUS)}")


def connect(path: str, *, synchronous: str) -> sqlite3.Connection:
    """Open the file. It never waits for locks: that is done by the caller, in shorter steps than SQLite's own.

    Raises:
        sqlite3.Error: busy, or whatever is wrong with the file.
        ImproperlyConfigured: it was written by something else.
    """
    db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        # First of all: what is not ours stays as it is, also its journal.
        _refuse_strangers(db, path)
        [[mode]] = db.execute("PRAGMA journal_mode=WAL").fetchall()
        if mode != "wal":
            raise ImproperlyConfigured(f"{path!r} cannot have a write-ahead log (mode {mode!r}): is it on a network drive?")
        db.execute(f"PRAGMA synchronous={synchronous}")
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        db.execute(f"PRAGMA journal_size_limit={LOG_LIMIT_BYTES}")
        db.execute("PRAGMA cache_size=-16000")
        db.execute("PRAGMA temp_store=MEMORY")
        _ensure_tables(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _ensure_tables(db: sqlite3.Connection, path: str) -> None:
    if _version(db) == SCHEMA_VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        _refuse_strangers(db, path)
        _create_tables(db, since=_version(db))
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _refuse_strangers(db: sqlite3.Connection, path: str) -> None:
    # One statement sees one state: another process may be making our tables at this moment.
    question = "SELECT user_version, EXISTS (SELECT 1 FROM sqlite_schema) FROM pragma_user_version"
    [[version, has_tables]] = db.execute(question).fetchall()
    if version == 0 and has_tables:
        raise ImproperlyConfigured(f"{path!r} is the database of another program: use a file of its own")
    if version not in range(SCHEMA_VERSION + 1):
        raise ImproperlyConfigured(
            f"{path!r} has tables of version {version}, this celeriac knows {SCHEMA_VERSION}: update it, or use a new file"
        )


def _create_tables(db: sqlite3.Connection, *, since: int) -> None:
    for version in range(since + 1, SCHEMA_VERSION + 1):
        script = files("celeriac.drivers.sqlite").joinpath(_ADDED_BY[version]).read_text(encoding="utf-8")
        # Not executescript: that would commit first.
        for statement in script.split(";\n"):
            if statement.strip():
                db.execute(statement)
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _version(db: sqlite3.Connection) -> int:
    [[version]] = db.execute("PRAGMA user_version").fetchall()
    return int(version)
