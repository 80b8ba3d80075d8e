"""One look at a fleet, for ``celeriac top``: queues, running tasks, nodes.

In a screen's life: taken every second in a thread, drawn afterwards. The store knows queues, schedule, pauses and which nodes are
alive; the nodes themselves tell what runs, within half a second; events tell how busy they were. Does not know: how it is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from celeriac.abc import NodeRecord
from celeriac.app.app import Celery
from celeriac.core import states
from celeriac.core.errors import CeleriacError
from celeriac.events.state import State
from celeriac.events.tasks import Task

ASKED_S: Final = 0.5
"""How long nodes are given to tell what they run."""


class Waiting(Struct, frozen=True):
    """One queue."""

    name: str
    waiting: int
    """Messages."""
    paused: bool
    nodes: int
    """Living nodes that serve it."""


class Running(Struct, frozen=True):
    """One run."""

    id: str
    name: str
    node: str
    since: float | None
    """Seconds since 1970; ``None``: its node does not say."""
    args: str
    pid: int | None
    paused: bool
    """No other task of its type is started."""


class Living(Struct, frozen=True):
    """One node."""

    name: str
    seen_s: float
    """Seconds since its last sign of life to the store."""
    pool: str
    concurrency: int | None
    queues: tuple[str, ...]
    active: int | None
    """Tasks that run; ``None``: it has told nobody."""
    processed: int | None
    load: tuple[float, ...]


class Picture(Struct, frozen=True):
    """What was seen at one moment."""

    queues: tuple[Waiting, ...] = ()
    running: tuple[Running, ...] = ()
    nodes: tuple[Living, ...] = ()
    scheduled: int = 0
    """Messages in the schedule."""
    paused_tasks: tuple[str, ...] = ()
    """Types of which nothing is started."""
    at: float = 0.0
    """Seconds since 1970."""
    trouble: str | None = None
    """Why there is no more to see."""


def take(app: Celery, state: State) -> Picture:
    """Look at the fleet; ``state``: what events have told. A store that does not answer makes a picture of that."""
    try:
        nodes = app.store.nodes()
        rules = app.store.rules()
        names = _queues(app, nodes, rules.paused_queues)
        depths = app.store.depth(names)
        return Picture(
            queues=tuple(
                Waiting(name, depth, name in rules.paused_queues, sum(name in _served(node) for node in nodes))
                for name, depth in zip(names, depths, strict=True)
            ),
            running=tuple(_running(app, state, rules.paused_tasks)),
            nodes=(*(_living(node, state) for node in nodes), *_others(nodes, state, app.runtime.time())),
            scheduled=app.store.scheduled(),
            paused_tasks=tuple(sorted(rules.paused_tasks)),
            at=app.runtime.time(),
        )
    except CeleriacError as error:
        return Picture(at=app.runtime.time(), trouble=str(error))


def _queues(app: Celery, nodes: Sequence[NodeRecord], paused: frozenset[str]) -> list[str]:
    """Return the queues that anybody serves or has paused, and those of the app and its routes."""
    return sorted({*app.routed_queues(), *paused, *(name for node in nodes for name in _served(node))})


def _served(node: NodeRecord) -> tuple[str, ...]:
    told = node.info.get("queues")
    return tuple(name for name in told if isinstance(name, str)) if isinstance(told, list | tuple) else ()


def _running(app: Celery, state: State, paused: frozenset[str]) -> list[Running]:
    """Return what the nodes say that they run; of nodes that do not answer, what events have told."""
    answers = app.control.inspect(timeout=ASKED_S).active(safe=True) or {}
    told = [(node, each) for node, runs in answers.items() if isinstance(runs, list) for each in runs]
    asked = [_run(node, each, paused) for node, each in told if isinstance(each, Mapping)]
    return [*asked, *(_heard(task, paused) for _, task in state.itertasks() if _runs(task) and _host(task) not in answers)]


def _runs(task: Task) -> bool:
    return task.state == states.STARTED and task.worker is not None and task.worker.alive


def _host(task: Task) -> str:
    return str(task.worker.hostname) if task.worker is not None else ""


def _heard(task: Task, paused: frozenset[str]) -> Running:
    name, args = task.name or "", f"{task.args or ''} {task.kwargs or ''}".strip()
    return Running(str(task.uuid), name, _host(task), task.started, args, None, name in paused)


def _run(node: str, told: Mapping[str, Any], paused: frozenset[str]) -> Running:
    since, name, pid = told.get("time_start"), str(told.get("name") or ""), told.get("worker_pid")
    args = f"{told.get('args') or ''} {told.get('kwargs') or ''}".strip()
    return Running(
        id=str(told.get("id") or ""),
        name=name,
        node=node,
        since=float(since) if isinstance(since, int | float) else None,
        args=args,
        pid=pid if isinstance(pid, int) else None,
        paused=name in paused,
    )


def _others(nodes: Sequence[NodeRecord], state: State, now: float) -> list[Living]:
    """Return the nodes of Celery: the store does not know them, their events tell of them."""
    known = {node.node for node in nodes}
    strangers = [worker for worker in state.alive_workers() if worker.hostname is not None and worker.hostname not in known]
    return [_living(NodeRecord(str(worker.hostname), {}, max(0.0, now - worker.heartbeats[-1])), state) for worker in strangers]


def _living(node: NodeRecord, state: State) -> Living:
    info, worker = node.info, state.workers.get(node.node)
    concurrency = info.get("concurrency")
    load = worker.loadavg if worker is not None and isinstance(worker.loadavg, list | tuple) else ()
    return Living(
        name=node.node,
        seen_s=node.seen_s,
        pool=str(info.get("pool") or ""),
        concurrency=concurrency if isinstance(concurrency, int) else None,
        queues=_served(node),
        active=worker.active if worker is not None and isinstance(worker.active, int) else None,
        processed=worker.processed if worker is not None and isinstance(worker.processed, int) else None,
        load=tuple(float(each) for each in load if isinstance(each, int | float)),
    )
