"""A worker beside the program: started for it, gone with it, whatever happens in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).parent
STOP_S = 15.0
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class WorkerEnded(Exception):
    """The worker stopped before the work was done."""


@contextmanager
def worker(store: str, log: Path) -> Iterator[None]:
    """Run a worker on this store, and leave no process of it behind."""
    command = [sys.executable, "-m", "celeriac", "-A", "tasks", "-b", store, "--result-backend", store]
    command += ["worker", "-l", "WARNING", "-c", str(os.cpu_count() or 2)]
    process: subprocess.Popen[bytes] | None = None

    def child_ended(_signum: int, _frame: object) -> None:
        if process is not None and process.poll() is not None:
            raise WorkerEnded("the worker ended early")  # do not wait for results that nobody makes

    try:
        # Interrupted halfway through its start, it would run on with nobody to know of it.
        with log.open("wb") as output, held_back():
            process = subprocess.Popen(
                command, cwd=HERE, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        signal.signal(signal.SIGCHLD, child_ended)
        child_ended(signal.SIGCHLD, None)
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if process is not None:
            stop(process)


@contextmanager
def held_back() -> Iterator[None]:
    """Let interruptions wait until the block is over."""
    held: list[int] = []
    handlers = {signum: signal.signal(signum, lambda number, _: held.append(number)) for signum in INTERRUPTIONS}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        for arrived in held:
            signal.raise_signal(arrived)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the worker to stop; end by force what is left of it, and see it gone."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    deadline = time.monotonic() + STOP_S
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, signal.SIGKILL)
            process.poll()
            time.sleep(0.01)
