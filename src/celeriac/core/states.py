"""The states of a task, and which of them wins over which.

In a job's life: settlement names them, the result reads them. Source: Celery's reference of ``celery.states``.
"""

from __future__ import annotations

from typing import Final

PENDING: Final = "PENDING"
"""Nothing is stored: unknown, waiting, or never sent."""
RECEIVED: Final = "RECEIVED"
STARTED: Final = "STARTED"
SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
REVOKED: Final = "REVOKED"
REJECTED: Final = "REJECTED"
RETRY: Final = "RETRY"
IGNORED: Final = "IGNORED"

READY_STATES: Final = frozenset({SUCCESS, FAILURE, REVOKED})
"""Final: nothing follows."""
UNREADY_STATES: Final = frozenset({PENDING, RECEIVED, STARTED, REJECTED, RETRY})
EXCEPTION_STATES: Final = frozenset({RETRY, FAILURE, REVOKED})
"""The result is an exception."""
PROPAGATE_STATES: Final = frozenset({FAILURE, REVOKED})
"""``get()`` raises the result."""
ALL_STATES: Final = frozenset({PENDING, RECEIVED, STARTED, SUCCESS, FAILURE, RETRY, REVOKED})

PRECEDENCE: Final = [SUCCESS, FAILURE, None, REVOKED, STARTED, RECEIVED, REJECTED, RETRY, PENDING]
"""From the strongest to the weakest; ``None`` stands for every state that a program made up."""
NONE_PRECEDENCE: Final = PRECEDENCE.index(None)
PRECEDENCE_LOOKUP: Final = {state: rank for rank, state in enumerate(PRECEDENCE)}
"""State -> its rank."""


def precedence(state: str) -> int:
    """Return the rank of ``state``; the lower, the stronger. A state of the user's own ranks after FAILURE."""
    return PRECEDENCE_LOOKUP.get(state, NONE_PRECEDENCE)


class state(str):  # noqa: N801 - Celery's name
    """A state that is the greater the stronger it is: ``state("SUCCESS") > state("PENDING")``."""

    __slots__ = ()

    def __gt__(self, other: str) -> bool:
        return precedence(self) < precedence(other)

    def __ge__(self, other: str) -> bool:
        return precedence(self) <= precedence(other)

    def __lt__(self, other: str) -> bool:
        return precedence(self) > precedence(other)

    def __le__(self, other: str) -> bool:
        return precedence(self) >= precedence(other)
