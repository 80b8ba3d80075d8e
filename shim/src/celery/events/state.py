"""A fleet as its events tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from celeriac.events.state import State
from celeriac.events.tasks import Task
from celeriac.events.types import STATE_OF
from celeriac.events.workers import (
    DRIFT_WARNING,
    HEARTBEAT_DRIFT_MAX,
    HEARTBEAT_EXPIRE_WINDOW,
    Worker,
    heartbeat_expires,
)

__all__ = ("State", "Task", "Worker", "heartbeat_expires")

C = TypeVar("C", bound=type)
TASK_EVENT_TO_STATE = dict(STATE_OF)


def with_unique_field(attr: str) -> Callable[[C], C]:
    """Have two objects of a class be equal when this attribute of theirs is; a decorator."""

    def decorate(cls: C) -> C:
        def equal(self: object, other: object) -> bool:
            return getattr(self, attr) == getattr(other, attr) if isinstance(other, type(self)) else NotImplemented

        def hashed(self: object) -> int:
            return hash(getattr(self, attr))

        cls.__eq__ = equal  # type: ignore[method-assign,assignment]
        cls.__hash__ = hashed  # type: ignore[method-assign,assignment]
        return cls

    return decorate
