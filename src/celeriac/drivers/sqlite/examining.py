"""Look at a SQLite file as its operator would: is there room, is its disk a disk?

Beside a job's life, for ``celeriac doctor``. Does not open the database. Does not know: queues.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from celeriac.core.remark import Remark

ABOUT: Final = "sqlite"
LITTLE: Final = 512 * 1024 * 1024
"""Bytes: the log alone may take 64 MiB."""
NETWORKS: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs", "fuse.glusterfs"})
"""Their locks are not those of one machine, and shared memory does not reach over them."""


def examine_sqlite(path: str, *, mounts: str = "/proc/mounts") -> Sequence[Remark]:
    """Say what is remarkable about a file and its disk; ``mounts``: where the system lists its file systems."""
    real = os.path.realpath(path)
    folder = os.path.dirname(real)
    if not os.path.isdir(folder):
        return [Remark.error(ABOUT, f"there is no folder {folder}")]
    size = sum(os.path.getsize(real + part) for part in ("", "-wal") if os.path.exists(real + part))
    free = shutil.disk_usage(folder).free
    found = [Remark.fine(ABOUT, f"version {sqlite3.sqlite_version}, {_mib(size)} in {real}, {_mib(free)} free")]
    if free < max(LITTLE, size):
        found.append(Remark.warning(ABOUT, f"only {_mib(free)} are free on its disk; when it is full, new tasks are refused"))
    if not os.access(folder, os.W_OK):
        found.append(Remark.error(ABOUT, f"this user may not write to {folder}"))
    kind = _file_system(real, mounts)
    if kind in NETWORKS:
        found.append(
            Remark.error(ABOUT, f"it is on a network drive ({kind}), where SQLite cannot lock: use a disk of this machine")
        )
    return found


def _file_system(path: str, mounts: str) -> str | None:
    """Return the kind of the file system that a file is on, where the system says so."""
    try:
        lines = [line.split() for line in Path(mounts).read_text().splitlines()]
    except OSError:
        return None
    above = [(len(place), kind) for _, place, kind, *_ in lines if path == place or path.startswith(place.rstrip("/") + "/")]
    return max(above)[1] if above else None


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:,.0f} MiB"
