"""Decide which messages follow a run: its callbacks after success, its error callbacks after failure.

In a job's life: called by settlement. Pure: new ids come from the caller. Source: WIRE 2.2, Celery's guide "Linking".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from celeriac.core.message import Message


def callbacks(message: Message, value: Any, *, new_id: Callable[[], str], now: datetime) -> list[Message]:
    """Return one message for each callback; the result comes first among its arguments unless it is immutable."""
    return [_call(call, (value,), message, new_id, now) for call in message.callbacks or ()]


def errbacks(calls: Sequence[Mapping[str, Any]], message: Message, *, new_id: Callable[[], str], now: datetime) -> list[Message]:
    """Return one message for each error callback; the failed task's id comes first among its arguments."""
    return [_call(call, (message.id,), message, new_id, now) for call in calls]


def is_plain(call: Mapping[str, Any]) -> bool:
    """Whether a signature is one task, not a workflow."""
    return not call.get("subtask_type") and isinstance(call.get("task"), str)


def _call(call: Mapping[str, Any], first: tuple[Any, ...], parent: Message, new_id: Callable[[], str], now: datetime) -> Message:
    options: Mapping[str, Any] = call.get("options") or {}
    id = options.get("task_id") or new_id()
    countdown = options.get("countdown")
    return Message(
        id=id,
        task=call["task"],
        args=tuple(call.get("args") or ()) if call.get("immutable") else (*first, *(call.get("args") or ())),
        kwargs=call.get("kwargs") or {},
        eta=now + timedelta(seconds=countdown) if countdown else None,
        root_id=parent.root_id or parent.id,
        parent_id=parent.id,
        correlation_id=id,
        reply_to=options.get("reply_to") or parent.reply_to,
        priority=options.get("priority") or 0,
        callbacks=options.get("link") or None,
        errbacks=options.get("link_error") or None,
        stamped_headers=parent.stamped_headers,
        stamps=parent.stamps,
        headers=options.get("headers") or {},
    )
