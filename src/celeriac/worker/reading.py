"""Understand a delivery: decode its message and find its task.

In a job's life: fetch -> reading -> admission in a child, and adoption -> reading -> recovery in a node.
Never raises: whatever lies in a queue becomes a Message or a Rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

from msgspec.structs import replace

from celeriac.app.context import Context
from celeriac.app.task import Task
from celeriac.core import protocol
from celeriac.core.errors import NotRegistered
from celeriac.core.limits import DEFAULT_LIMITS, Limits
from celeriac.core.message import Delivery, Message, Parcel, Rejected
from celeriac.worker.request import Request


class Reader:
    """Reads deliveries for one node."""

    def __init__(
        self,
        tasks: Mapping[str, Task[..., Any]],
        *,
        accept: frozenset[str],
        hostname: str,
        limits: Limits = DEFAULT_LIMITS,
        zone: tzinfo = UTC,
    ) -> None:
        self.tasks, self.accept, self._hostname, self._limits, self._zone = tasks, accept, hostname, limits, zone
        self.time_limits: Mapping[str, tuple[float | None, float | None]] = {}
        """By name of a task: soft and hard limit, seconds, that hold instead of its own. ``None``: it has no such limit."""

    def message(self, delivery: Delivery) -> Message | Rejected:
        """Decode it."""
        parcel = delivery.parcel
        if isinstance(parcel, Rejected):
            return parcel
        return protocol.decode(parcel, accept=self.accept, limits=self._limits, zone=self._zone)

    def request(self, delivery: Delivery, message: Message, task: Task[..., Any]) -> Request:
        """Bind a message to its task."""
        info = {"exchange": "", "routing_key": delivery.queue, "priority": message.priority, "redelivered": message.redelivered}
        parcel = delivery.parcel if isinstance(delivery.parcel, Parcel) else None
        context = Context(message, hostname=self._hostname, delivery_info=info, parcel=parcel)
        how = task.conduct()
        if self.time_limits and message.task in self.time_limits:
            soft_s, hard_s = self.time_limits[message.task]
            how = replace(how, soft_time_limit=soft_s, time_limit=hard_s)
        return Request(delivery, message, task, context, how)

    def understand(self, delivery: Delivery) -> Request | Rejected:
        """Decode it and bind it to its task, whatever its date or its state."""
        message = self.message(delivery)
        if isinstance(message, Rejected):
            return message
        task = self.tasks.get(message.task)
        if task is None:
            return Rejected("unknown-task", str(NotRegistered(message.task, tuple(self.tasks))))
        return self.request(delivery, message, task)
