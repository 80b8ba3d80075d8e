"""The app that the system tests run: tasks that note what happens to them, and tasks that misbehave.

What they note goes into a file that is opened with O_APPEND, one ``write`` a line: evidence from outside the system.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from celeriac import Celery, SoftTimeLimitExceeded, Task

STORE = os.environ["JOBS_STORE"]
JOURNAL = os.environ["JOBS_JOURNAL"]
LEASE = float(os.environ.get("JOBS_LEASE", "30"))

app = Celery("jobs", broker=STORE, backend=STORE, broker_transport_options={"visibility_timeout": LEASE})


_held: list[bytes] = []


def note(what: str, key: object) -> None:
    """Add a line to the journal, whatever else is writing."""
    descriptor = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, f"{what} {key} {os.getpid()}\n".encode())
    finally:
        os.close(descriptor)


def _work(key: object, seconds: float) -> object:
    note("begin", key)
    if seconds:
        time.sleep(seconds)
    note("end", key)
    return key


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(bind=True)
def stamps(self: Task[..., list[object]], before: list[object] | None = None) -> list[object]:
    return [*(before or []), [sorted(self.request.stamped_headers or []), self.request.stamps]]


@app.task(bind=True)
def again(self: Task[..., list[object]]) -> list[object]:
    if not self.request.retries:
        raise self.retry(countdown=0)
    return [[sorted(self.request.stamped_headers or []), self.request.stamps]]


@app.task
def early(key: object, seconds: float = 0.0) -> object:
    return _work(key, seconds)


@app.task
def spin(key: object, seconds: float) -> None:
    note("begin", key)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


@app.task
def hold(mebibytes: int) -> int:
    """Keep so much memory for good; return the process."""
    _held.append(b"x" * (mebibytes << 20))
    return os.getpid()


@app.task
async def naps(key: object, seconds: float) -> None:
    note("begin", key)
    await asyncio.sleep(seconds)


@app.task(acks_late=True)
def late(key: object, seconds: float = 0.0) -> object:
    return _work(key, seconds)


@app.task(rate_limit="40/s")
def limited(key: object) -> None:
    note("limited", key)


@app.task(acks_late=True)
def late_told_apart(key: object, seconds: float = 0.0) -> int:
    _work(key, seconds)
    return os.getpid()


@app.task(acks_late=True)
def wait_for(key: object, path: str) -> object:
    """Run until a file appears."""
    note("begin", key)
    while not Path(path).exists():
        time.sleep(0.01)
    note("end", key)
    return key


@app.task(acks_late=True)
def poison(key: object) -> None:
    note("begin", key)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
def poison_early(key: object) -> None:
    note("begin", key)
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(acks_late=True)
def leave(key: object, code: int) -> None:
    note("begin", key)
    os._exit(code)


@app.task
def exit_politely(code: int) -> None:
    sys.exit(code)


@app.task
def raise_system_exit() -> None:
    raise SystemExit("enough")


class Unusual(BaseException):
    """Not an ``Exception``."""


@app.task
def raise_unusual() -> None:
    raise Unusual("no exception")


@app.task(time_limit=1.0)
def over_the_hard_limit(key: object) -> None:
    note("begin", key)
    time.sleep(60)


@app.task(time_limit=0.3)
def over_the_limit_soon(key: object) -> None:
    note("begin", key)
    time.sleep(60)


@app.task(soft_time_limit=0.5, time_limit=30.0)
def over_the_soft_limit() -> str:
    try:
        time.sleep(60)
    except SoftTimeLimitExceeded:
        return "cleaned up"
    return "slept"


@app.task(soft_time_limit=0.5)
def over_the_soft_limit_unaware() -> None:
    time.sleep(60)


@app.task
def due(moment: float) -> float:
    """Return how late it runs."""
    return time.time() - moment


@app.task(bind=True, max_retries=3)
def flaky(self: Task[..., int], times: int) -> int:
    if self.request.retries < times:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task
async def think(x: int) -> int:
    await asyncio.sleep(0.01)
    return x * 2


@app.task
def fail(text: str) -> None:
    raise ValueError(text)


@app.task(bind=True)
def progress(self: Task[..., int], steps: int) -> int:
    for step in range(1, steps + 1):
        self.update_state(state="PROGRESS", meta={"current": step, "total": steps})
        time.sleep(0.2)
    return steps


@app.task(bind=True, autoretry_for=(ConnectionError,), retry_backoff=False, default_retry_delay=0)
def stumble(self: Task[..., str], key: object) -> str:
    note("begin", key)
    if self.request.retries < 2:
        raise ConnectionError("down")
    return "third time"


@app.task
def interrupt() -> None:
    raise KeyboardInterrupt


if os.environ.get("JOBS_VERSION") == "2":

    @app.task
    def brand_new(x: int) -> int:
        return 2 * x


@app.task(acks_late=True)
def pid_after(key: object, path: str) -> int:
    """Run until a file appears; say who ran."""
    note("begin", key)
    while not Path(path).exists():
        time.sleep(0.01)
    note("end", key)
    return os.getpid()


@app.task(acks_late=True)
def hold_interpreter(key: object, seconds: float) -> None:
    """Sleep in C without letting any other thread run."""
    import ctypes

    note("begin", key)
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))
    note("end", key)


@app.task
def hang(key: object, way: str) -> None:
    """Never end: in Python code, in a system call, in C that does not let go of the interpreter, or whatever is raised."""
    note("begin", key)
    if way == "locks":
        ctypes.PyDLL(None).sleep(600)
    while way == "clings":
        try:
            time.sleep(0.01)
        except BaseException:
            continue
    while way == "runs":
        sum(range(100))
    time.sleep(600)


def _busily() -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        sum(range(100))


@app.task(soft_time_limit=0.5)
def over_the_soft_limit_busily(catches: bool) -> str:
    try:
        _busily()
    except SoftTimeLimitExceeded:
        if not catches:
            raise
    return "cleaned up"


@app.task(soft_time_limit=0.5)
async def over_the_soft_limit_asleep(catches: bool) -> str:
    try:
        await asyncio.sleep(30)
    except SoftTimeLimitExceeded:
        if not catches:
            raise
    return "cleaned up"


@app.task
def stamped(_key: object) -> None:
    """Note when it began, by a clock that all processes of a machine share."""
    note("begin", f"{time.monotonic():.6f}")
