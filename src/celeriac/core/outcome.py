"""How a run ended, said by whoever ran it.

In a job's life: execution -> Outcome -> settlement. Frozen data; values and exceptions are live objects, not yet bytes.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from celeriac.core.message import Address, Message
from celeriac.core.settlement import Following


class Success(Struct, frozen=True):
    """The function returned."""

    value: Any


class Failure(Struct, frozen=True):
    """The function raised, or was not let to its end."""

    exception: BaseException
    traceback: str | None = None
    """As text, from the function's own frame on. ``None``: there was no frame of the user's."""
    expected: bool = False
    """The task lists this class in ``throws``: no reason for an error in the log."""
    uncallable: bool = False
    """The function does not take these arguments: it never ran."""
    errbacks_called: bool = False
    """Errbacks that take ``(request, exc, traceback)`` have been called already, where the task ran."""


class Retried(Struct, frozen=True):
    """The task is to run again."""

    again: Message
    """The message to send: same id, one retry more, its eta."""
    exception: BaseException | None
    """What made it want to; ``None``: nothing was said."""
    traceback: str | None
    when: str
    """For people: ``in 3.0s``."""
    address: Address | None = None
    """Where that message goes; ``None``: where the task's came from."""
    reason: BaseException | None = None
    """The Retry that was raised; for the user's own handlers."""


class Ignored(Struct, frozen=True):
    """The task asked that nothing be stored."""

    after: Following = Following()
    """To be sent in the step that ends the run: what takes the task's place."""
    instead: Any = None
    """How that ended, where it ran here and now; ``None``: nothing did."""


class Refused(Struct, frozen=True):
    """The task refused its message."""

    reason: str
    requeue: bool


class Revoked(Struct, frozen=True):
    """It was not started: revoked, or too late; or an operator has ended its run."""

    why: str
    """``revoked``, ``expired`` or ``terminated``."""
    signum: int | None = None
    """Of one that was terminated: the signal that the operator named."""


Outcome = Success | Failure | Retried | Ignored | Refused | Revoked
