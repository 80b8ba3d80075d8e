"""How often runs of one task type may begin: what a limit says, and whether the next one may begin now.

In a job's life: asked at admission for tasks that have a limit, and by the supervisor that brings back what was put aside. Pure:
the clock and the state are arguments. The state is one moment, the date: when the next run was to begin if all of them kept even
distances. A run may begin a quarter of a second before its date, so that those who look now and then keep the rate on average.
Does not know: tasks, processes, where the date is kept.
"""

from __future__ import annotations

from math import floor, isfinite
from typing import Final

EARLY_S: Final = 0.25
"""A run may begin so long before its date: at high rates a few begin together."""
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def per_second(limit: str | float | None) -> float | None:
    """Return how many runs may begin each second; ``None``: there is no limit.

    Args:
        limit: ``"10/s"``, ``"100/m"``, ``"5/h"``, or a number of runs a second. ``None``, 0 and ``""``: no limit.

    Raises:
        ValueError: it is none of these.

    Example:
        >>> per_second("90/m")
        1.5

    Source: Celery's reference of ``Task.rate_limit``.
    """
    if limit is None or limit == "":
        return None
    try:
        number, _, unit = str(limit).partition("/")
        rate = float(number) / _SECONDS[unit.strip() or "s"]
    except (ValueError, KeyError):
        rate = -1.0
    if rate < 0 or not isfinite(rate):
        raise ValueError(f"{limit!r} is no rate limit: say '10/s', '100/m', '5/h', or a number of runs a second")
    return rate or None


def begin(date: float, now: float, per_s: float) -> float | None:
    """Return the date after that of a run that begins ``now``; ``None``: it must not begin yet."""
    date = _bounded(date, now, per_s)
    return None if now < date - EARLY_S else max(date, now) + 1 / per_s


def wait_s(date: float, now: float, per_s: float) -> float:
    """Return how many seconds there are until the next run may begin."""
    return max(0.0, _bounded(date, now, per_s) - EARLY_S - now)


def ready(date: float, now: float, per_s: float) -> int:
    """Return how many runs may begin now, one after the other."""
    early_s = now + EARLY_S - max(_bounded(date, now, per_s), now)
    return 0 if wait_s(date, now, per_s) else floor(early_s * per_s + 1e-9) + 1


def _bounded(date: float, now: float, per_s: float) -> float:
    # Further away than any run of this rate could put it: the limit was lower, and what it has promised for later is void.
    return date if date <= now + 1 / per_s + EARLY_S else now
