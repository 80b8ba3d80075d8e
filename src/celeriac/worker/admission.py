"""Decide what becomes of a message that has just arrived: run it, hold it until its date, put it aside, drop it, refuse it.

In a job's life: fetch -> admission -> lane. Pure: clock, rules and the known tasks are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from celeriac.core.errors import NotRegistered
from celeriac.core.message import Message, Rejected
from celeriac.core.rules import Rules

T = TypeVar("T")


class Run(Struct, Generic[T], frozen=True):
    """Run this task now."""

    task: T


class Hold(Struct, frozen=True):
    """Back to the schedule: a client that knows no schedule sent it with a date in its headers."""

    until: datetime


class Aside(Struct, frozen=True):
    """Not now, and nobody knows when: its task type is paused."""


class Drop(Struct, frozen=True):
    """Do not run it; it ends as REVOKED."""

    why: str
    """``revoked`` or ``expired``."""


def admit(
    message: Message, *, now: datetime, rules: Rules, tasks: Mapping[str, T], max_deliveries: int
) -> Run[T] | Hold | Aside | Drop | Rejected:
    """Say what becomes of a message.

    Args:
        message: What was understood.
        now: UTC with time zone.
        rules: What operators have said: what must not start.
        tasks: Name -> task.
        max_deliveries: How often a message may have died with a process.
    """
    # Looked at here, so that nothing is called for each task as long as nobody has said anything.
    if (rules.revoked or rules.revoked_stamps) and rules.forbids(message.id, message.stamps):
        return Drop("revoked")
    if message.expires is not None and message.expires <= now:
        return Drop("expired")
    if message.task in rules.paused_tasks:
        return Aside()
    task = tasks.get(message.task)
    if task is None:
        return Rejected("unknown-task", str(NotRegistered(message.task, tuple(tasks))))
    if message.deliveries >= max_deliveries:
        return Rejected("deliveries", f"it was handed out {message.deliveries} times, and each time its process died")
    if message.eta is not None and message.eta > now:
        return Hold(message.eta)
    return Run(task)
