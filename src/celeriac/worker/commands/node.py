"""Commands about a node as a whole: is it there, how is it, what are its settings, stop."""

from __future__ import annotations

import logging
import os
import resource
from typing import Any, Final

from celeriac.control.panel import control_command, inspect_command, ok
from celeriac.core.errors import WorkerShutdown
from celeriac.core.representation import safe_repr
from celeriac.drivers.url import parse
from celeriac.worker.state import State

log = logging.getLogger("celeriac.control")

_RUSAGE: Final = (
    "utime", "stime", "maxrss", "ixrss", "idrss", "isrss", "minflt", "majflt", "nswap", "inblock", "oublock", "msgsnd",
    "msgrcv", "nsignals", "nvcsw", "nivcsw",
)  # fmt: skip


@inspect_command(default_timeout=0.2)
def ping(state: State, **kwargs: Any) -> dict[str, str]:
    """Ping worker(s)."""
    del state, kwargs
    return ok("pong")


@inspect_command()
def report(state: State) -> dict[str, str]:
    """Information about the installation for bug reports."""
    return ok(state.app.bugreport())


@inspect_command(alias="dump_conf", signature="[include_defaults=False]", args=[("with_defaults", lambda word: _truth(word))])
def conf(state: State, with_defaults: bool = False, **kwargs: Any) -> dict[str, Any]:
    """List configuration."""
    del kwargs
    return {name: _plain(value) for name, value in state.app.conf.table(with_defaults=with_defaults).items()}


@inspect_command()
def stats(state: State, **kwargs: Any) -> dict[str, Any]:
    """Request worker statistics/information."""
    del kwargs
    node, app = state.node, state.app
    found: dict[str, Any] = {
        "total": dict(state.totals()),
        "pid": os.getpid(),
        "clock": str(app.clock.value),
        "uptime": round(app.runtime.monotonic() - state.began),
        "pool": _pool(state),
        "broker": _broker(state),
        "prefetch_count": state.concurrency,
        "rusage": {name: getattr(resource.getrusage(resource.RUSAGE_SELF), f"ru_{name}") for name in _RUSAGE},
    }
    if (scaler := state.autoscaler) is not None:
        found["autoscaler"] = {
            "max": scaler.max_concurrency,
            "min": scaler.min_concurrency,
            "current": node.count,
            "qty": node.count,
        }
    return found


@control_command()
def shutdown(state: State, msg: str = "Got shutdown from remote", **kwargs: Any) -> None:
    """Shutdown worker(s)."""
    del state, kwargs
    log.warning("%s", str(msg)[:200])
    raise WorkerShutdown(0)


def _pool(state: State) -> dict[str, Any]:
    controller, settings = state.consumer.controller, state.app.settings
    return {
        "implementation": controller.pool,
        "max-concurrency": state.concurrency,
        "processes": [pid for _, pid in state.node.processes()],
        "max-tasks-per-child": settings.worker.max_tasks_per_child or "N/A",
        "put-guarded-by-semaphore": False,
        "timeouts": [settings.task.soft_time_limit or 0, settings.task.time_limit or 0],
        "writes": {"total": sum(state.totals().values())},
    }


def _broker(state: State) -> dict[str, Any]:
    """Return where the broker is, without the password."""
    app, settings = state.app, state.app.settings.broker
    address = parse(app.places.broker.split(";")[0])
    return {
        "hostname": address.host,
        "userid": address.user,
        "virtual_host": address.path.strip("/"),
        "port": address.port,
        "insist": False,
        "ssl": bool(settings.use_ssl),
        "transport": address.scheme,
        "connect_timeout": settings.connection_timeout,
        "transport_options": _plain(app.conf.table(with_defaults=True)["broker_transport_options"]),
        "login_method": None,
        "uri_prefix": None,
        "heartbeat": settings.heartbeat,
        "failover_strategy": "round-robin",
        "alternates": [],
        "credential_provider": None,
    }


def _truth(word: str) -> bool:
    if word.lower() in {"1", "true", "yes", "on", "t", "y"}:
        return True
    if word.lower() in {"0", "false", "no", "off", "f", "n"}:
        return False
    raise ValueError(f"{word!r} is neither true nor false")


def _plain(value: Any) -> Any:
    """Return what JSON can say of a setting's value."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
    return safe_repr(value)
