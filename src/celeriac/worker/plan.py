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
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.memory import MemoryLimit
from celeriac.worker.options import WorkerOptions

POOLS = ("prefork", "threads", "asyncio", "solo")
BEAT_S: Final = 2.0
"""Between two heartbeats. Source: Celery's reference of its heart, ``interval``."""
MOST_BEAT_S: Final = 86400.0
_ALIASES = {"processes": "prefork"}


class Plan(Struct, frozen=True, kw_only=True):
    """A node before it is started."""

    hostname: str
    pool: str
    concurrency: int
    """Tasks at a time, in all children together."""
    children: int
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


def plan_node(app: Celery, options: WorkerOptions) -> Plan:
    """Return what the node will be.

    Raises:
        ImproperlyConfigured: an option that cannot be honoured; it is named.
    """
    settings = app.conf.settings()
    pool = options.pool or settings.worker.pool
    pool = _ALIASES.get(pool, pool)
    if pool not in POOLS:
        raise ImproperlyConfigured(f"-P {pool}: there is no such pool; choose one of {', '.join(POOLS)}")
    concurrency = _concurrency(options, settings.worker.concurrency)
    if pool == "solo":
        concurrency = 1
    many = pool in {"threads", "asyncio"}
    if options.time_limit is not None:
        app.conf.task_time_limit = options.time_limit
    if options.soft_time_limit is not None:
        app.conf.task_soft_time_limit = options.soft_time_limit
    lease = settings.broker.transport_options.get("visibility_timeout")
    retry = settings.broker.connection_retry_on_startup
    return Plan(
        hostname=node_name(options.hostname),
        pool=pool,
        concurrency=concurrency,
        children=1 if many else concurrency,
        slots_per_child=concurrency if many else 1,
        queues=queues_of(app, options),
        prefetch_cap=_cap(app, options),
        max_tasks_per_child=options.max_tasks_per_child or settings.worker.max_tasks_per_child,
        max_memory=_max_memory(options, settings.worker.max_memory_per_child),
        alive_s=settings.worker.proc_alive_timeout,
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


def _concurrency(options: WorkerOptions, setting: int | str | None) -> int:
    wanted = setting if options.concurrency is None else options.concurrency
    if isinstance(wanted, int) and wanted > 0:
        return wanted
    if isinstance(wanted, int) and wanted < 0:
        raise ImproperlyConfigured(f"-c {wanted}: concurrency is 0 (one for each CPU core) or more")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _max_memory(options: WorkerOptions, setting: int | str | None) -> MemoryLimit | None:
    text = setting if options.max_memory_per_child is None else options.max_memory_per_child
    return None if text is None else MemoryLimit.parse(text)


def _cap(app: Celery, options: WorkerOptions) -> int | None:
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
