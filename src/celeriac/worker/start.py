"""Put a node together from an app and its options, and run it.

In a node's life: the ``worker`` command calls ``run_worker``; everything a node or a child consists of is assembled
here, by hand, in order. Does not know: command lines, log handlers.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from celeriac.abc import LEASE_S, Lessee, Runtime, Store
from celeriac.app import signals
from celeriac.app.app import Celery
from celeriac.core.errors import ImproperlyConfigured, OperationalError, SoftTimeLimitExceeded, StoreRefused
from celeriac.core.message import Message, Outgoing
from celeriac.worker.appetite import Appetite
from celeriac.worker.child import Child
from celeriac.worker.lanes import Lane
from celeriac.worker.lanes.inline import InlineLane
from celeriac.worker.leases import DeadChild, Leases
from celeriac.worker.node import Keeper, Node
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import Plan, plan_node
from celeriac.worker.reading import Reader
from celeriac.worker.recovery import Death
from celeriac.worker.settlement import Terms
from celeriac.worker.slots import Slot, Slots
from celeriac.worker.template import Template
from celeriac.worker.tender import Tender

log = logging.getLogger("celeriac.worker")

_PATIENCE_S = 2.0
"""Between two attempts to reach a store that was never reached."""


def run_worker(app: Celery, options: WorkerOptions) -> int:
    """Run a node in the calling thread, which must be the main one, until it is told to stop; return its exit code.

    Raises:
        ImproperlyConfigured: an option or setting that cannot be honoured.
        OperationalError: the store was not reached, and the settings say not to wait for it.
    """
    plan = plan_node(app, options)
    runtime = app.runtime
    node_id = f"{plan.hostname}-{os.getpid()}-{runtime.new_id()[:8]}"
    signals.worker_init.send(app)
    slots = Slots(plan.children)
    if plan.pool == "solo":
        return _run_solo(app, plan, node_id, slots)
    # The store is opened, which imports its client once for all, and not connected: before any thread and any
    # connection the template is forked, so that its forks inherit neither.
    store = app.store
    _warn_of_threads()
    template = Template(lambda index, name: run_child(app, plan, Lessee(node_id, name), slots[index]))
    leases = _leases(app, plan, node_id, store)
    node = Node(
        id=node_id,
        name=plan.hostname,
        template=template,
        slots=slots,
        count=plan.children,
        leases=leases,
        broker=store,
        runtime=runtime,
        on_ready=lambda: _announce(app, plan),
    )
    _hear_signals(node.stop, node.stop_now)
    try:
        if not wait_for_store(plan, leases, runtime, stopped=lambda: node.stopping):
            template.close()
            return 0
    except BaseException:
        template.close()
        raise
    code = node.run()
    signals.worker_shutdown.send(app)
    log.info("%s stopped", plan.hostname)
    return code


def run_child(app: Celery, plan: Plan, me: Lessee, slot: Slot) -> int:
    """The life of a forked child; returns its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _name_in_logs(f"Child-{me.child}")
    logging.getLogger("celeriac").debug("child %s begins, pid %d", me.child, os.getpid())
    lane = make_lane(plan, app.runtime, slot)
    child = make_child(app, plan, me, lane)
    signal.signal(signal.SIGTERM, lambda *_: child.stop())
    signal.signal(signal.SIGUSR1, lambda *_: _raise_soft_limit(slot))
    Tender(child, concurrent=lane.concurrent, runtime=app.runtime).start()
    signals.worker_process_init.send(None)
    slot.ready()
    child.work()
    signals.worker_process_shutdown.send(None, pid=os.getpid(), exitcode=0)
    return 0


def _warn_of_threads() -> None:
    others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    if others:
        # They do not exist in a forked child, but the locks that they hold at that moment do.
        log.warning("importing the app started threads %s, which children do not have: start them in worker_process_init", others)


def _name_in_logs(name: str) -> None:
    """Have log records of this process bear its name."""
    make = logging.getLogRecordFactory()

    def named(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.processName = name
        return record

    logging.setLogRecordFactory(named)


def _run_solo(app: Celery, plan: Plan, node_id: str, slots: Slots) -> int:
    """One child's loop in this process; a thread keeps the lease."""
    runtime, store = app.runtime, app.store
    leases = _leases(app, plan, node_id, store)
    lane = make_lane(plan, runtime, slots[0])
    # A connection of its own: the keeper and the child must not end each other's waits.
    me, slot = Lessee(node_id, "0.1"), slots[0]
    child = make_child(app, plan, me, lane, store=app.open_store())
    stops = 0

    def stop() -> None:
        nonlocal stops
        stops += 1
        child.stop()
        if stops > 1:
            os._exit(1)

    _hear_signals(stop, lambda: os._exit(1))
    if not wait_for_store(plan, leases, runtime, stopped=lambda: stops > 0):
        return 0
    keeper = Keeper(leases, store, runtime)
    keeper.start()
    Tender(child, concurrent=lane.concurrent, runtime=runtime).start()
    _announce(app, plan)
    child.work()
    keeper.stop()
    leases.child_died(DeadChild(me, slot.started, slot.running, Death("it was stopped")))
    leases.part()
    signals.worker_shutdown.send(app)
    log.info("%s stopped", plan.hostname)
    return 0


def wait_for_store(plan: Plan, leases: Leases, runtime: Runtime, *, stopped: Callable[[], bool]) -> bool:
    """Register the node; while the store does not answer, say so and try again. ``False``: stopped meanwhile.

    Raises:
        OperationalError: as ``broker_connection_retry_on_startup`` and ``broker_connection_max_retries`` have it.
    """
    began, attempts = runtime.monotonic(), 0
    while not stopped():
        try:
            leases.tick()
        except StoreRefused:
            raise  # it answered: a wrong password or file does not mend itself
        except OperationalError as error:
            attempts += 1
            if not plan.retry_on_startup or (plan.max_retries and attempts > plan.max_retries):
                raise
            waited = runtime.monotonic() - began
            log.error("%s; trying again in %.0f s (waiting for %.0f s so far)", error, _PATIENCE_S, waited)
            runtime.sleep(_PATIENCE_S)
        else:
            if attempts:
                log.warning("the store answers after %.0f s", runtime.monotonic() - began)
            return True
    return False


def make_child(app: Celery, plan: Plan, lessee: Lessee, lane: Lane, store: Store | None = None) -> Child:
    """Put a child together; ``store``: another one than the app's."""
    return Child(
        store=store or app.store,
        lessee=lessee,
        queues=plan.queues,
        lane=lane,
        reader=_reader(app, plan),
        # Slots of a lane that runs many at once are filled, not fed from a batch.
        appetite=Appetite(cap=1 if lane.concurrent else plan.prefetch_cap),
        terms=_terms(app, plan),
        runtime=app.runtime,
        max_deliveries=plan.max_deliveries,
        max_tasks=plan.max_tasks_per_child,
        limits_enforced=plan.pool == "prefork",
    )


def make_lane(plan: Plan, runtime: Runtime, slot: Slot) -> Lane:
    """Return the lane of the pool that was asked for."""
    match plan.pool:
        case "threads":
            from celeriac.worker.lanes.threads import ThreadsLane  # late: each pool pays for its own

            return ThreadsLane(plan.slots_per_child, runtime=runtime, slot=slot)
        case "asyncio":
            from celeriac.worker.lanes.aio import AsyncioLane  # late: each pool pays for its own

            return AsyncioLane(plan.slots_per_child, runtime=runtime, slot=slot)
        case "prefork" | "solo":
            return InlineLane(runtime=runtime, slot=slot)
        case unknown:
            raise ImproperlyConfigured(f"no pool is called {unknown!r}")


def _reader(app: Celery, plan: Plan) -> Reader:
    return Reader(app.tasks, accept=app.accept_content, hostname=plan.hostname, zone=app.timezone)


def _terms(app: Celery, plan: Plan) -> Terms:
    result = app.conf.settings().result
    return Terms(
        ttl_s=result.ttl_s,
        serializer=result.serializer,
        compression=result.compression,
        extended=result.extended,
        hostname=plan.hostname,
        stores_results=app.places.results is not None,
        again=partial(_again, app),
        follow=app.followup,
    )


def _again(app: Celery, message: Message, queue: str) -> Outgoing:
    recipe = app.recipe_of(message.task)
    return app.producer.again(message, queue=queue, serializer=recipe.serializer, compression=recipe.compression)


def _leases(app: Celery, plan: Plan, node_id: str, store: Store) -> Leases:
    facts = {"pid": os.getpid(), "pool": plan.pool, "concurrency": plan.concurrency, "queues": list(plan.queues)}
    return Leases(
        store,
        node=node_id,
        name=plan.hostname,
        queues=plan.queues,
        reader=_reader(app, plan),
        terms=_terms(app, plan),
        runtime=app.runtime,
        max_deliveries=plan.max_deliveries,
        lease_s=plan.lease_s or LEASE_S,
        info=lambda: facts,
    )


def _announce(app: Celery, plan: Plan) -> None:
    log.info("%s ready.", plan.hostname, extra={"event": "worker-ready"})
    signals.worker_ready.send(app)


def _hear_signals(stop: Callable[[], None], stop_now: Callable[[], None]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: stop())
    signal.signal(signal.SIGINT, lambda *_: stop())
    signal.signal(signal.SIGQUIT, lambda *_: stop_now())


def _raise_soft_limit(slot: Slot) -> None:
    """In the child's main thread: the signal counts only for the run that it was meant for."""
    if slot.running != 0 and slot.running == slot.soft_asked:
        raise SoftTimeLimitExceeded
