"""The name of a beat: what answers and log files are told from.

In a beat's life: before it. Does not know: beats.
"""

from __future__ import annotations

import os
from typing import Final

NODENAME_DEFAULT: Final = "celerybeat"


def beat_nodename(hostname: str | None = None) -> str:
    """Return the name of a beat: ``celerybeat@host``, or what was given, with ``%h``, ``%n`` and ``%d`` filled in."""
    host = os.uname().nodename
    first, _, domain = host.partition(".")
    name = hostname or f"{NODENAME_DEFAULT}@%h"
    if "@" not in name:
        name = f"{NODENAME_DEFAULT}@{name}"
    for mark, meaning in (("%h", host), ("%n", first), ("%d", domain), ("%%", "%")):
        name = name.replace(mark, meaning)
    return name
