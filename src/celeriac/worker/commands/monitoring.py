"""Commands about what a node tells monitors, and how nodes agree."""

from __future__ import annotations

import logging
from typing import Any

from msgspec.structs import replace

from celeriac import __version__
from celeriac.control.panel import control_command, inspect_command, ok
from celeriac.worker.heart import software
from celeriac.worker.state import State

log = logging.getLogger("celeriac.control")

HEARTBEAT_S = 5
"""What a heartbeat that was asked for says of the next one."""


@control_command()
def enable_events(state: State) -> dict[str, str]:
    """Tell worker(s) to send task-related events."""
    if state.orders.task_events:
        return ok("task events already enabled")
    state.order(lambda orders: replace(orders, task_events=True))
    log.info("events of tasks are told from now on")
    return ok("task events enabled")


@control_command()
def disable_events(state: State) -> dict[str, str]:
    """Tell worker(s) to stop sending task-related events."""
    if not state.orders.task_events:
        return ok("task events already disabled")
    state.order(lambda orders: replace(orders, task_events=False))
    log.info("events of tasks are not told any more")
    return ok("task events disabled")


@control_command()
def heartbeat(state: State) -> None:
    """Tell worker(s) to send event heartbeat immediately."""
    with state.app.events.default_dispatcher(hostname=state.hostname) as dispatcher:
        dispatcher.send("worker-heartbeat", freq=HEARTBEAT_S, **software(__version__))


@inspect_command()
def clock(state: State, **kwargs: Any) -> dict[str, int]:
    """Get current logical clock value."""
    del kwargs
    return {"clock": state.app.clock.value}


@inspect_command(visible=False)
def hello(state: State, from_node: str, revoked: Any = None, **kwargs: Any) -> dict[str, Any] | None:
    """Request mingle sync-data."""
    del kwargs
    if from_node == state.hostname:
        return None
    # A node of Celery keeps its revoked tasks to itself and its like; from here on they are the fleet's.
    told = [id for id in revoked or () if isinstance(id, str)]
    if told:
        state.store.revoke(told)
    return {"revoked": sorted(state.store.rules().revoked), "clock": state.app.clock.forward()}


@control_command()
def election(state: State, id: str, topic: str, action: Any = None, **kwargs: Any) -> None:
    """Hold election."""
    del kwargs
    names = sorted(node.node for node in state.store.nodes())
    chosen = names[0] if names else state.hostname
    if chosen != state.hostname:
        log.info("election %s: %s acts", id, chosen)
        return
    if topic != "task":
        log.error("election %s: there is no topic %r, only 'task'", id, topic)
        return
    log.info("election %s: this node acts", id)
    # All nodes see the same names; should two act while one of them comes or goes, the id tells that it is one task.
    state.app.signature(action).apply_async(task_id=id)
