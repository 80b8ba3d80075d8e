"""The file that holds the process id of a program that runs, and keeps a second one away.

In a node's life: taken before its first step, removed after its last. The system's own lock on the file says whether its
program lives: a number alone may by now be somebody else's. A file that nobody has locked is looked at nevertheless: Celery's
programs lock none. Does not know: what the program does.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from celeriac.core.errors import ImproperlyConfigured

MODE: Final = 0o600
_ATTEMPTS: Final = 20


class PidFileHeld(ImproperlyConfigured):
    """The program of this file runs already."""

    def __init__(self, path: str, pid: int | None) -> None:
        super().__init__(path, pid)
        self.path, self.pid = path, pid

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid else "a process"
        return f"{self.path}: {who} holds this pid file and is alive; stop it first, or choose another --pidfile"


@contextmanager
def holding(path: str | None) -> Iterator[None]:
    """Hold the file while the block runs; ``None``: there is none.

    Raises:
        PidFileHeld: its program runs.
        OSError: it cannot be written, or is a symbolic link.
    """
    if path is None:
        yield
        return
    pid_file = PidFile(path)
    pid_file.take()
    try:
        yield
    finally:
        pid_file.release()


class PidFile:
    """One such file."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self._descriptor: int | None = None
        self._owner = 0

    def take(self) -> None:
        """Lock the file and write this process's id; replace one that was left behind.

        Raises:
            PidFileHeld: its program runs.
            OSError: it cannot be written, or is a symbolic link.
        """
        for _ in range(_ATTEMPTS):
            # Whoever could put a link there would have us write where he may not. The lock ends with this process, by whatever
            # death, and with its program (exec); children do not inherit it.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, MODE)
            try:
                if self._lock(descriptor):
                    os.fchmod(descriptor, MODE)
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                    os.fsync(descriptor)
                    self._descriptor, self._owner = descriptor, os.getpid()
                    return
            finally:
                if self._descriptor != descriptor:
                    os.close(descriptor)
        raise PidFileHeld(self.path, read_pid(self.path))

    def _lock(self, descriptor: int) -> bool:
        """Lock the file; ``False``: it was removed meanwhile by whoever had it."""
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise PidFileHeld(self.path, _pid_in(descriptor)) from None
        try:
            same = os.path.samestat(os.fstat(descriptor), os.stat(self.path, follow_symlinks=False))
        except FileNotFoundError:
            same = False
        pid = _pid_in(descriptor)
        if same and pid is not None and pid != os.getpid() and is_worker(pid):
            raise PidFileHeld(self.path, pid)
        return same

    def release(self) -> None:
        """Remove the file, if it is ours still."""
        if self._descriptor is None or self._owner != os.getpid():
            return
        with suppress(OSError):  # such as a folder that this user may not write to since it is no longer root
            if os.path.samestat(os.fstat(self._descriptor), os.stat(self.path, follow_symlinks=False)):
                os.unlink(self.path)
        os.close(self._descriptor)
        self._descriptor = None


def read_pid(path: str) -> int | None:
    """Return the process id in a file; ``None``: there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _pid_in(descriptor)
    finally:
        os.close(descriptor)


def is_alive(pid: int) -> bool:
    """Say whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def is_worker(pid: int) -> bool:
    """Say whether this process lives and looks like a program of Celery's or ours, where that can be seen."""
    if not is_alive(pid):
        return False
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return not Path("/proc/self/cmdline").exists() and is_alive(pid)
    except OSError:
        return True
    return any(word in line for word in (b"celery", b"celeriac"))


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in "ZX"


def _pid_in(descriptor: int) -> int | None:
    text = os.pread(descriptor, 64, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() and 0 < int(text) < 2**31 else None
