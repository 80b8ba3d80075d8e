"""The file on disk: private to one user, whatever the umask says.

In a store's life: before the first connection. Does not know: SQL.

The file is never opened here once it exists: closing any descriptor of it would drop the locks that SQLite holds on it
in this process (POSIX locks belong to a process and a file, not to a descriptor).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from celeriac.core.errors import ImproperlyConfigured

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


def prepare(path: str, *, create_parents: bool) -> str:
    """Create the database file, empty, where it is missing, and its folder if asked to; return its one true path.

    Raises:
        ImproperlyConfigured: it cannot be created, its folder is missing, or others could change it.
    """
    real = os.path.realpath(path)
    folder = os.path.dirname(real)
    try:
        if create_parents:
            make_private_folder(folder)
        elif not os.path.exists(folder):
            # Made by itself, the folder of a mistyped path would look like a store where nothing waits.
            raise ImproperlyConfigured(f"cannot use {real!r} as database: there is no folder {folder!r}; create it first")
        with suppress(FileExistsError):
            made = os.open(real, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
            os.close(made)
        found = os.stat(real)
    except OSError as error:
        raise ImproperlyConfigured(f"cannot use {real!r} as database: {error.strerror}") from error
    _check(real, found)
    return real


def make_private_folder(folder: str) -> None:
    """Create ``folder`` and what is missing above it, open to nobody else."""
    missing = []
    above = Path(folder)
    while not above.exists():
        missing.append(above)
        above = above.parent
    for new in reversed(missing):
        # Another process may be faster; a umask can only take more away.
        with suppress(FileExistsError):
            new.mkdir(PRIVATE_FOLDER)


def _check(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ImproperlyConfigured(f"cannot use {path!r} as database: it is not a file")
    if found.st_uid != os.geteuid():
        raise ImproperlyConfigured(
            f"cannot use {path!r} as database: it belongs to user {found.st_uid}, and this program runs as user {os.geteuid()}"
        )
    if found.st_mode & stat.S_IWOTH:
        raise ImproperlyConfigured(
            f"cannot use {path!r} as database: everybody may write to it (mode {stat.S_IMODE(found.st_mode):o}); try: chmod 600"
        )
