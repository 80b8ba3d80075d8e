"""Put a node's parts together from an app: its children, their lanes, its lease.

In a node's life: once in the supervisor, and once in each child. Everything a node or a child consists of is assembled here, by
hand, in order. Does not know: processes, signals, when anything is started.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from celeriac import __version__
from celeriac.abc import LEASE_S, Lessee, ResultBackend, Runtime, Store
from celeriac.app import errbacks, signals
from celeriac.app.app import Celery
from celeriac.app.following import following
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Address, Message, Outgoing
from celeriac.core.outcome import Revoked
from celeriac.drivers.apart import Apart
from celeriac.drivers.pair import Pair
from celeriac.worker import announce
from celeriac.worker.appetite import Appetite
from celeriac.worker.child import Child
from celeriac.worker.herald import Herald
from celeriac.worker.instance import Worker
from celeriac.worker.lanes import Lane
from celeriac.worker.lanes.custom import lane_class
from celeriac.worker.lanes.inline import InlineLane
from celeriac.worker.leases import Leases
from celeriac.worker.limiting import Limits
from celeriac.worker.memory import MemoryBound
from celeriac.worker.newsroom import Press, emission_of
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.plan import Plan
from celeriac.worker.reading import Reader
from celeriac.worker.recovery import TERMINATED
from celeriac.worker.repeats import Repeats
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot
from celeriac.worker.terms import Terms


def make_child(
    worker: Worker,
    plan: Plan,
    lessee: Lessee,
    lane: Lane,
    *,
    store: Store | None = None,
    book: OrderBook | None = None,
    limits: Limits | None = None,
    tally: Callable[[Mapping[str, int]], None] | None = None,
) -> Child:
    """Put a child together.

    Args:
        worker: Whose child it is.
        plan: The same.
        lessee: In whose name it holds deliveries.
        lane: How it runs tasks.
        store: Another one than the app's.
        book: Where its orders are changed.
        limits: How often tasks may run.
        tally: Told how many tasks of each name have ended.
    """
    app, store = worker.app, store or worker.app.store
    return Child(
        store=with_other_places(app, store),
        lessee=lessee,
        book=book or OrderBook(first_orders(plan)),
        lane=lane,
        reader=reader_of(app, plan),
        # Slots of a lane that runs many at once are filled, not fed from a batch.
        appetite=Appetite(cap=1 if lane.concurrent else plan.prefetch_cap),
        terms=terms_of(app, plan),
        runtime=app.runtime,
        max_deliveries=plan.max_deliveries,
        max_tasks=plan.max_tasks_per_child,
        limits=limits,
        repeats=repeats_of(app, store),
        worn=MemoryBound(plan.max_memory).is_reached if plan.max_memory else None,
        sender=worker.consumer,
        emission=emission_of(app, plan, store),
        tally=tally,
    )


def repeats_of(app: Celery, store: Store) -> Repeats | None:
    """Return what finds tasks that have succeeded before; ``None``: they are run again."""
    if not (app.conf.settings().worker.deduplicate_successful_tasks and app.keeps_results):
        return None
    return Repeats(store, one_step=not isinstance(store, Pair))


def first_orders(plan: Plan) -> Orders:
    """Return the orders with which a node begins."""
    return Orders(queues=tuple(plan.queues), task_events=plan.task_events)


def make_lane(plan: Plan, runtime: Runtime, slot: Slot) -> Lane:
    """Return the lane of the pool that was asked for."""
    match plan.pool:
        case "threads":
            from celeriac.worker.lanes.threads import ThreadsLane  # late: each pool pays for its own

            return ThreadsLane(plan.slots_per_child, runtime=runtime, slot=slot)
        case "asyncio":
            from celeriac.worker.lanes.aio import AsyncioLane  # late: each pool pays for its own

            return AsyncioLane(plan.slots_per_child, runtime=runtime, slot=slot)
        case "gevent":
            from celeriac.worker.lanes.by_gevent import GeventLane  # late: the library is an extra

            return GeventLane(plan.slots_per_child, runtime=runtime, slot=slot)
        case "eventlet":
            from celeriac.worker.lanes.by_eventlet import EventletLane  # late: the library is an extra

            return EventletLane(plan.slots_per_child, runtime=runtime, slot=slot)
        case "prefork" | "solo":
            return InlineLane(runtime=runtime, slot=slot)
        case path:
            return lane_class(path)(plan.slots_per_child, runtime=runtime, slot=slot)


def reader_of(app: Celery, plan: Plan) -> Reader:
    """Return what understands deliveries."""
    return Reader(app.tasks, accept=app.accept_content, hostname=plan.hostname, zone=app.timezone)


def terms_of(app: Celery, plan: Plan) -> Terms:
    """Return what every settlement needs to know of the app."""
    result = app.conf.settings().result
    return Terms(
        ttl_s=result.ttl_s,
        failure_ttl_s=result.failure_ttl_s,
        chord_ttl_s=result.chord_ttl_s,
        serializer=result.serializer,
        compression=result.compression,
        extended=result.extended,
        hostname=plan.hostname,
        stores_results=app.keeps_results,
        again=partial(_again, app),
        follow=partial(following, app),
        tell=partial(errbacks.told, app),
        calls=lambda errback: errbacks.is_called(errback, app.tasks),
        place_of=partial(_place_of, app),
    )


def _place_of(app: Celery, name: str) -> Any:
    task = app.tasks.get(name)
    return None if task is None else task.own_backend


def _elsewhere(app: Celery, task: Any) -> ResultBackend | None:
    try:
        return app.results_elsewhere(task.own_backend)
    except ImproperlyConfigured as error:
        raise ImproperlyConfigured(f"the backend of task {task.name}: {error}") from error


def with_other_places(app: Celery, store: Store) -> Store:
    """Return a store that keeps the results of tasks with a backend of their own where they belong.

    Raises:
        ImproperlyConfigured: one of these backends is none.
    """
    elsewhere = [_elsewhere(app, task) for task in app.tasks.values() if task.own_backend is not None]
    return store if all(backend is None for backend in elsewhere) else Apart(store, app.results_elsewhere)


def _again(app: Celery, message: Message, queue: str, address: Address | None = None, *, announce: bool = False) -> Outgoing:
    recipe = app.recipe_of(message.task)
    return app.producer.again(
        message,
        queue=queue,
        serializer=recipe.serializer,
        compression=recipe.compression,
        address=address,
        announce=announce,
    )


def leases_of(
    app: Celery,
    plan: Plan,
    node_id: str,
    store: Store,
    herald: Herald,
    press: Press | None = None,
    release: Callable[[Sequence[str]], float] | None = None,
    children: Callable[[], int] | None = None,
) -> Leases:
    """Return the node's lease; ``herald`` tells hooks of users what is lost with a process, ``press`` monitors.

    ``release`` brings back what rate limits have put aside. ``children`` says how many there are to be, in a node where that
    changes.
    """
    facts = {"pid": os.getpid(), "pool": plan.pool, "version": __version__}
    count = children or (lambda: plan.children)
    leases = Leases(
        with_other_places(app, store),
        node=node_id,
        name=plan.hostname,
        queues=plan.queues,
        reader=reader_of(app, plan),
        terms=terms_of(app, plan),
        runtime=app.runtime,
        max_deliveries=plan.max_deliveries,
        lease_s=plan.lease_s or LEASE_S,
        info=lambda: {**facts, "concurrency": count() * plan.slots_per_child, "queues": list(leases.queues)},
        on_lost=lambda request, error: _tell_lost(herald, press, request, error),
        on_terminated=lambda request, signum: _tell_terminated(herald, press, request, signum),
        on_back=None if press is None else press.goes_back,
        release=release,
    )
    return leases


def _tell_terminated(herald: Herald, press: Press | None, request: Request, signum: int) -> None:
    if press is not None:
        press.terminated(request, signum)
    herald.tell(partial(announce.ended, request, Revoked(TERMINATED, signum)))


def _tell_lost(herald: Herald, press: Press | None, request: Request, error: Exception) -> None:
    if press is not None:
        press.failed(request, error)
    if signals.task_failure.receivers:
        herald.tell(partial(announce.failed, request.task, request.message, error))
