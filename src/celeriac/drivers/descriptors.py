"""Descriptors that are waited for, and pipes that wake whoever waits.

In a job's life: where a fetch waits for work, and where a signal handler ends that. Does not know: what is read.
"""

from __future__ import annotations

import select
from collections.abc import Sequence

try:
    # Not those of ``os``: eventlet's wait also on what was told not to block, which no signal handler may.
    from posix import read, write
except ImportError:  # Windows
    from os import read, write

__all__ = ["read", "readable", "write"]


def readable(descriptors: Sequence[int], seconds: float) -> set[int]:
    """Return those with something to read, after ``seconds`` at most; none: nothing came."""
    seconds = max(0.0, seconds)
    if not hasattr(select, "poll"):  # Windows, and where eventlet has taken it away: it cannot make it wait its way
        return set(select.select(descriptors, [], [], seconds)[0])
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(seconds * 1000)}
