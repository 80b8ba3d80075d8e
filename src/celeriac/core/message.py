"""What travels: Message (understood), Parcel (bytes and headers), Outgoing (a Parcel with an address), Delivery.

In a job's life: the producer turns a Message into an Outgoing, the store keeps it, a fetch hands it out as a Delivery,
the child turns its Parcel into a Message again (``core.protocol`` does both). All are frozen; to change one,
``msgspec.structs.replace`` it. They are Structs, not dataclasses: a frozen dataclass of twenty fields costs 6 µs to make,
a Struct 0.4 µs, and each task makes several; frozen trees of plain data form no cycles, so the collector need not look
at them (``gc=False``). Does not know: drivers, tasks, clocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

type_ = type


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """A request to run one task once, before it is bytes or after it was understood."""

    id: str
    """Unique id of this call; a UUID4 unless the caller chose one."""
    task: str
    """Registered name, such as ``"shop.tasks.charge"``."""
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    eta: datetime | None = None
    """Earliest start, with time zone. ``None``: at once."""
    expires: datetime | None = None
    """Never start it after this moment, with time zone. ``None``: no bound."""
    retries: int = 0
    """Attempts made before this one by ``Task.retry``; 0 on the first run."""
    time_limit: float | None = None
    """Hard limit of the run, seconds. ``None``: as the task or the app says."""
    soft_time_limit: float | None = None
    """Soft limit of the run, seconds. ``None``: as the task or the app says."""
    priority: int = 0
    """As the broker counts: on Redis (and here) 0 is served first, 9 last."""
    root_id: str | None = None
    """First task of the workflow. ``None`` in protocol 1 only."""
    parent_id: str | None = None
    """The task that sent this one. ``None``: a program did."""
    group: str | None = None
    group_index: int | None = None
    """Position in the group, from 0."""
    reply_to: str | None = None
    correlation_id: str | None = None
    origin: str | None = None
    """Who sent it: ``gen<pid>@<host>``."""
    shadow: str | None = None
    """Shown instead of the task's name in logs and events."""
    argsrepr: str | None = None
    kwargsrepr: str | None = None
    ignore_result: bool | None = None
    """``None``: as the task says."""
    replaced_task_nesting: int = 0
    stamped_headers: Sequence[str] | None = None
    stamps: Mapping[str, Any] = {}
    callbacks: Sequence[Mapping[str, Any]] | None = None
    """Signatures to send with the result after success."""
    errbacks: Sequence[Mapping[str, Any]] | None = None
    """Signatures to send, or call, after failure."""
    chain: Sequence[Mapping[str, Any]] | None = None
    """The rest of the chain, reversed: the last element runs next. ``None``: not in a chain; ``[]``: at its end."""
    chord: Mapping[str, Any] | None = None
    """The body of the chord that this task is a member of."""
    headers: Mapping[str, Any] = {}
    """Headers that are not named above: the caller's own, and those of newer versions. They survive retries."""
    deliveries: int = 0
    """How often it was handed out before this time and lost with a dying process; 0 on the first delivery."""
    redelivered: bool = False

    @property
    def shown_name(self) -> str:
        """The name for people."""
        return self.shadow or self.task


class Parcel(Struct, frozen=True, kw_only=True, gc=False):
    """A message as bytes, with the headers and properties that travel beside them."""

    body: bytes
    content_type: str
    """Such as ``"application/json"``."""
    content_encoding: str
    """``"utf-8"`` or ``"binary"``."""
    headers: Mapping[str, Any]
    properties: Mapping[str, Any] = {}
    """``correlation_id``, ``reply_to``, ``delivery_mode``, ``priority``, ``expiration``, ..."""


class Outgoing(Struct, frozen=True, kw_only=True, gc=False):
    """A Parcel with its address and its time."""

    parcel: Parcel
    queue: str
    """Where it goes on stores without exchanges. On those with exchanges: the queue to declare, or ``""``."""
    exchange: str = ""
    routing_key: str = ""
    """With ``exchange`` ``""``, the name of the queue."""
    priority: int = 0
    """0 … 9, as the broker counts."""
    eta: datetime | None = None
    """The store keeps it in its schedule until then, with time zone. ``None``: into the queue at once."""

    @property
    def id(self) -> str:
        """The id of the task; for errors and logs."""
        return str(self.parcel.headers.get("id", ""))


class Address(Struct, frozen=True, kw_only=True):
    """Where a message that is sent again goes, and in which form, if not as before. ``None``: as before."""

    queue: Any = None
    """Name, or Queue object."""
    exchange: Any = None
    exchange_type: str | None = None
    routing_key: str | None = None
    serializer: str | None = None
    compression: str | None = None
    delivery_mode: int | str | None = None


NOWHERE_ELSE = Address()


class Rejected(Struct, frozen=True):
    """What was read cannot be understood or must not be run."""

    reason: str
    """One word for counters: ``malformed``, ``oversized``, ``too-deep``, ``content-type``, ``unknown-task``,
    ``arguments``, ``deliveries``, ``unsupported``, ``rejected``, ``worker-lost``, ``workflow-lost``."""
    detail: str = ""
    """One sentence for people. Comes from outside: escape it in logs."""


class Delivery(Struct, frozen=True, gc=False):
    """One handing-over of a message to a lessee."""

    tag: int
    """Names it in its store as long as it is leased. A later delivery to the same lessee has a larger tag."""
    queue: str
    parcel: Parcel | Rejected
    raw: bytes
    """As it lay in the store: what the dead letters keep."""
    joined: bool = False
    """Its task has ended, and was the last of a chord's members: what is left to do is to call the body."""
