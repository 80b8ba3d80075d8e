"""Task: what a monitor knows of one task.

In an event's life: receiver -> state -> **here**. Events of one task come from several processes, and not always in their order:
what logically comes before the state that is known is merged, and does not turn it back. Names and meanings: Celery's reference
of ``celery.events.state``. Does not know: who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Protocol
from weakref import WeakSet

from celeriac.core import states
from celeriac.events.types import STATE_OF
from celeriac.events.workers import Worker

_FIELDS: Final = (
    "uuid", "name", "state", "received", "sent", "started", "rejected", "succeeded", "failed", "retried", "revoked", "args",
    "kwargs", "eta", "expires", "retries", "worker", "result", "exception", "timestamp", "runtime", "traceback", "exchange",
    "routing_key", "clock", "client", "root", "root_id", "parent", "parent_id", "children",
)  # fmt: skip
_OWN: Final = frozenset({"worker", "client", "children", "cluster_state", "root", "parent", "state"})
"""Attributes that no field of an event may set."""
_INFO: Final = (
    "args", "kwargs", "retries", "result", "eta", "runtime", "expires", "exception", "exchange", "routing_key", "root_id",
    "parent_id",
)  # fmt: skip


class Cluster(Protocol):
    """Where tasks are found by their ids."""

    tasks: Any


class Task:
    """One task."""

    name: str | None = None
    received: float | None = None
    """When that happened, seconds since 1970; so are ``sent``, ``started`` and the like."""
    sent: float | None = None
    started: float | None = None
    succeeded: float | None = None
    failed: float | None = None
    retried: float | None = None
    revoked: float | None = None
    rejected: float | None = None
    args: str | None = None
    kwargs: str | None = None
    eta: str | None = None
    expires: str | None = None
    retries: int | None = None
    worker: Worker | None = None
    """The node that last had to do with it."""
    result: str | None = None
    exception: str | None = None
    timestamp: float | None = None
    """When its state last changed."""
    runtime: float | None = None
    """Seconds."""
    traceback: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    client: str | None = None
    """Who sent it."""
    state: str = states.PENDING
    clock: int = 0
    _fields: ClassVar[tuple[str, ...]] = _FIELDS
    """What programs of Celery go through."""

    merge_rules: ClassVar[Mapping[str, tuple[str, ...]]] = {
        states.RECEIVED: ("name", "args", "kwargs", "parent_id", "root_id", "retries", "eta", "expires"),
    }
    """State -> the fields of its event that count, when the event comes after those of later states."""

    def __init__(
        self, uuid: str | None = None, cluster_state: Cluster | None = None, children: Iterable[str] | None = None, **fields: Any
    ) -> None:
        self.uuid, self.cluster_state = uuid, cluster_state
        found = [] if cluster_state is None else [cluster_state.tasks.get(id) for id in children or ()]
        self.children: WeakSet[Task] = WeakSet(child for child in found if child is not None)
        """Tasks that it has sent."""
        vars(self).update(fields)

    def event(
        self,
        type_: str,
        timestamp: float | None = None,
        local_received: float | None = None,  # noqa: ARG002 - Celery's signature
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Take note of one event of it; ``type_`` is what comes after ``task-``."""
        told = {name: value for name, value in (fields or {}).items() if name not in _OWN}
        state = STATE_OF.get(type_)
        if state is None:
            state = type_.upper()  # a state of the program's own
        else:
            setattr(self, type_, timestamp)
        if self._is_behind(state):
            kept, known = self.merge_rules.get(state, ()), vars(self)
            told = {name: value for name, value in told.items() if name in kept or name not in known}
        else:
            self.state = state
            told["timestamp"] = timestamp
        vars(self).update(told)

    def _is_behind(self, state: str) -> bool:
        """Say whether a state is one that the task has passed. After a retry anything may come again."""
        if states.RETRY in (state, self.state):
            return False
        return states.precedence(state) > states.precedence(self.state)

    def info(self, fields: Iterable[str] | None = None, extra: Iterable[str] | None = None) -> dict[str, Any]:
        """Return what is known of it and fit for a screen; ``fields`` instead of the usual ones, ``extra`` beside them."""
        names = [*(_INFO if fields is None else fields), *(extra or ())]
        found = {name: getattr(self, name, None) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return all fields; tasks among them by their ids."""
        shown: Mapping[str, Callable[[], Any]] = {
            "children": lambda: [child.uuid for child in self.children],
            "root": lambda: self.root_id,
            "parent": lambda: self.parent_id,
        }
        return {name: shown[name]() if name in shown else getattr(self, name) for name in _FIELDS}

    @property
    def id(self) -> str | None:
        """Its id."""
        return self.uuid

    @property
    def origin(self) -> str | None:
        """Who told of it last: its node, or its client."""
        return self.client if self.worker is None else self.worker.id

    @property
    def ready(self) -> bool:
        """Whether it has ended."""
        return self.state in states.READY_STATES

    @property
    def parent(self) -> Task | None:
        """The task that sent it, if it is known."""
        return self._known(self.parent_id)

    @property
    def root(self) -> Task | None:
        """The first task of its workflow, if it is known."""
        return self._known(self.root_id)

    def _known(self, id: str | None) -> Task | None:
        return None if id is None or self.cluster_state is None else self.cluster_state.tasks.get(id)

    def __eq__(self, other: object) -> bool:
        return self.uuid == other.uuid if isinstance(other, Task) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.uuid)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = self.as_dict()
        del fields["root"], fields["parent"]
        return _restored, (type(self), fields)

    def __repr__(self) -> str:
        return f"<Task: {self.name}({self.uuid}) {self.state} clock:{self.clock}>"


def _restored(cls: type[Task], fields: Mapping[str, Any]) -> Task:
    return cls(**fields)
