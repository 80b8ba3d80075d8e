"""One delivery on its way through a child, and what is settled about it beforehand.

In a job's life: made at admission, carried through the lane, ended by settlement.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from celeriac.app.conduct import Conduct
from celeriac.app.context import Context
from celeriac.app.task import Task
from celeriac.core.message import Delivery, Message


class Request(Struct, frozen=True):
    """An admitted message and its task."""

    delivery: Delivery
    message: Message
    task: Task[..., Any]
    context: Context
    how: Conduct
    """How the task's runs are handled."""

    def __str__(self) -> str:
        return f"Task {self.message.shown_name}[{self.message.id}]"

    @property
    def soft_time_limit(self) -> float | None:
        """Seconds: of the message, or of the task, or of the app."""
        return self.message.soft_time_limit or self.how.soft_time_limit

    @property
    def time_limit(self) -> float | None:
        """Seconds: of the message, or of the task, or of the app."""
        return self.message.time_limit or self.how.time_limit
