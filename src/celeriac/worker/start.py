"""Put a node together from an app and its options, and run it.

In a node's life: the ``worker`` command calls ``run_worker``; everything a node or a child consists of is assembled
here, by hand, in order. Does not know: command lines, log handlers.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from celeriac.abc import LEASE_S, Lessee, ResultBackend, Runtime, Store
from celeriac.app import errbacks, signals
from celeriac.app.app import Celery
from celeriac.app.following import following
from celeriac.app.logs import name_tasks
from celeriac.app.overseer import Overseer, forget_overseer
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Address, Message, Outgoing
from celeriac.drivers.apart import Apart
from celeriac.worker import announce, os_signals
from celeriac.worker.appetite import Appetite
from celeriac.worker.child import Child
from celeriac.worker.farewell import Farewell
from celeriac.worker.first_contact import wait_for_store
from celeriac.worker.formats import check_formats
from celeriac.worker.herald import Herald
from celeriac.worker.instance import Worker
from celeriac.worker.lanes import Lane
from celeriac.worker.lanes.inline import InlineLane
from celeriac.worker.leases import DeadChild, Leases
from celeriac.worker.lone_stopper import LoneStopper
from celeriac.worker.node import Keeper, Node
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.plan import Plan, plan_node
from celeriac.worker.reading import Reader
from celeriac.worker.recovery import Death
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot, Slots
from celeriac.worker.stacks import Stacks
from celeriac.worker.stopping import Stopping, stop_terms
from celeriac.worker.template import Template
from celeriac.worker.tender import Tender
from celeriac.worker.terms import Terms
from celeriac.worker.watching import Patient, Watch

log = logging.getLogger("celeriac.worker")


def _nothing(_index: int) -> None:
    """Nobody wants to know."""


def run_worker(worker: Worker, *, enter_child: Callable[[int], None] = _nothing, stopping: Stopping | None = None) -> int:
    """Run a node in the calling thread, which must be the main one, until it is told to stop; return its exit code.

    Args:
        worker: The app, and what the node was asked to be.
        enter_child: Called first in each process that runs tasks, with its place: 1, 2, …; not where the node does so.
        stopping: Told how the node is to stop, and asked afterwards whether it begins again. ``None``: nobody wants to know.

    Raises:
        ImproperlyConfigured: an option or setting that cannot be honoured.
        OperationalError: the store was not reached, and the settings say not to wait for it.
    """
    app, plan = worker.app, plan_node(worker.app, worker.options)
    check_formats(app.settings)
    # Tasks of libraries, which know no app, are this one's here: Celery's worker does the same.
    app.set_current()
    app.set_default()
    if ignored := sorted(part for part, steps in app.steps.items() if steps):
        log.warning("app.steps of %s are not run: this version has no boot steps", " and ".join(ignored))
    worker.is_planned(plan)
    node_id = f"{plan.hostname}-{os.getpid()}-{app.runtime.new_id()[:8]}"
    slots, book = Slots(plan.children, plan.slots_per_child), OrderBook(first_orders(plan))
    stopping = stopping or Stopping(stop_terms(app.conf.settings().worker))
    if plan.pool == "solo":
        return _run_solo(worker, plan, node_id, slots, book, stopping)
    # The stores are opened, which imports their clients once for all, and not connected: before any thread and any
    # connection the template is forked, so that its forks inherit neither.
    _ = _with_other_places(app, app.store)
    _warn_of_threads("importing the app started threads %s, which children do not have: start them in worker_process_init")

    stacks = Stacks()
    stacks.answer()  # what is forked from here answers, too

    def child(index: int, name: str) -> int:
        app.is_template = False
        app.on_after_fork.send(app)
        enter_child(index + 1)
        return run_child(worker, plan, Lessee(node_id, name), slots[index], book)

    app.is_template = True
    template = Template(child, before_fork=partial(before_fork, worker))
    app.is_template = False
    return _supervise(worker, plan, node_id, template, slots, stopping, stacks)


def _supervise(
    worker: Worker, plan: Plan, node_id: str, template: Template, slots: Slots, stopping: Stopping, stacks: Stacks
) -> int:
    runtime, store = worker.app.runtime, worker.app.store
    herald = Herald(lambda: node.healthy, runtime)
    leases = _leases(worker.app, plan, node_id, store, herald)
    overseer = Overseer()
    farewell = Farewell(worker, herald, stopping, overseer)
    node = Node(
        id=node_id,
        name=plan.hostname,
        template=template,
        slots=slots,
        count=plan.children,
        leases=leases,
        broker=store,
        runtime=runtime,
        stopping=stopping,
        on_ready=lambda: _announce(worker, herald, watch),
        on_stop=farewell.say,
    )
    os_signals.hear(stopping, when_heard=node.wake, show_stacks=lambda: stacks.show(node.processes))
    patient = Patient(
        turned_at=lambda: node.turned_at,
        children=lambda: len(node.processes()),
        ended=lambda: node.ended,
        store_answers=lambda: node.healthy,
    )
    try:
        watch = Watch(worker.app, plan, patient, stopping=stopping, overseer=overseer)
        if not wait_for_store(plan, leases, runtime, stopped=lambda: node.stopping):
            template.close()
            watch.close()
            return 0
    except BaseException:
        template.close()
        raise
    code = node.run()
    watch.close()
    _say_goodbye(worker, herald)
    return code


def before_fork(worker: Worker) -> None:
    """In the template, which must never have a thread: a lock that one holds is held for ever in a forked child."""
    if signals.worker_before_create_process.receivers:
        announce.child_is_made(worker)
        _warn_of_threads("a receiver of worker_before_create_process started threads %s: start them in worker_process_init")


def run_child(worker: Worker, plan: Plan, me: Lessee, slot: Slot, book: OrderBook) -> int:
    """The life of a forked child; returns its exit code."""
    forget_overseer()
    _name_in_logs(f"Child-{me.child}")
    logging.getLogger("celeriac").debug("child %s begins, pid %d", me.child, os.getpid())
    runtime = worker.app.runtime
    lane = make_lane(plan, runtime, slot)
    child = make_child(worker, plan, me, lane, book=book)
    os_signals.hear_as_child(stop=child.stop, look=lane.heed)
    Tender(child, concurrent=lane.concurrent, runtime=runtime).start()
    announce.child_begins(plan.hostname)
    name_tasks()  # handlers that a receiver has made since the log was set up
    code = 1
    try:
        slot.ready()
        child.work()
        code = 0
    finally:
        announce.child_ends(plan.hostname, code)
    return code


def _warn_of_threads(text: str) -> None:
    others = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    if others:
        # They do not exist in a forked child, but the locks that they hold at that moment do.
        log.warning(text, others)


def _name_in_logs(name: str) -> None:
    """Have log records of this process bear its name."""
    make = logging.getLogRecordFactory()

    def named(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.processName = name
        return record

    logging.setLogRecordFactory(named)


def _run_solo(worker: Worker, plan: Plan, node_id: str, slots: Slots, book: OrderBook, stopping: Stopping) -> int:
    """One child's loop in this process; a thread keeps the lease, and another one hears of a stop."""
    app, runtime, store = worker.app, worker.app.runtime, worker.app.store
    herald = Herald(lambda: keeper.healthy, runtime)
    leases = _leases(app, plan, node_id, store, herald)
    keeper = Keeper(leases, store, runtime)
    lane = make_lane(plan, runtime, slots[0])
    # A connection of its own: the keeper and the child must not end each other's waits.
    me, slot = Lessee(node_id, "0.1"), slots[0]
    child = make_child(worker, plan, me, lane, store=app.open_store(), book=book)
    overseer = Overseer()
    farewell = Farewell(worker, herald, stopping, overseer)

    def hand_back() -> None:
        keeper.stop()
        leases.child_died(DeadChild(me, slot.started, slot.running, Death("stopped at once by its operator", handed_back=True)))
        leases.part()
        herald.stop()

    stopper = LoneStopper(
        stopping,
        runtime=runtime,
        is_busy=lambda: bool(slot.running),
        on_stage=farewell.say,
        finish=child.stop,
        hand_back=hand_back,
    )
    os_signals.hear(stopping, when_heard=stopper.wake, show_stacks=Stacks().show_mine)
    patient = Patient(
        turned_at=runtime.monotonic,  # whoever can ask sees that this process is not stuck
        children=lambda: 1,
        ended=lambda: slot.ended,
        store_answers=lambda: keeper.healthy,
    )
    watch = Watch(app, plan, patient, stopping=stopping, overseer=overseer)
    if not wait_for_store(plan, leases, runtime, stopped=lambda: stopping.is_asked):
        watch.close()
        return 0
    stopper.start()
    keeper.start()
    Tender(child, concurrent=lane.concurrent, runtime=runtime).start()
    announce.child_begins(plan.hostname)
    name_tasks()
    _announce(worker, herald, watch)
    child.work()
    stopper.close()
    watch.close()
    announce.child_ends(plan.hostname, 0)
    keeper.stop()
    leases.child_died(DeadChild(me, slot.started, slot.running, Death("it was stopped")))
    leases.part()
    _say_goodbye(worker, herald)
    return 0


def make_child(
    worker: Worker, plan: Plan, lessee: Lessee, lane: Lane, store: Store | None = None, book: OrderBook | None = None
) -> Child:
    """Put a child together; ``store``: another one than the app's; ``book``: where its orders are changed."""
    app = worker.app
    return Child(
        store=_with_other_places(app, store or app.store),
        lessee=lessee,
        book=book or OrderBook(first_orders(plan)),
        lane=lane,
        reader=_reader(app, plan),
        # Slots of a lane that runs many at once are filled, not fed from a batch.
        appetite=Appetite(cap=1 if lane.concurrent else plan.prefetch_cap),
        terms=_terms(app, plan),
        runtime=app.runtime,
        max_deliveries=plan.max_deliveries,
        max_tasks=plan.max_tasks_per_child,
        sender=worker.consumer,
    )


def first_orders(plan: Plan) -> Orders:
    """Return the orders with which a node begins."""
    return Orders(queues=tuple(plan.queues))


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


def _with_other_places(app: Celery, store: Store) -> Store:
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


def _leases(app: Celery, plan: Plan, node_id: str, store: Store, herald: Herald) -> Leases:
    facts = {"pid": os.getpid(), "pool": plan.pool, "concurrency": plan.concurrency, "queues": list(plan.queues)}
    return Leases(
        _with_other_places(app, store),
        node=node_id,
        name=plan.hostname,
        queues=plan.queues,
        reader=_reader(app, plan),
        terms=_terms(app, plan),
        runtime=app.runtime,
        max_deliveries=plan.max_deliveries,
        lease_s=plan.lease_s or LEASE_S,
        info=lambda: facts,
        on_lost=lambda request, error: _tell_lost(herald, request, error),
    )


def _tell_lost(herald: Herald, request: Request, error: Exception) -> None:
    if signals.task_failure.receivers:
        herald.tell(partial(announce.failed, request.task, request.message, error))


def _announce(worker: Worker, herald: Herald, watch: Watch) -> None:
    log.info("%s ready.", worker.hostname, extra={"event": "worker-ready"})
    watch.ready()
    herald.start()
    announce.node_is_ready(worker)


def _say_goodbye(worker: Worker, herald: Herald) -> None:
    herald.stop()
    announce.node_ends(worker)
    log.info("%s stopped", worker.hostname)
