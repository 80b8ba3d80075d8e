"""Commands about the processes of a node: how many there are, and new ones instead of old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celeriac.control.panel import control_command, nok, ok
from celeriac.worker.state import State


@control_command(args=[("n", int)], signature="[N=1]")
def pool_grow(state: State, n: int = 1, **kwargs: Any) -> dict[str, str]:
    """Grow pool by n processes/threads."""
    del kwargs
    if state.autoscaler is not None:
        return nok("pool_grow is not supported with autoscale. Adjust autoscale range instead.")
    state.node.resize(state.node.count + at_least_one(n))
    return ok("pool will grow")


@control_command(args=[("n", int)], signature="[N=1]")
def pool_shrink(state: State, n: int = 1, **kwargs: Any) -> dict[str, str]:
    """Shrink pool by n processes/threads."""
    del kwargs
    if state.autoscaler is not None:
        return nok("pool_shrink is not supported with autoscale. Adjust autoscale range instead.")
    if at_least_one(n) >= state.node.count:
        raise ValueError(f"there are {state.node.count}: {n} fewer would leave none")
    state.node.resize(state.node.count - n)
    return ok("pool will shrink")


@control_command()
def pool_restart(
    state: State, modules: Sequence[str] | None = None, reload: bool = False, reloader: Any = None, **kwargs: Any
) -> dict[str, str]:
    """Restart execution pool."""
    del kwargs
    if not state.app.settings.worker.pool_restarts:
        raise ValueError("Pool restarts not enabled")
    if reloader is not None:
        raise ValueError("a reloader cannot travel: modules are imported again by importlib")
    state.node.restart_children(tuple(modules or ()), reload=reload)
    return ok("reload started")


@control_command(args=[("max", int), ("min", int)], signature="[max [min]]")
def autoscale(state: State, max: int | None = None, min: int | None = None) -> dict[str, str]:
    """Modify autoscale settings."""
    if state.autoscaler is None:
        raise ValueError("Autoscale not enabled")
    for bound in (max, min):
        if bound is not None and not isinstance(bound, int):
            raise TypeError(f"bounds are whole numbers of processes; {bound!r} is none")
    if max is not None and max > state.node.most:
        raise ValueError(f"this node has room for {state.node.most} processes; {max} cannot be")
    most, least = state.autoscaler.update(max, min)
    return ok(f"autoscale now max={most} min={least}")


def at_least_one(n: int) -> int:
    """Return ``n``. One below would turn a command into its opposite.

    Raises:
        ValueError: it is not 1 or more.
    """
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"n is {n!r}: it is 1 or more")
    return n
