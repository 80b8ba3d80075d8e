"""SQLite's errors in our words.

Pure. Does not know: what was asked of the database.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from celeriac.core.errors import OperationalError, StoreRefused

_OF_ONE: Final = (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_WHAT_TO_SAY: Final = {
    sqlite3.SQLITE_FULL: "the disk, or the database, is full",
    sqlite3.SQLITE_READONLY: "it may not be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CORRUPT: "it is damaged; sqlite3's .recover may save its contents",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_TOOBIG: "a message or result is too big for SQLite",
}


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether another connection was in the way, so that trying again helps."""
    return _code(error) in _BUSY


def is_of_a_value(error: BaseException | None) -> bool:
    """Say whether something that was to be written is at fault, and not the file: the rest can be written without it."""
    if isinstance(error, sqlite3.Error):
        return _code(error) in _OF_ONE
    return isinstance(error, UnicodeError | OverflowError)


def translate(error: sqlite3.Error | UnicodeError | OverflowError, path: str) -> OperationalError:
    """Return our error for SQLite's. Busy is not among them: that is tried again until the deadline."""
    if not isinstance(error, sqlite3.Error):
        return StoreRefused(f"{path}: a name that is no text, or a number that is too large, cannot be written ({error})")
    said = _WHAT_TO_SAY.get(_code(error), "SQLite refused")
    return StoreRefused(f"{path}: {said} ({error})")


def _code(error: sqlite3.Error) -> int:
    # The low byte is the error, the rest says more about it. Errors of the module itself have none.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
