"""What the ``worker`` command was asked for, as data.

In a node's life: the command line makes it, ``worker.start`` reads it. ``None`` always means: as the settings say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Options of one ``celeriac worker``."""

    hostname: str | None = None
    """Name of the node; ``%h`` host and domain, ``%n`` host, ``%d`` domain. ``None``: ``celery@%h``."""
    concurrency: int | None = None
    """Tasks at a time. 0: one for each CPU core."""
    pool: str | None = None
    """``prefork``, ``threads``, ``asyncio``, ``gevent``, ``eventlet``, ``solo``, ``custom``, or the path of a class of lanes."""
    processes: int | None = None
    """Children, each of ``concurrency`` tasks at a time; in pools of one task a child, instead of ``concurrency``."""
    autoscale: tuple[int, int] | None = None
    """At most and at least so many children, by what there is to do."""
    start_method: str | None = None
    """How children begin: ``fork``, ``forkserver`` or ``spawn``."""
    queues: Sequence[str] | None = None
    """Queues to serve. ``None``: those of the settings."""
    exclude_queues: Sequence[str] = ()
    """Queues not to serve, of those."""
    max_tasks_per_child: int | None = None
    """Replace a process after so many tasks."""
    max_memory_per_child: int | str | None = None
    """Replace a process that holds more, KiB; ``"+N"``: that has grown by so much since it was ready."""
    time_limit: float | None = None
    """Hard limit of a run, seconds."""
    soft_time_limit: float | None = None
    """Soft limit of a run, seconds."""
    prefetch_multiplier: int | None = None
    """Cap on messages held for each slot. 0: no cap."""
    task_events: bool | None = None
    """Tell monitors what happens to tasks."""
    heartbeat_interval: float | None = None
    """Seconds between two events that say that the node is there."""
    heartbeat: bool = True
    """Tell monitors that the node is there."""
    gossip: bool = True
    """Notice which other nodes come and go."""
    disable_prefetch: bool | None = None
    """Hold no message that cannot be started at once."""
