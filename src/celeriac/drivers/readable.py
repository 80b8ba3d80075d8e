"""Wait until one of a few descriptors has something to read.

In a job's life: where a fetch waits for work. Does not know: what is read.
"""

from __future__ import annotations

import select
from collections.abc import Sequence


def readable(descriptors: Sequence[int], seconds: float) -> set[int]:
    """Return those with something to read, after ``seconds`` at most; none: nothing came."""
    seconds = max(0.0, seconds)
    if not hasattr(select, "poll"):  # Windows, and where eventlet has taken it away: it cannot make it wait its way
        return set(select.select(descriptors, [], [], seconds)[0])
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(seconds * 1000)}
