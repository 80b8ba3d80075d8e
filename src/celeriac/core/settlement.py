"""The words in which a run's end is told to a store: Settlement, and what it is made of.

In a job's life: ``worker.settlement`` decides one Settlement for each Delivery, ``Broker.settle`` carries it out,
whole or not at all. Frozen data; does not know how it is decided or carried out.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

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
    place: Any = None
    """What the task names as its own result backend. ``None``: where results are kept by default."""


class Done(Struct, frozen=True, gc=False):
    """The delivery is over: the store forgets it."""


class Requeue(Struct, frozen=True, gc=False):
    """The message goes back to the front of its queue, before messages of the same priority."""

    replacement: Outgoing | None = None
    """The changed message (a delivery counted). ``None``: as it lay there, no attempt counted."""


class Park(Struct, frozen=True, gc=False):
    """The message is put aside, as it lay there, until its task type is resumed or it is released; no attempt is counted."""

    task: str
    """Name of the task type."""
    throttled: bool = False
    """Its rate limit is used up. ``False``: the type is paused; if it is not (any longer), this is a ``Requeue``."""


class DeadLetter(Struct, frozen=True, gc=False):
    """The message goes to the dead letters."""

    reason: str
    """One word; see ``Rejected.reason``. Or ``unsettled``, ``unqueued``: a store has refused its settlement, its queue."""
    detail: str = ""
    """One sentence."""
    task: str = ""
    task_id: str = ""


class Opening(Struct, frozen=True, gc=False):
    """A chord whose members are about to be sent."""

    chord: str
    size: int
    """How many parts it will have."""
    ttl_s: float | None = 86400.0
    """As ``Join.ttl_s``."""


class Following(Struct, frozen=True, gc=False):
    """What is sent because a task has ended."""

    messages: tuple[Outgoing, ...] = ()
    opens: tuple[Opening, ...] = ()
    """Chords whose members are among them."""
    children: tuple[Any, ...] = ()
    """The results of what is sent, in their stored form: children of the task that has ended."""
    keeps: tuple[StoredResult, ...] = ()
    """What is kept among results for them: headers of those chords, parts of workflows that they refer to."""


def together(parts: Iterable[Following]) -> Following:
    """Return what is sent for each of these, as one."""
    all_parts = list(parts)
    return Following(
        tuple(outgoing for one in all_parts for outgoing in one.messages),
        tuple(opening for one in all_parts for opening in one.opens),
        tuple(child for one in all_parts for child in one.children),
        tuple(kept for one in all_parts for kept in one.keeps),
    )


class Addition(Struct, frozen=True, gc=False):
    """Members that a running task has added to its chord."""

    ids: tuple[str, ...]
    """Under which their parts will come."""
    after: Following = Following()
    """What is sent for them in the step that ends the run; nothing where the task sends them itself."""


class Part(Struct, frozen=True, gc=False):
    """What one member of a chord ended with."""

    id: str
    """Task id of the member."""
    place: int | None
    """In the header. ``None``: behind all others."""
    body: bytes
    """In Celery's stored form: ``[1, id, state, result]`` as JSON."""


class Join(Struct, frozen=True, gc=False):
    """Members of a chord have ended: parts of what the chord's body waits for."""

    chord: str
    """Id of the chord: of the group that is its header."""
    parts: tuple[Part, ...]
    """One, as a rule. Several when a task has failed that a group of members would have followed. None: more are said to come."""
    ttl_s: float | None = 86400.0
    """Forget the chord when nothing was heard of it for so many seconds. ``None``: never."""
    added: tuple[str, ...] = ()
    """Ids of members that were added while the chord ran: it waits for one part more for each, however often that is said."""


class Settlement(Struct, frozen=True, kw_only=True, gc=False):
    """What becomes of one delivery, and of everybody who waits for its end."""

    tag: int
    fate: Done | Requeue | Park | DeadLetter
    result: StoredResult | None = None
    """State to store and announce. ``None``: store nothing."""
    further: tuple[StoredResult, ...] = ()
    """States of other tasks, which end because this one has: the rest of a chain that failed; and parts of workflows."""
    followups: tuple[Outgoing, ...] = ()
    """Messages to publish: a retry, callbacks, the next of a chain."""
    opens: tuple[Opening, ...] = ()
    """Chords to open before the follow-ups are published. One that is open or over stays as it is."""
    join: Join | None = None
    """Record these parts. If they were the last that were missing, the answer is JOINED, and the delivery stays with ``lessee``,
    under the same tag, marked as joined: his is the next step."""
    stays: bool = False
    """The delivery stays with ``lessee``, marked as joined. For stores whose chords are joined elsewhere."""
    closes: str | None = None
    """A chord whose parts are not needed any more. Parts that come late are not recorded."""

    @property
    def results(self) -> tuple[StoredResult, ...]:
        """All states that it stores."""
        return self.further if self.result is None else (self.result, *self.further)


class Settled(Enum):
    """What a store says of a Settlement."""

    APPLIED = "applied"
    JOINED = "joined"
    """As APPLIED, and its parts were the last of their chord: the lessee still holds the delivery, marked as joined."""
    LEASE_LOST = "lease lost"
    """Somebody else holds the delivery now; nothing was changed."""
    REFUSED = "refused"
    """The store cannot carry it out, whatever the others; nothing of it was done. The lessee still holds the delivery."""
