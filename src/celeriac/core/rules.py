"""What operators have said to a whole fleet: which tasks must not start, and which queues and task types are paused.

In a job's life: kept in the store, read by a child when the revision that came with a fetch is another one, asked by
admission before a task starts. Frozen data and pure questions. Does not know: clocks, stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from celeriac.core.errors import ImproperlyConfigured

REVOKED_FOR_S: Final = 10800.0
"""A store remembers for so long that a task is revoked, unless it is told otherwise. Source: Celery's ``REVOKE_EXPIRES``."""
REVOKED_AT_MOST: Final = 50_000
"""It remembers the newest of them, so many. Source: Celery's ``REVOKES_MAX``."""


class Remembered(Struct, frozen=True):
    """How much of what was revoked a store remembers."""

    for_s: float = REVOKED_FOR_S
    """Seconds, unless a call says otherwise."""
    at_most: int = REVOKED_AT_MOST
    """Ids, and as many stamps."""


def remembered(environ: Mapping[str, str]) -> Remembered:
    """Return what the environment says: ``CELERY_WORKER_REVOKE_EXPIRES`` (seconds) and ``CELERY_WORKER_REVOKES_MAX``.

    Raises:
        ImproperlyConfigured: one of them is no number above 0.
    """
    for_s = _number(environ, "CELERY_WORKER_REVOKE_EXPIRES", REVOKED_FOR_S)
    return Remembered(for_s, int(_number(environ, "CELERY_WORKER_REVOKES_MAX", REVOKED_AT_MOST)))


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    given = environ.get(name)
    if not given:
        return default
    try:
        number = float(given)
    except ValueError:
        number = 0.0
    if not 1 <= number < 1e12:
        raise ImproperlyConfigured(f"{name} is {given!r}; it is a number, 1 or more")
    return number


class Rules(Struct, frozen=True):
    """What is in force at one moment."""

    revision: int = 0
    """Grows with each change."""
    revoked: frozenset[str] = frozenset()
    """Ids of tasks that must not start."""
    revoked_stamps: Mapping[str, frozenset[str]] = {}
    """Header -> values, as text: tasks that bear one of these stamps must not start."""
    paused_queues: frozenset[str] = frozenset()
    """Nothing is fetched from them."""
    paused_tasks: frozenset[str] = frozenset()
    """Names of task types: none of them is started."""

    def forbids(self, id: str, stamps: Mapping[str, Any]) -> bool:
        """Say whether the task of this id, with these stamps, is revoked."""
        if id in self.revoked:
            return True
        if not self.revoked_stamps or not stamps:
            return False
        return any(
            not values.isdisjoint(stamp_values(stamps[header]))
            for header, values in self.revoked_stamps.items()
            if header in stamps
        )


NO_RULES: Final = Rules()
"""Nobody has said anything."""


def stamp_values(given: Any) -> Iterable[str]:
    """Return the values of one stamp as text: a stamp has one, or a list of them."""
    return map(str, given) if isinstance(given, list | tuple | set | frozenset) else (str(given),)
