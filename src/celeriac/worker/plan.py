"""Decide what a node will be: options first, then settings, then defaults.

In a node's life: the first step of ``worker.start``. Nothing is started here. Source: Celery's reference of ``celery worker``.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from celeriac.app.app import Celery
from celeriac.config.sections import WorkerSettings
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.lanes.custom import is_path, lane_class
from celeriac.worker.lanes.patching import check_library
from celeriac.worker.memory import MemoryLimit
from celeriac.worker.options import WorkerOptions

BEAT_S: Final = 2.0
"""Between two heartbeats. Source: Celery's reference of its heart, ``interval``."""
MOST_BEAT_S: Final = 86400.0
POOLS = ("prefork", "threads", "asyncio", "gevent", "eventlet", "solo")
_ALIASES = {"processes": "prefork"}
_OF_MANY = frozenset({"threads", "asyncio", "gevent", "eventlet"})
"""Pools whose children run many tasks at a time."""
_PATCHED = frozenset({"gevent", "eventlet"})
"""Pools whose children must begin in a fresh interpreter, which is patched before anything else is imported."""
SPAWN_PATIENCE_S = 60.0
"""How long a fresh interpreter may take to be ready, where nobody has said it: it imports the app."""


class Plan(Struct, frozen=True, kw_only=True):
    """A node before it is started."""

    hostname: str
    pool: str
    concurrency: int
    """Tasks at a time, in all children together."""
    start_method: str
    """How children begin: ``fork`` (from a clean template) or ``spawn`` (a fresh interpreter)."""
    autoscale: tuple[int, int] | None
    """At most and at least so many children. ``None``: always as many."""
    children: int
    """At first."""
    slots_per_child: int
    queues: Sequence[str]
    prefetch_cap: int | None
    """Messages held for each slot at most; ``None``: bounded by time alone."""
    max_tasks_per_child: int | None
    max_memory: MemoryLimit | None
    """Of each child, looked at between tasks; ``None``: no bound."""
    alive_s: float
    """How long a child may take to be ready. 0: any time."""
    grace_s: float
    """How long the other tasks of a child may take that holds one which was given up."""
    max_deliveries: int
    lease_s: float | None
    """``None``: the default."""
    retry_on_startup: bool
    max_retries: int | None
    """Attempts to reach the store at start; ``None``: without end."""
    task_events: bool = False
    """Tell monitors what happens to tasks, to begin with."""
    heartbeat_s: float | None = BEAT_S
    """Between two events that say that the node is there; ``None``: none is said."""
    gossip: bool = True
    """Notice which other nodes come and go."""

    @property
    def asks_first(self) -> bool:
        """Whether a run that is to be ended is asked first to end by itself: where its child has other runs, or takes long to
        replace."""
        return self.pool != "prefork" or self.start_method == "spawn"


def plan_node(app: Celery, options: WorkerOptions) -> Plan:
    """Return what the node will be.

    Raises:
        ImproperlyConfigured: an option that cannot be honoured; it is named.
    """
    settings = app.conf.settings()
    pool = options.pool or settings.worker.pool
    pool = _ALIASES.get(pool, pool)
    many = _is_of_many(pool)
    children, slots = _shape(pool, many, options, settings.worker)
    if options.time_limit is not None:
        app.conf.task_time_limit = options.time_limit
    if options.soft_time_limit is not None:
        app.conf.task_soft_time_limit = options.soft_time_limit
    method = _start_method(app, pool, options)
    lease = settings.broker.transport_options.get("visibility_timeout")
    retry = settings.broker.connection_retry_on_startup
    return Plan(
        hostname=node_name(options.hostname),
        pool=pool,
        concurrency=children * slots,
        start_method=method,
        autoscale=options.autoscale,
        children=children,
        slots_per_child=slots,
        queues=_served(app, options),
        prefetch_cap=_cap(app, options),
        max_tasks_per_child=options.max_tasks_per_child or settings.worker.max_tasks_per_child,
        max_memory=_max_memory(options, settings.worker.max_memory_per_child),
        alive_s=_alive_s(app, method),
        grace_s=settings.worker.retirement_timeout,
        max_deliveries=settings.task.max_deliveries,
        lease_s=float(lease) if lease else None,
        retry_on_startup=settings.broker.connection_retry if retry is None else retry,
        max_retries=settings.broker.connection_max_retries or None,
        task_events=settings.worker.send_task_events if options.task_events is None else options.task_events,
        heartbeat_s=_heartbeat(options),
        gossip=options.gossip,
    )


def node_name(given: str | None) -> str:
    """Expand ``%h`` (host and domain), ``%n`` (host), ``%d`` (domain), ``%%``; without ``@`` it is a host, as in Celery."""
    full = socket.gethostname()
    host, _, domain = full.partition(".")
    name = given or "celery@%h"
    if "@" not in name:
        name = f"celery@{name}"
    for mark, value in (("%%", "\0"), ("%h", full), ("%n", host), ("%d", domain), ("\0", "%")):
        name = name.replace(mark, value)
    return name


def _heartbeat(options: WorkerOptions) -> float | None:
    """As in Celery, an interval of 0 is the usual one."""
    wanted = options.heartbeat_interval
    if wanted is not None and not 0 <= wanted <= MOST_BEAT_S:
        raise ImproperlyConfigured(f"--heartbeat-interval {wanted:g}: seconds, from 0 (the usual {BEAT_S:g}) to {MOST_BEAT_S:g}")
    return (wanted or BEAT_S) if options.heartbeat else None


def _is_of_many(pool: str) -> bool:
    if is_path(pool):
        return lane_class(pool).concurrent
    if pool not in POOLS:
        raise ImproperlyConfigured(
            f"-P {pool}: there is no such pool; choose one of {', '.join(POOLS)}, or name a class of lanes"
        )
    check_library(pool)
    return pool in _OF_MANY


def _shape(pool: str, many: bool, options: WorkerOptions, settings: WorkerSettings) -> tuple[int, int]:
    """Return how many children there are, and how many tasks each runs at a time."""
    processes = options.processes
    if processes is not None and processes < 1:
        raise ImproperlyConfigured(f"--processes {processes}: there is at least one")
    if pool == "solo":
        if options.autoscale is not None or (processes or 1) > 1:
            raise ImproperlyConfigured("-P solo has no process but its own: neither --processes nor --autoscale can be honoured")
        return 1, 1
    if options.autoscale is not None:
        return _scaled(pool, many, options.autoscale, processes), 1
    concurrency = _concurrency(options, settings.concurrency)
    if many:
        return processes or 1, concurrency
    if processes is not None and options.concurrency is not None and processes != options.concurrency:
        raise ImproperlyConfigured(f"-P {pool} runs one task in a process: --processes {processes} contradicts -c {concurrency}")
    return processes or concurrency, 1


def _scaled(pool: str, many: bool, bounds: tuple[int, int], processes: int | None) -> int:
    if many:
        raise ImproperlyConfigured(
            f"-P {pool} runs many tasks in a process, and slots of it that are idle cost nothing: --autoscale is for prefork; "
            "use -c, and --processes"
        )
    most, least = bounds
    if not 0 <= least <= most or most < 1:
        raise ImproperlyConfigured(f"--autoscale={most},{least}: at most comes first, at least after it")
    if processes is not None and not least <= processes <= most:
        raise ImproperlyConfigured(f"--processes {processes} is not within --autoscale={most},{least}")
    return processes or max(1, least)


def _concurrency(options: WorkerOptions, setting: int | str | None) -> int:
    wanted = setting if options.concurrency is None else options.concurrency
    if isinstance(wanted, int) and wanted > 0:
        return wanted
    if isinstance(wanted, int) and wanted < 0:
        raise ImproperlyConfigured(f"-c {wanted}: concurrency is 0 (one for each CPU core) or more")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_method(app: Celery, pool: str, options: WorkerOptions) -> str:
    said = options.start_method
    if said is None and app.conf.explicit("worker_pool_start_method"):
        said = app.conf.settings().worker.pool_start_method
    if pool in _PATCHED:
        if said in {"fork", "forkserver"}:
            raise ImproperlyConfigured(
                f"-P {pool} patches each child before anything is imported: it cannot {said} them, only spawn"
            )
        return "spawn"
    if not hasattr(os, "fork"):
        if said in {"fork", "forkserver"}:
            raise ImproperlyConfigured(f"worker_pool_start_method {said!r}: this system cannot fork; use 'spawn'")
        return "spawn"
    # A child is always forked from a process that does nothing else, which is what forkserver promises.
    return "spawn" if said == "spawn" else "fork"


def _alive_s(app: Celery, method: str) -> float:
    seconds = app.conf.settings().worker.proc_alive_timeout
    return SPAWN_PATIENCE_S if method == "spawn" and not app.conf.explicit("worker_proc_alive_timeout") else seconds


def _served(app: Celery, options: WorkerOptions) -> Sequence[str]:
    queues = list(queues_of(app, options))
    if app.conf.settings().worker.direct:
        queues.append(direct_queue(node_name(options.hostname)))
    return queues


def direct_queue(node: str) -> str:
    """Return the queue that a node serves alone, with ``worker_direct``. Source: Celery's ``worker_direct``."""
    return f"{node}.dq2"


def _max_memory(options: WorkerOptions, setting: int | str | None) -> MemoryLimit | None:
    text = setting if options.max_memory_per_child is None else options.max_memory_per_child
    return None if text is None else MemoryLimit.parse(text)


def _cap(app: Celery, options: WorkerOptions) -> int | None:
    off = options.disable_prefetch
    if app.conf.settings().worker.disable_prefetch if off is None else off:
        return 1
    if options.prefetch_multiplier is not None:
        return options.prefetch_multiplier or None
    # Celery's default of 4 is a target; here it would only be a cap that nobody asked for.
    if app.conf.explicit("worker_prefetch_multiplier"):
        return app.conf.settings().worker.prefetch_multiplier or None
    return None


def queues_of(app: Celery, options: WorkerOptions) -> Sequence[str]:
    """Return the queues to serve: the options', else the app's, without those that are not wanted.

    Raises:
        ImproperlyConfigured: none is left, or one may not be made.
    """
    known = app.queue_names()
    chosen = list(options.queues) if options.queues else list(known)
    if options.queues and not app.conf.settings().task.create_missing_queues:
        for name in chosen:
            if name not in known:
                raise ImproperlyConfigured(f"-Q {name}: task_queues names no such queue, and task_create_missing_queues is off")
    chosen = [name for name in dict.fromkeys(chosen) if name not in options.exclude_queues]
    if not chosen:
        raise ImproperlyConfigured("no queue is left to serve: -X excludes all of them")
    return chosen
