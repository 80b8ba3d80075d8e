"""Commands that look into the supervisor's process: its memory and its objects."""

from __future__ import annotations

import gc
import os
import tempfile
from collections import deque
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from celeriac.control.panel import inspect_command
from celeriac.worker.state import State

_samples: Final[deque[int]] = deque(maxlen=10_000)
"""Bytes, as ``memsample`` found them."""


@inspect_command()
def memsample(state: State, **kwargs: Any) -> str | None:
    """Sample current RSS memory usage."""
    del state, kwargs
    used = resident()
    if used is None:
        return None
    _samples.append(used)
    return _shown(used)


@inspect_command(args=[("samples", int)], signature="[n_samples=10]")
def memdump(state: State, samples: int = 10, **kwargs: Any) -> str:
    """Dump statistics of previous memsample requests."""
    del state, kwargs
    gc.collect()
    found = list(_samples)
    _samples.clear()
    step = max(1, len(found) // max(1, samples))
    lines = ["- rss (sample):", *(f"-    > {_shown(used)}," for used in found[::step][:samples])] if found else []
    return "\n".join([*lines, f"- rss (end): {_shown(resident() or 0)}.", ""])


@inspect_command(
    default_timeout=60.0,
    args=[("type", str), ("num", int), ("max_depth", int)],
    signature="[object_type=Request] [num=200 [max_depth=10]]",
)
def objgraph(state: State, num: int = 200, max_depth: int = 10, type: str = "Request") -> dict[str, str]:
    """Create graph of uncollected objects (memory-leak debugging)."""
    del state
    try:
        drawing: Any = import_module("objgraph")  # hardly anybody has it
    except ImportError as error:
        raise ImportError("Requires the objgraph library") from error
    with tempfile.NamedTemporaryFile(prefix="celeriac-objgraph-", suffix=".png", delete=False) as file:
        objects = drawing.by_type(type)[:num]
        drawing.show_backrefs(objects, max_depth=max_depth, highlight=lambda one: one in objects, filename=file.name)
        return {"filename": file.name}


def resident() -> int | None:
    """Return how much memory this process uses, bytes; ``None``: the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        pass
    try:
        psutil: Any = import_module("psutil")  # it may not be there
    except ImportError:
        return None
    return int(psutil.Process().memory_info().rss)


def _shown(used: int) -> str:
    return f"{used / (1 << 20):.2f}MB"
