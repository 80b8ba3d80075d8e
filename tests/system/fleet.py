"""A fleet: nodes as real processes on one store, a client in the test, a journal that none of them can lie in.

Every process that a fleet starts ends with it, also when the test fails.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celeriac import AsyncResult, Celery, GroupResult, group
from celeriac.abc import DeadRecord
from system.patience import eventually
from system.processes import Process, look_up, send, session_of

_READY_S = 20.0
_STOP_S = 20.0
_HERE = Path(__file__).parent


class Node:
    """One ``celeriac worker`` command and all its processes."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.process, self._log = name, process, log

    @property
    def pid(self) -> int:
        """The supervisor."""
        return self.process.pid

    @property
    def log(self) -> str:
        """All that it has printed so far."""
        return self._log.read_text(errors="replace")

    def family(self) -> list[Process]:
        """Return its living processes: supervisor, template, children."""
        return session_of(self.pid)

    def template(self) -> int:
        """Return the process that forks the children."""
        return next(process.pid for process in self.family() if process.parent == self.pid)

    def children(self) -> list[int]:
        """Return the processes that run tasks."""
        template = self.template()
        return [process.pid for process in self.family() if process.parent == template]

    def wait_until_ready(self) -> None:
        """Return when it says that it is ready."""
        eventually(lambda: " ready." in self.log or self.process.poll() is not None, within_s=_READY_S, what=f"{self.name} ready")
        assert " ready." in self.log, self.log

    def wait_for_line(self, pattern: str, *, within_s: float = 15.0) -> str:
        """Wait until a line of its log matches; return it."""
        found = eventually(
            lambda: re.search(f"^.*(?:{pattern}).*$", self.log, re.MULTILINE), within_s=within_s, what=f"a line like {pattern!r}"
        )
        return found.group()

    def kill(self) -> None:
        """Kill the supervisor; its family has to notice."""
        self.process.kill()
        self.process.wait(_STOP_S)

    def wait_until_gone(self, *, within_s: float = 5.0) -> None:
        """Wait until no process of it is left."""
        eventually(lambda: not self.family(), within_s=within_s, what=f"no process of {self.name} left")

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = _STOP_S) -> int:
        """Send the supervisor a signal; return its exit code when nothing is left."""
        send(self.pid, number)
        code = self.process.wait(within_s)
        self.wait_until_gone()
        return code

    def freeze(self) -> None:
        """Stop every process of it in its tracks; return when they stand."""
        for process in self.family():
            send(process.pid, signal.SIGSTOP)
        eventually(lambda: all(process.state == "T" for process in self.family()), what=f"{self.name} frozen")

    def thaw(self) -> None:
        """Let them go on."""
        for process in self.family():
            send(process.pid, signal.SIGCONT)

    def destroy(self) -> None:
        """End whatever is left."""
        for process in self.family():
            send(process.pid, signal.SIGKILL)
        self.process.wait(_STOP_S)
        self.wait_until_gone()


class Fleet:
    """Nodes that serve one store."""

    def __init__(self, folder: Path, url: str, *, lease_s: float = 3.0) -> None:
        self.folder, self.url = folder, url
        self.journal = folder / "journal"
        self.journal.touch()
        self.variables = {"JOBS_STORE": url, "JOBS_JOURNAL": str(self.journal), "JOBS_LEASE": str(lease_s)}
        self.client = Celery("client", broker=url, backend=url, set_as_current=False)
        self.nodes: list[Node] = []

    def start(self, *words: str, wait: bool = True, **variables: str) -> Node:
        """Start ``worker`` with these words; return when it is ready."""
        name = f"node{len(self.nodes)}"
        log = self.folder / f"{name}.log"
        command = [sys.executable, "-m", "celeriac", "-A", "jobs", "worker", "-l", "INFO", "-n", f"{name}@here", *words]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=_HERE,
                env=self.environment(**variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        node = Node(name, process, log)
        self.nodes.append(node)
        if wait:
            node.wait_until_ready()
        return node

    def environment(self, **variables: str) -> dict[str, str]:
        """Return what a process of the fleet is told."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return {**kept, "HOME": str(self.folder), "NO_COLOR": "1", "PYTHONWARNINGS": "error", **self.variables, **variables}

    def celeriac(self, *words: str, within_s: float = 30.0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``celeriac`` with the app of the jobs, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "celeriac", "-A", "jobs", *words],
            cwd=_HERE,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )

    def send(self, task: str, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Send one of the jobs."""
        return self.client.send_task(f"jobs.{task}", args, **options)

    def send_many(self, task: str, arguments: Sequence[Sequence[Any]], **options: Any) -> GroupResult[Any]:
        """Send one job many times in one publish."""
        calls = [self.client.signature(f"jobs.{task}", args=tuple(args)) for args in arguments]
        return group(calls, app=self.client).apply_async(**options)

    def entries(self) -> list[tuple[str, str, int]]:
        """Return the journal: what happened, to which task, in which process."""
        lines = (line.split() for line in self.journal.read_text().splitlines())
        return [(what, key, int(pid)) for what, key, pid in lines]

    def times(self, what: str) -> Counter[str]:
        """Return how often this happened to each task."""
        return Counter(key for happened, key, _ in self.entries() if happened == what)

    def has_begun(self, key: str, times: int = 1) -> bool:
        """Say whether a task has begun so often."""
        return self.times("begin")[key] >= times

    def states(self, ids: Sequence[str]) -> Counter[str]:
        """Return how many of these tasks are in which state."""
        metas = self.client.store.load(ids)
        return Counter(_state(meta) for meta in metas)

    def dead_letters(self) -> list[DeadRecord]:
        """Return every dead letter."""
        letters: list[DeadRecord] = []
        while page := self.client.store.dead_letters(limit=1000, after=letters[-1].id if letters else None):
            letters.extend(page)
        return letters

    def close(self) -> None:
        """End every process."""
        for node in self.nodes:
            node.destroy()
        self.client.close()


def _state(meta: bytes | None) -> str:
    if meta is None:
        return "PENDING"
    found = re.search(rb'"status":\s*"(\w+)"', meta)
    assert found is not None, meta
    return found.group(1).decode()


def alive(pid: int) -> bool:
    """Say whether a process lives."""
    return look_up(pid) is not None
