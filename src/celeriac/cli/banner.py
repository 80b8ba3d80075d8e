"""What a worker shows when it starts: who it is, where it fetches, what it can run. Passwords are masked.

Does not know: whether the broker answers.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What the banner tells."""

    node: str
    app: str
    version: str
    transport: str
    """URL of the broker, masked."""
    results: str
    """URL of the result backend, masked."""
    concurrency: int
    pool: str
    queues: Iterable[str]
    tasks: Iterable[str]


def banner(portrait: Portrait) -> str:
    """Return the text."""
    lines = [
        "",
        f" {portrait.node}  celeriac {portrait.version}  ({platform.system()}, Python {platform.python_version()})",
        "",
        " [config]",
        f" .> app:         {portrait.app}",
        f" .> transport:   {portrait.transport}",
        f" .> results:     {portrait.results}",
        f" .> concurrency: {portrait.concurrency} ({portrait.pool})",
        "",
        " [queues]",
        *(f" .> {name}" for name in portrait.queues),
        "",
        " [tasks]",
        *(f"  . {name}" for name in sorted(portrait.tasks)),
        "",
    ]
    return "\n".join(lines)
