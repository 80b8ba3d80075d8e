"""The connections of one process: a small pool, transactions with a deadline, nothing carried across a fork.

In a job's life: every call of the store is one ``writing`` or ``reading`` block here. Does not know: tables.

SQLite's own way to wait for a lock sleeps up to a tenth of a second at a time. Here a waiter tries again after a fraction
of a millisecond; threads of one process queue up at a lock first, so that only one of them tries.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from celeriac.abc import CALL_DEADLINE_S, Runtime
from celeriac.core.errors import BrokerUnreachable
from celeriac.drivers.sqlite.faults import is_busy, translate
from celeriac.drivers.sqlite.files import prepare
from celeriac.drivers.sqlite.opening import check_synchronous, check_version, connect

FIRST_PAUSE_S: Final = 0.0001
LONGEST_PAUSE_S: Final = 0.001
FORK_PATIENCE_S: Final = 2.0
"""A fork waits so long for the calls of other threads to end."""

T = TypeVar("T")


class Connections:
    """A pool that grows with the number of threads that call at the same time."""

    def __init__(self, path: str, *, runtime: Runtime, synchronous: str, create_parents: bool) -> None:
        check_version(sqlite3.sqlite_version_info)
        check_synchronous(synchronous)
        self.path = path
        self._runtime, self._synchronous, self._create_parents = runtime, synchronous, create_parents
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._idle: list[sqlite3.Connection] = []
        self._busy: set[sqlite3.Connection] = set()
        self._borrowers = 0
        """Calls that hold a connection, or are about to open one."""
        self._pool = threading.Condition()
        self._writer = threading.Lock()
        self._real_path: str | None = None

    @property
    def real_path(self) -> str:
        """The file, created when it is missing."""
        if self._real_path is None:
            self._real_path = prepare(self.path, create_parents=self._create_parents)
        return self._real_path

    @contextmanager
    def writing(self, deadline_s: float = CALL_DEADLINE_S) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction that sees everything committed before, and commits at its end.

        Raises:
            BrokerUnreachable: others held the lock until the deadline; nothing has happened.
            StoreRefused: the disk is full and the like; nothing has happened.
        """
        deadline = self._runtime.monotonic() + deadline_s
        if not self._writer.acquire(timeout=max(0.0, deadline_s)):
            raise self._locked(deadline_s)
        try:
            with self._connection(deadline, deadline_s) as db:
                self._insist(lambda: db.execute("BEGIN IMMEDIATE"), deadline, deadline_s)
                yield db
                db.execute("COMMIT")
        finally:
            self._writer.release()

    @contextmanager
    def reading(self, deadline_s: float = CALL_DEADLINE_S) -> Iterator[sqlite3.Connection]:
        """Lend a connection for reading; each statement sees the newest state.

        Raises:
            BrokerUnreachable, StoreRefused: as ``writing``.
        """
        deadline = self._runtime.monotonic() + deadline_s
        with self._connection(deadline, deadline_s) as db:
            # Readers never wait for writers, but for a moment at the birth and death of the log.
            self._insist(lambda: db.execute("SELECT value FROM mark WHERE name = 'kept'").fetchone(), deadline, deadline_s)
            yield db

    def close(self) -> None:
        """Close what is not in use; the rest is closed when it comes back."""
        with self._pool:
            idle, self._idle = self._idle, []
            self._busy.clear()
        for db in idle:
            db.close()

    # --- fork -----------------------------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Close everything: what SQLite knows of its locks would be wrong in the other process."""
        self._pool.acquire()
        self._pool.wait_for(lambda: not self._borrowers, FORK_PATIENCE_S)
        while self._idle:
            self._idle.pop().close()

    def after_fork_in_parent(self) -> None:
        """Go on; the pool fills again."""
        self._pool.release()

    def abandon(self) -> None:
        """Forget every connection without closing it: closing touches the file and its locks, which are the parent's."""
        for db in (*self._idle, *self._busy):
            _leak(db)
        self._begin_anew()

    # --- steps ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _connection(self, deadline: float, deadline_s: float) -> Iterator[sqlite3.Connection]:
        db = self._take()
        try:
            if db is None:
                db = self._open(deadline, deadline_s)
            yield db
        except BaseException as error:
            if db is not None:
                _undo(db)
            self._give_back(None, db)
            if isinstance(error, sqlite3.Error | UnicodeError | OverflowError):
                raise translate(error, self.path) from error
            raise
        else:
            self._give_back(db, None)

    def _take(self) -> sqlite3.Connection | None:
        with self._pool:
            self._borrowers += 1
            db = self._idle.pop() if self._idle else None
            if db is not None:
                self._busy.add(db)
            return db

    def _open(self, deadline: float, deadline_s: float) -> sqlite3.Connection:
        path = self.real_path
        db = self._insist(lambda: connect(path, synchronous=self._synchronous), deadline, deadline_s)
        with self._pool:
            self._busy.add(db)
        return db

    def _give_back(self, good: sqlite3.Connection | None, bad: sqlite3.Connection | None) -> None:
        """Put a good connection into the pool. A bad one is closed: who knows what it went through."""
        with self._pool:
            if good is not None and good in self._busy:
                self._busy.discard(good)
                self._idle.append(good)
            else:
                # The pool was closed meanwhile.
                bad = bad or good
                if bad is not None:
                    self._busy.discard(bad)
                    bad.close()
            self._borrowers -= 1
            self._pool.notify_all()

    def _insist(self, ask: Callable[[], T], deadline: float, deadline_s: float) -> T:
        pause = FIRST_PAUSE_S
        while True:
            try:
                return ask()
            except sqlite3.Error as error:
                if not is_busy(error):
                    raise
                if self._runtime.monotonic() >= deadline:
                    raise self._locked(deadline_s) from error
            # By chance, so that two waiters do not keep step.
            self._runtime.sleep(pause * (0.5 + self._runtime.random()))
            pause = min(LONGEST_PAUSE_S, 1.5 * pause)

    def _locked(self, deadline_s: float) -> BrokerUnreachable:
        return BrokerUnreachable(f"{self.path}: locked by another process for {deadline_s:g} s")


def _undo(db: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        if db.in_transaction:
            db.execute("ROLLBACK")


def _leak(db: sqlite3.Connection) -> None:
    """Keep ``db`` from ever being closed, also when the interpreter ends."""
    import ctypes  # late: only a fork in the middle of a call comes here

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(db))
