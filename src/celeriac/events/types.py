"""What is told: each type of event, with its fields.

In a task's life: beside it, from ``task-sent`` to its end; in a node's life, every few seconds. An event on the wire is an object
of plain data; these structs are how our own processes make them, since one is made for each step of each task. Names and meanings
are Celery's, from its page on monitoring. Does not know: who listens, how events travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from celeriac.core import states

Event = dict[str, Any]
"""An event as it is read: at least ``type`` is there."""

STATE_OF: Final[Mapping[str, str]] = MappingProxyType({
    "sent": states.PENDING,
    "received": states.RECEIVED,
    "started": states.STARTED,
    "failed": states.FAILURE,
    "retried": states.RETRY,
    "succeeded": states.SUCCESS,
    "revoked": states.REVOKED,
    "rejected": states.REJECTED,
})  # fmt: skip
"""What happened to a task -> the state that it is in. What is not named here is a state of its own, in capitals."""

GOES_ON: Final = frozenset({"sent", "received", "started", "succeeded", "failed", "rejected", "revoked", "retried", "cancelled"})
"""What our own processes tell of tasks."""
BEATS: Final = frozenset({"worker-online", "worker-heartbeat", "worker-offline"})


class Told(Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """What every event says."""

    hostname: str
    """Name of the node; of a client ``gen<pid>@<host>``."""
    utcoffset: float
    """Hours by which the local time of the sender is behind UTC."""
    pid: int
    clock: int
    """See ``LamportClock``."""
    timestamp: float
    """Seconds since 1970."""


class TaskTold(Told, frozen=True, kw_only=True, gc=False):
    """An event of a task."""

    uuid: str
    """Id of the task."""


class Sent(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-sent"):
    """A client, or a task, has sent it."""

    name: str
    args: str
    """As text for people, without what is secret; so are ``kwargs`` here, ``result`` and ``exception`` below."""
    kwargs: str
    root_id: str | None
    parent_id: str | None
    retries: int
    eta: str | None
    """ISO 8601."""
    expires: str | None
    """The same."""
    queue: str
    exchange: str
    routing_key: str


class Received(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-received"):
    """A node is about to run it."""

    name: str
    args: str
    kwargs: str
    root_id: str | None
    parent_id: str | None
    retries: int
    eta: str | None
    expires: str | None


class Started(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-started"):
    """Its function is called now."""


class Succeeded(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-succeeded"):
    """It returned."""

    result: str
    runtime: float
    """Seconds."""


class Failed(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-failed"):
    """It raised, or its process died, or its time was over."""

    exception: str
    traceback: str | None


class Retried(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-retried"):
    """It will run again."""

    exception: str
    traceback: str | None


class Rejected(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-rejected"):
    """It was put back, or to the dead letters."""

    requeue: bool


class Revoked(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-revoked"):
    """It was not to run, or not to go on."""

    terminated: bool
    """While it ran."""
    signum: int | str | None
    """By this signal."""
    expired: bool
    """Nobody had started it in time."""


class Cancelled(TaskTold, frozen=True, kw_only=True, gc=False, tag="task-cancelled"):
    """Its node stopped at once while it ran; it goes back to its queue."""


class Here(Struct, frozen=True):
    """Who tells, and the clocks by which he does."""

    hostname: str
    pid: int
    time: Callable[[], float]
    """Seconds since 1970."""
    forward: Callable[[], int]
    """The next number of the process's ``LamportClock``."""
    utcoffset: Callable[[], float]
    """Hours by which local time is behind UTC now."""


def group_of(type: str) -> str:
    """Return what is before the first dash: ``task``, ``worker``, or a program's own group.

    >>> group_of("task-sent"), group_of("custom-my-event")
    ('task', 'custom')
    """
    return type.partition("-")[0]


def key_of(type: str) -> str:
    """Return the routing key of a single event of this type: ``task.sent``."""
    return type.replace("-", ".")


def make_event(type: str, fields: Mapping[str, Any], *, time: Callable[[], float]) -> Event:
    """Return an event of plain data; ``time`` is asked when ``fields`` have no ``timestamp``."""
    event = dict(fields)
    if "timestamp" not in event:
        event["timestamp"] = time()
    event["type"] = type
    return event
