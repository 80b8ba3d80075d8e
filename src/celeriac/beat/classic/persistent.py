"""``PersistentScheduler``: entries of the settings, and a file that remembers when they were sent last.

For subclasses of it. A beat that is told no other class keeps its entries in the timetable, which needs no file.
Source: Celery's reference of ``celery.beat``. Does not know: timetables.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, ClassVar

from celeriac.beat.classic.remembering import Remembered, open_shelf
from celeriac.beat.classic.scheduler import Scheduler

log = logging.getLogger("celeriac.beat")


class PersistentScheduler(Scheduler):
    """A ``Scheduler`` with a file, ``schedule_filename``."""

    persistence: ClassVar[Any] = SimpleNamespace(open=open_shelf)
    """What opens the file: an object with ``open(filename, writeback=True)``."""
    known_suffixes = ("", ".db", ".dat", ".bak", ".dir")
    _store: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.schedule_filename = kwargs.get("schedule_filename")
        super().__init__(*args, **kwargs)

    def _remove_db(self) -> None:
        for suffix in self.known_suffixes:
            with suppress(FileNotFoundError):
                os.remove(f"{self.schedule_filename}{suffix}")

    def _open_schedule(self) -> Any:
        return self.persistence.open(self.schedule_filename, writeback=True)

    def setup_schedule(self) -> None:
        """Read the file, and bring in the settings. Runs that were noted in another time zone are forgotten."""
        self._store = self._open_schedule()
        self._create_schedule()
        zone, utc = str(self.app.timezone), self.app.conf.enable_utc
        for key, word, now in (("tz", "time zone", zone), ("utc_enabled", "enable_utc", utc)):
            if self._store.get(key) not in {None, now}:
                log.warning("beat: the %s was %s, and is %s: entries count from now", word, self._store[key], now)
                self._store["entries"] = {}
        self._store.update(tz=zone, utc_enabled=utc)
        self.merge_inplace(self.app.conf.beat_schedule)
        self.install_default_entries(self.schedule)
        self.sync()

    def _create_schedule(self) -> None:
        """Make entries of what the file remembers; the settings say what they are."""
        self._store["entries"] = {name: self._remembered(name, one) for name, one in self._store.get("entries", {}).items()}

    def _remembered(self, name: str, one: Any) -> Any:
        if not isinstance(one, Remembered):
            return one
        return self.Entry(name=name, last_run_at=one.last_run_at, total_run_count=one.total_run_count, app=self.app)

    def get_schedule(self) -> Any:
        """Return the entries by their names."""
        return {} if self._store is None else self._store["entries"]

    def set_schedule(self, schedule: Any) -> None:
        """Have other entries."""
        self._store["entries"] = schedule

    schedule = property(lambda self: self.get_schedule(), lambda self, entries: self.set_schedule(entries))
    """The entries by their names."""

    def sync(self) -> None:
        """Write the file."""
        if self._store is not None:
            self._store.sync()

    def close(self) -> None:
        """Write the file, and let go of it and of the connection."""
        super().close()
        if self._store is not None:
            self._store.close()

    @property
    def info(self) -> str:
        """What ``beat`` shows of it at its start."""
        return f"    . db -> {self.schedule_filename}"
