"""Whether what an entry has sent last still goes on: ``overlap = "skip"`` asks.

In a tick's life: before a decision; and when somebody runs an entry by hand. Does not know: timetables, schedules.
"""

from __future__ import annotations

from typing import Any, Final

from celeriac.app.periodic.entry import State

FORGOTTEN_S: Final = 86_400.0
"""A task without a sign of life for so long has ended, where results live for ever."""


def is_busy(app: Any, state: State, now: float) -> bool:
    """Say whether the task that was sent last has not ended. Without a result, it counts for as long as one would live."""
    if state.id is None or state.last is None:
        return False
    ttl_s = app.settings.result.ttl_s or FORGOTTEN_S
    return now - state.last < ttl_s and not _has_ended(app, state.id)


def _has_ended(app: Any, id: str) -> bool:
    if app.AsyncResult(id).ready():
        return True
    members = app.GroupResult.restore(id)
    return members is not None and bool(members.ready())
