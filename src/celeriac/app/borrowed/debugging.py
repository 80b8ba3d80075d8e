"""``celery.utils.debug``: how much memory this process uses, what its threads do, what blocks it.

In a program's life: where somebody looks for a leak. Does not know: tasks.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TextIO, TypeVar

T = TypeVar("T")

UNITS: Final = ((2**40.0, "TB"), (2**30.0, "GB"), (2**20.0, "MB"), (2**10.0, "KB"), (0.0, "b"))
_samples: list[str] = []


def ps() -> Any:
    """Return psutil's object for this process; ``None`` if psutil is not installed."""
    try:
        from psutil import Process  # type: ignore[import-untyped]  # late: an extra of the user's
    except ImportError:
        return None
    return Process(os.getpid())


def mem_rss() -> str | None:
    """Return how much memory is resident, for people; ``None`` if psutil is not installed."""
    process = ps()
    return None if process is None else humanbytes(process.memory_info().rss)


def sample_mem() -> str | None:
    """Note how much memory is resident, for ``memdump``; return it."""
    found = mem_rss()
    if found is not None:
        _samples.append(found)
    return found


def memdump(samples: int = 10, file: TextIO | None = None) -> None:
    """Print some of what ``sample_mem`` has noted, and how much is resident after a collection; forget the notes."""
    out = file or sys.stdout
    if ps() is None:
        print("- rss: (psutil not installed).", file=out)
        return
    noted = list(_samples) if len(_samples) <= samples else list(sample(_samples, samples))
    _samples.clear()
    gc.collect()
    lines = ["- rss (sample):", *(f"-    > {one}," for one in noted)] if noted else []
    print("\n".join([*lines, f"- rss (end): {mem_rss()}."]), file=out)


def sample(x: Sequence[T], n: int, k: int = 0) -> Iterator[T]:
    """Yield ``n`` of the elements of ``x``, at even distances, from the one at ``k`` on."""
    step = len(x) // n
    return (x[place] for place in range(k, k + n * step, step) if place < len(x)) if step else iter(())


def hfloat(f: float, p: int = 5) -> str:
    """Return a number with at most ``p`` digits."""
    return str(int(f)) if int(f) == f else f"{f:.{p}}"


def humanbytes(s: float) -> str:
    """Return a number of bytes for people: ``2KB``."""
    size, unit = next((size, unit) for size, unit in UNITS if s >= size)
    return f"{hfloat(s / size if size else s)}{unit}"


def cry(out: TextIO | None = None, sepchr: str = "=", seplen: int = 49) -> str | None:
    """Return what every thread does at this moment, or write it to ``out``."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    line = sepchr * seplen
    parts = []
    for ident, frame in sys._current_frames().items():
        stack = "".join(traceback.format_stack(frame))
        parts.append(f"{names.get(ident, ident)}\n{line}\n{stack}{line}\n")
    text = "\n".join(parts)
    if out is None:
        return text
    out.write(text)
    return None


@contextmanager
def blockdetection(timeout: float | None) -> Iterator[None]:
    """Raise RuntimeError in the block if it takes longer than so many seconds. In the main thread alone; ``None``: never."""
    if not timeout:
        yield
        return
    before = signal.signal(signal.SIGALRM, _blocked)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _blocked(_signum: int, frame: Any) -> None:
    where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "nowhere"
    raise RuntimeError(f"it took too long, at {where}")
