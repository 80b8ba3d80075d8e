"""Put a node together from an app and its options, and run it.

In a node's life: the ``worker`` command calls ``run_worker``, which makes what all its processes share, then the process that
bears children, then the supervisor. Does not know: command lines, log handlers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from celeriac.abc import Lessee
from celeriac.app.overseer import Overseer
from celeriac.worker import os_signals
from celeriac.worker.assembly import first_orders, leases_of, with_other_places
from celeriac.worker.childhood import before_fork, run_child, warn_of_threads
from celeriac.worker.control import open_control
from celeriac.worker.farewell import Farewell
from celeriac.worker.first_contact import wait_for_store
from celeriac.worker.formats import check_formats
from celeriac.worker.herald import Herald
from celeriac.worker.imports import import_anew
from celeriac.worker.instance import Worker
from celeriac.worker.limiting import Limits, make_limits, make_releaser
from celeriac.worker.newsroom import Press
from celeriac.worker.node import Node
from celeriac.worker.nursery import Nursery, Order
from celeriac.worker.orders import OrderBook
from celeriac.worker.plan import Plan, plan_node
from celeriac.worker.readiness import say_goodbye, say_ready
from celeriac.worker.slots import Slots, rooms_for
from celeriac.worker.solo import run_solo
from celeriac.worker.stacks import Stacks
from celeriac.worker.stopping import Stopping, stop_terms
from celeriac.worker.tally import Tally
from celeriac.worker.template import Template
from celeriac.worker.watching import Patient, Watch

log = logging.getLogger("celeriac.worker")


def _nothing(_index: int) -> None:
    """Nobody wants to know."""


def _leave() -> NoReturn:
    os._exit(1)


def run_worker(
    worker: Worker,
    *,
    enter_child: Callable[[int], None] = _nothing,
    stopping: Stopping | None = None,
    begin_again: Callable[[], NoReturn] = _leave,
) -> int:
    """Run a node in the calling thread, which must be the main one, until it is told to stop; return its exit code.

    Args:
        worker: The app, and what the node was asked to be.
        enter_child: Called first in each process that runs tasks, with its place: 1, 2, …; not where the node does so.
        stopping: Told how the node is to stop, and asked afterwards whether it begins again. ``None``: nobody wants to know.
        begin_again: Has the program begin anew in the place of this process, which a task holds up for ever and which has no
            other. By default the process ends.

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
    slots = Slots(rooms_for(plan.children, plan.slots_per_child), plan.slots_per_child)
    book = OrderBook(first_orders(plan))
    tally = Tally(app.tasks, len(slots))
    stopping = stopping or Stopping(stop_terms(app.conf.settings().worker))
    if plan.pool == "solo":
        return run_solo(worker, plan, node_id, slots, book, tally, stopping, begin_again)
    limits = make_limits(app)
    # The stores are opened, which imports their clients once for all, and not connected: before any thread and any
    # connection the template is forked, so that its forks inherit neither.
    _ = with_other_places(app, app.store)
    warn_of_threads("importing the app started threads %s, which children do not have: start them in worker_process_init")

    stacks = Stacks()
    stacks.answer()  # what is forked from here answers, too

    def child(order: Order) -> int:
        app.is_template = False
        app.on_after_fork.send(app)
        enter_child(order.number + 1)
        import_anew(order.imports, reload=order.reload)
        count = partial(tally.add, order.room)
        return run_child(worker, plan, Lessee(node_id, order.name), slots[order.room], book, limits, count)

    app.is_template = True
    template = Template(child, before_fork=partial(before_fork, worker))
    app.is_template = False
    return _supervise(worker, plan, node_id, template, slots, book, tally, limits, stopping, stacks)


def _supervise(
    worker: Worker,
    plan: Plan,
    node_id: str,
    nursery: Nursery,
    slots: Slots,
    book: OrderBook,
    tally: Tally,
    limits: Limits | None,
    stopping: Stopping,
    stacks: Stacks,
) -> int:
    runtime, store = worker.app.runtime, worker.app.store
    herald = Herald(lambda: node.healthy, runtime, interval=plan.heartbeat_s)
    press = Press(worker.app, plan, store, lambda: node.business(), book)
    release = make_releaser(worker.app, store, book, limits).release
    leases = leases_of(worker.app, plan, node_id, store, herald, press, release)
    overseer = Overseer()
    farewell = Farewell(worker, herald, stopping, overseer)
    node = Node(
        id=node_id,
        name=plan.hostname,
        nursery=nursery,
        slots=slots,
        book=book,
        count=plan.children,
        leases=leases,
        broker=store,
        runtime=runtime,
        stopping=stopping,
        on_ready=lambda: say_ready(worker, herald, press, watch),
        on_stop=farewell.say,
        alive_s=plan.alive_s,
        grace_s=plan.grace_s,
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
            nursery.close()
            watch.close()
            return 0
    except BaseException:
        nursery.close()
        raise
    control = open_control(worker, plan, node, book, tally.totals)
    code = node.run()
    if control is not None:
        control.close()
    watch.close()
    say_goodbye(worker, herald, press)
    return code
