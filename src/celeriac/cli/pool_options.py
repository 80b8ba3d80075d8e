"""Options of a worker's processes that click has no type for: the name of a pool, bounds of a number, an amount of memory.

Plain functions from text to value. Does not know: what a worker makes of them.
"""

from __future__ import annotations

from difflib import get_close_matches

import click

from celeriac.worker.lanes.custom import CUSTOM, is_path
from celeriac.worker.memory import MemoryLimit
from celeriac.worker.plan import POOLS

NAMES = (*POOLS, "processes", CUSTOM)


def pool_name(text: str) -> str:
    """Take the name of a pool, or the path of a class; whether there is such a class is found out by whoever makes one."""
    if text in NAMES or is_path(text):
        return text
    near = get_close_matches(text, NAMES, n=1)
    hint = (
        f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(NAMES)}, or name a class such as shop.lanes:MyLane"
    )
    raise click.BadParameter(f"there is no pool {text!r}: {hint}")


def most_and_least(text: str | tuple[int, int]) -> tuple[int, int]:
    """Parse ``10,3``: 10 at most, 3 at least; ``10`` means 10 at most, 1 at least. The larger one counts as the most."""
    if isinstance(text, tuple):
        return text
    try:
        numbers = sorted(int(part) for part in text.split(","))
    except ValueError:
        numbers = []
    if len(numbers) not in {1, 2} or numbers[0] < 0 or numbers[-1] < 1:
        raise click.BadParameter(f"{text!r} is not two numbers of processes, at most and at least, such as 10,3")
    return numbers[-1], numbers[0] if len(numbers) == 2 else 1


def kibibytes(text: str) -> int | str:
    """Parse ``250000``, or ``+50000``: memory of a process, or what it may grow by."""
    try:
        limit = MemoryLimit.parse(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no number of KiB such as 250000, nor a growth such as +50000") from None
    return text if limit.grown else limit.kib
