"""Names that a program makes up: queues, routing keys, ids of tasks. Refused at the call when no store could find them again.

In a job's life: options become ``CallOptions``, and a route is found. A queue without a name, or one that a worker cannot be
told to serve, would take the job and never give it back. Does not know: tasks, settings, routes.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

LONGEST: Final = 255
"""Brokers and result backends keep names in fields of this length."""


def checked_address(given: object, what: str, *, may_be_empty: bool = False) -> None:
    """Refuse a name of a queue, exchange or routing key that cannot be; ``given`` may be an object with such a name.

    Raises:
        ValueError: it is empty, too long, or has characters that cannot be seen.
    """
    name = getattr(given, "name", given)
    # What is neither a name nor a queue is told by whoever reads queues.
    if isinstance(name, str) and not (name == "" and may_be_empty):
        _checked(name, what)


def checked_id(given: object) -> str:
    """Return the id of a task as text; a UUID is one, too.

    Raises:
        TypeError: it is neither.
        ValueError: it is empty, too long, or has characters that cannot be seen.
    """
    if isinstance(given, UUID):
        return str(given)
    if not isinstance(given, str):
        raise TypeError(f"task_id={given!r} must be text or a UUID")
    _checked(given, "task_id")
    return given


def _checked(name: str, what: str) -> None:
    if not name:
        raise ValueError(f"{what}='' is empty")
    if len(name) > LONGEST:
        raise ValueError(f"{what}={name[:40] + '...'!r} has {len(name)} characters; {LONGEST} is the most")
    if not name.isprintable():
        raise ValueError(f"{what}={name!r} has characters that cannot be printed")
