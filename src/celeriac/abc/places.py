"""Where a message may lie: what a store answers when somebody asks for the messages of one task.

Beside a job's life. Does not know: why anybody asks.
"""

from __future__ import annotations

from msgspec import Struct

from celeriac.abc.lessee import Lessee


class Waiting(Struct, frozen=True):
    """It waits in a queue."""

    raw: bytes
    """The message as it lies there; so it is below."""
    queue: str
    ahead: int
    """How many messages of that queue are served before it."""


class Scheduled(Struct, frozen=True):
    """It waits for its date in the schedule."""

    raw: bytes
    queue: str
    """Where it goes then."""
    due: float
    """Seconds since 1970."""


class Parked(Struct, frozen=True):
    """It is put aside: its type is paused, or was throttled."""

    raw: bytes
    queue: str
    """Where it comes back to."""
    task: str
    ahead: int
    """How many messages of its type and queue are older."""


class Held(Struct, frozen=True):
    """It is leased."""

    raw: bytes
    queue: str
    """Where it came from."""
    lessee: Lessee
    tag: int
    joined: bool
    """As ``Delivery.joined``."""
    node: str
    """Name of the lessee's node for people; ``""``: the node is not known any more."""
    lease_s: float
    """How long the lease of that node runs, unless it says that it is alive. 0: it has ended."""
