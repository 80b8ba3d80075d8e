"""Commands about tasks: which there are, which this node holds, how long and how often they may run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from celeriac.control.panel import control_command, inspect_command, nok, ok
from celeriac.worker.rates import per_second
from celeriac.worker.state import State

log = logging.getLogger("celeriac.control")

DEFAULT_TASK_INFO_ITEMS: Final = ("exchange", "routing_key", "rate_limit")
"""Attributes that ``registered`` shows unless it is told others."""


@inspect_command(alias="dump_active")
def active(state: State, safe: bool | None = False, **kwargs: Any) -> list[dict[str, Any]]:
    """List of tasks currently being executed."""
    del kwargs
    return [state.known.info(known, safe=bool(safe)) for known in state.known.active()]


@inspect_command(alias="dump_reserved")
def reserved(state: State, **kwargs: Any) -> list[dict[str, Any]]:
    """List of currently reserved tasks, not including scheduled/active."""
    del kwargs
    return [state.known.info(known) for known in state.known.held() if known.run is None]


@inspect_command(alias="dump_schedule")
def scheduled(state: State, **kwargs: Any) -> list[dict[str, Any]]:
    """List of currently scheduled ETA/countdown tasks."""
    del kwargs
    return [
        {
            "eta": datetime.fromtimestamp(due, UTC).isoformat(),
            "priority": 0 if known.message is None else known.message.priority,
            "request": state.known.info(known),
        }
        for due, known in state.known.scheduled(state.orders.queues)
    ]


@inspect_command(variadic="ids", signature="[id1 [id2 [... [idN]]]]")
def query_task(state: State, ids: str | Sequence[str], **kwargs: Any) -> dict[str, list[Any]]:
    """Query for task information by id."""
    del kwargs
    wanted = {ids} if isinstance(ids, str) else set(ids)
    waiting = {known.id: known for _, known in state.known.scheduled(state.orders.queues)}
    found = {id: ["scheduled", state.known.info(waiting[id])] for id in wanted & waiting.keys()}
    return found | {
        known.id: ["reserved" if known.run is None else "active", state.known.info(known)]
        for known in state.known.held()
        if known.id in wanted
    }


@inspect_command(alias="dump_tasks", variadic="taskinfoitems", signature="[attr1 [attr2 [... [attrN]]]]")
def registered(state: State, taskinfoitems: Sequence[str] | None = None, builtins: bool = False, **kwargs: Any) -> list[str]:
    """List of registered tasks."""
    del kwargs
    items = [item for item in taskinfoitems or DEFAULT_TASK_INFO_ITEMS if isinstance(item, str) and not item.startswith("_")]
    tasks = state.app.tasks
    return [_described(tasks[name], items) for name in sorted(tasks) if builtins or not name.startswith(("celery.", "celeriac."))]


def _described(task: Any, items: Sequence[str]) -> str:
    found = {item: value for item in items if (value := getattr(task, item, None)) is not None and not callable(value)}
    return f"{task.name} [{' '.join(f'{item}={value}' for item, value in found.items())}]" if found else str(task.name)


@control_command(
    args=[("task_name", str), ("rate_limit", str)],
    signature="<task_name> <rate_limit (e.g., 5/s | 5/m | 5/h)>",
)
def rate_limit(state: State, task_name: str, rate_limit: int | float | str | None, **kwargs: Any) -> dict[str, str]:
    """Tell worker(s) to modify the rate limit for a task by type."""
    del kwargs
    try:
        limited = per_second(rate_limit) is not None
    except ValueError as error:
        return nok(f"Invalid rate limit string: {error!r}")
    if task_name not in state.app.tasks:
        log.error("a rate limit was set for %r, which no task is called", task_name)
        return nok("unknown task")
    limit = str(rate_limit) if limited else None
    state.order(lambda orders: replace(orders, rate_limits={**orders.rate_limits, task_name: limit}))
    if limit is None:
        log.info("rate limit of %s: none", task_name)
        return ok("rate limit disabled successfully")
    log.info("rate limit of %s: %s", task_name, limit)
    return ok("new rate limit set successfully")


@control_command(
    args=[("task_name", str), ("soft", float), ("hard", float)],
    signature="<task_name> <soft_secs> [hard_secs]",
)
def time_limit(
    state: State, task_name: str | None = None, hard: float | None = None, soft: float | None = None, **kwargs: Any
) -> dict[str, str]:
    """Tell worker(s) to modify the time limit for task by type."""
    del kwargs
    if task_name not in state.app.tasks or task_name is None:
        log.error("a time limit was set for %r, which no task is called", task_name)
        return nok("unknown task")
    limits = tuple(None if each is None else float(each) for each in (soft, hard))
    if any(each is not None and not 0 <= each < 1e9 for each in limits):
        return nok("a time limit is a number of seconds, or none")
    state.order(lambda orders: replace(orders, time_limits={**orders.time_limits, task_name: (limits[0], limits[1])}))
    log.info("time limits of %s: soft=%s hard=%s", task_name, soft, hard)
    return ok("time limits set successfully")
