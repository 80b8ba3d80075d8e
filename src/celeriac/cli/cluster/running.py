"""Start the nodes of a cluster, signal them, wait for their end.

Third of three steps: words -> members -> processes. A node is found by its pid file, and only signalled if its process still
looks like a worker: the number may be another program's by now. Does not know: how it is told to people.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from celeriac.cli.cluster.members import Member
from celeriac.cli.pid_file import is_alive, is_worker, read_pid

PAUSE_S: Final = 0.1


def start(member: Member) -> int:
    """Start a node; return the exit code of its command, which ends when the node is ready.

    Raises:
        OSError: a folder or the interpreter is not to be had.
    """
    for path in (member.pidfile, member.logfile):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    return subprocess.run([member.executable, *member.arguments], check=False).returncode  # noqa: S603 -- what its user typed


def pid_of(member: Member) -> int | None:
    """Return the process of a node that runs.

    Raises:
        OSError: its pid file cannot be read.
    """
    pid = read_pid(member.pidfile)
    return pid if pid is not None and is_worker(pid) else None


def signal_node(pid: int, number: signal.Signals) -> bool:
    """Send a signal; say whether somebody was there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def wait_for(nodes: Sequence[tuple[Member, int]], *, gone: Callable[[Member, int], object], still: Callable[[], object]) -> None:
    """Wait until all of them have ended; say of each when it has, and of the others about once a second that they have not."""
    left, said_at = list(nodes), time.monotonic()
    while left:
        for member, pid in list(left):
            if not is_alive(pid):
                left.remove((member, pid))
                gone(member, len(left))
        if left:
            if time.monotonic() - said_at > 1.0:
                said_at = time.monotonic()
                still()
            time.sleep(PAUSE_S)


def sweep(member: Member) -> None:
    """Remove what a killed node could not."""
    with suppress(FileNotFoundError):
        os.unlink(member.pidfile)
