"""The processes of one session, from /proc: a worker starts a session of its own, so nothing of it can hide."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One living process."""

    pid: int
    parent: int
    session: int
    state: str
    """One letter, as ``ps`` shows it: R, S, D, T for stopped."""


def look_up(pid: int) -> Process | None:
    """Return the process; ``None``: there is none, or only its remains."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may hold anything; what follows is words.
    state, parent, _, session = text.rpartition(")")[2].split()[:4]
    return None if state in "ZX" else Process(pid, int(parent), int(session), state)


def session_of(leader: int) -> list[Process]:
    """Return the living processes of the session that ``leader`` began, also when the leader is gone."""
    everybody = (look_up(int(name)) for name in os.listdir(PROC) if name.isdigit())
    return [process for process in everybody if process is not None and process.session == leader]


def pss_kib(pid: int) -> int:
    """Return the memory of a process in KiB, what it shares divided by the number of sharers."""
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError(f"no Pss of {pid}")


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has just ended does not mind."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
