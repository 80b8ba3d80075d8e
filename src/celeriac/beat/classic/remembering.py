"""A file that remembers when entries were sent last: JSON, written anew as a whole and put in the place of the old one.

In a beat's life: ``PersistentScheduler`` opens it at its start, writes it now and then, and at its end. Who dies while writing
leaves the old one. It holds no objects, so nothing is run by reading it. Does not know: schedules.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import msgspec

from celeriac.core.errors import ImproperlyConfigured


class Remembered(msgspec.Struct, frozen=True):
    """What has become of one entry."""

    last_run_at: datetime
    total_run_count: int = 0


class _Content(msgspec.Struct):
    entries: dict[str, Remembered] = {}
    tz: str | None = None
    utc_enabled: bool | None = None


class Shelf(dict[str, Any]):
    """What is in the file: ``entries`` by their names, ``tz``, ``utc_enabled``."""

    def __init__(self, path: str) -> None:
        """Read the file; one that is not there counts as empty.

        Raises:
            ImproperlyConfigured: there is a file, and it is none of ours.
        """
        super().__init__()
        self.path = path
        try:
            with open(path, "rb") as file:
                content = msgspec.json.decode(file.read(), type=_Content)
        except FileNotFoundError:
            return
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"{path!r} is no file of a beat of celeriac ({error}): move it away, or name another"
            ) from error
        self.update(entries=dict(content.entries), tz=content.tz, utc_enabled=content.utc_enabled)

    def sync(self) -> None:
        """Write the file."""
        entries = {
            str(name): Remembered(entry.last_run_at, entry.total_run_count)
            for name, entry in self.get("entries", {}).items()
            if entry.last_run_at is not None
        }
        content = _Content(entries, self.get("tz"), self.get("utc_enabled"))
        beside = f"{self.path}.{os.getpid()}"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(msgspec.json.encode(content))
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)

    def close(self) -> None:
        """Write the file."""
        self.sync()


def open_shelf(filename: str, writeback: bool = True) -> Shelf:
    """Return what is in the file, which need not be there."""
    del writeback
    return Shelf(filename)
