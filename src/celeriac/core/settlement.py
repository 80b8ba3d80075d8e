"""The words in which a run's end is told to a store: Settlement, and what it is made of.

In a job's life: ``worker.settlement`` decides one Settlement for each Delivery, ``Broker.settle`` carries it out,
whole or not at all. Frozen data; does not know how it is decided or carried out.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from celeriac.core.message import Outgoing


class StoredResult(Struct, frozen=True, gc=False):
    """One state of one task, as a result backend keeps it."""

    id: str
    """Task id."""
    state: str
    body: bytes
    """The encoded task meta (``core.taskmeta``): what a reader gets and a waiter is told."""
    ttl_s: float | None = 86400.0
    """Forget it after this many seconds. ``None``: never."""


class Done(Struct, frozen=True, gc=False):
    """The delivery is over: the store forgets it."""


class Requeue(Struct, frozen=True, gc=False):
    """The message goes back to the front of its queue, before messages of the same priority."""

    replacement: Outgoing | None = None
    """The changed message (a delivery counted). ``None``: as it lay there, no attempt counted."""


class DeadLetter(Struct, frozen=True, gc=False):
    """The message goes to the dead letters."""

    reason: str
    """One word; see ``Rejected.reason``."""
    detail: str = ""
    """One sentence."""
    task: str = ""
    task_id: str = ""


class Settlement(Struct, frozen=True, kw_only=True, gc=False):
    """What becomes of one delivery, and of everybody who waits for its end."""

    tag: int
    fate: Done | Requeue | DeadLetter
    result: StoredResult | None = None
    """State to store and announce. ``None``: store nothing."""
    followups: tuple[Outgoing, ...] = ()
    """Messages to publish: a retry, callbacks, the next of a chain."""


class Settled(Enum):
    """What a store says of a Settlement."""

    APPLIED = "applied"
    LEASE_LOST = "lease lost"
    """Somebody else holds the delivery now; nothing was changed."""
