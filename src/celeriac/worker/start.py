"""Put a node together from an app and its options, and run it.

In a node's life: the ``worker`` command calls ``run_worker``, which makes what all its processes share, then the process that
bears children, then the supervisor. Does not know: command lines, log handlers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NoReturn

from celeriac.app.overseer import Overseer
from celeriac.worker import announce, os_signals
from celeriac.worker.assembly import leases_of, with_other_places
from celeriac.worker.birth import Birth, this_birth
from celeriac.worker.childhood import before_fork, run_child, run_spawned_child
from celeriac.worker.commons import Commons
from celeriac.worker.control import open_control
from celeriac.worker.farewell import Farewell
from celeriac.worker.first_contact import wait_for_store
from celeriac.worker.formats import check_formats
from celeriac.worker.herald import Herald
from celeriac.worker.instance import Worker
from celeriac.worker.lanes.patching import FIRST_LINES
from celeriac.worker.limiting import make_releaser
from celeriac.worker.newsroom import Press
from celeriac.worker.node import Node
from celeriac.worker.nursery import Nursery, Order
from celeriac.worker.plan import Plan, plan_node
from celeriac.worker.readiness import say_goodbye, say_ready
from celeriac.worker.scaled_pool import ScaledPool, autoscaler_class
from celeriac.worker.solo import run_solo
from celeriac.worker.stacks import Stacks
from celeriac.worker.start_method import settled
from celeriac.worker.stopping import Stopping, stop_terms
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
    home: str | None = None,
) -> int:
    """Run a node in the calling thread, which must be the main one, until it is told to stop; return its exit code.

    In a process that is to be a child of a node (``birth``): run that child.

    Args:
        worker: The app, and what the node was asked to be.
        enter_child: Called first in each process that runs tasks, with its place: 1, 2, …; not where the node does so.
        stopping: Told how the node is to stop, and asked afterwards whether it begins again. ``None``: nobody wants to know.
        begin_again: Has the program begin anew in the place of this process, which a task holds up for ever and which has no
            other. By default the process ends.
        home: The folder that the program was begun in, if it has left it.

    Raises:
        ImproperlyConfigured: an option or setting that cannot be honoured.
        OperationalError: the store was not reached, and the settings say not to wait for it.
    """
    app, plan = worker.app, plan_node(worker.app, worker.options)
    check_formats(app.settings)
    # Tasks of libraries, which know no app, are this one's here: Celery's worker does the same.
    app.set_current()
    app.set_default()
    worker.is_planned(plan)
    if (birth := this_birth()) is not None:
        run_spawned_child(worker, plan, birth, enter_child)
    if ignored := sorted(part for part, steps in app.steps.items() if steps):
        log.warning("app.steps of %s are not run: this version has no boot steps", " and ".join(ignored))
    plan = settled(app, worker.options, plan, home)
    node_id = f"{plan.hostname}-{os.getpid()}-{app.runtime.new_id()[:8]}"
    commons = Commons(app, plan, named=plan.start_method == "spawn")
    stopping = stopping or Stopping(stop_terms(app.conf.settings().worker))
    if plan.pool == "solo":
        return run_solo(worker, plan, node_id, commons, stopping, begin_again)
    # The stores are opened, which imports their clients once for all, and not connected: before any thread and any
    # connection the template is forked, so that its forks inherit neither.
    _ = with_other_places(app, app.store)
    stacks = Stacks()
    stacks.answer()  # what is forked from here answers, too
    if plan.start_method == "spawn":
        nursery: Nursery = _spawner(worker, plan, node_id, commons, stacks, home)
    else:
        nursery = _template(worker, plan, node_id, commons, enter_child)
    return _supervise(worker, plan, Made(node_id, nursery, commons, stacks, stopping))


class Made(NamedTuple):
    """What is there before the supervisor is."""

    node: str
    """Id of the node."""
    nursery: Nursery
    commons: Commons
    stacks: Stacks
    stopping: Stopping


def _template(worker: Worker, plan: Plan, node_id: str, commons: Commons, enter_child: Callable[[int], None]) -> Template:
    app = worker.app

    def child(order: Order) -> int:
        app.is_template = False
        app.on_after_fork.send(app)
        return run_child(worker, plan, node_id, order, commons, enter_child)

    app.is_template = True
    template = Template(child, before_fork=partial(before_fork, worker))
    app.is_template = False
    return template


def _spawner(worker: Worker, plan: Plan, node_id: str, commons: Commons, stacks: Stacks, home: str | None) -> Nursery:
    from celeriac.worker.spawning import Spawner, how_we_began  # late: most nodes fork

    assert commons.file is not None  # it was made for this
    birth = Birth(
        order=None,
        orders=-1,
        node=node_id,
        rerun=how_we_began(home),
        commons=commons.file,
        rooms=commons.rooms,
        lifeline=-1,
        stacks=stacks.said,
    )
    before = partial(announce.child_is_made, worker)
    return Spawner(birth=birth, first_line=FIRST_LINES.get(plan.pool, ""), home=home, before=before)


def _supervise(worker: Worker, plan: Plan, made: Made) -> int:
    runtime, store, stopping, commons = worker.app.runtime, worker.app.store, made.stopping, made.commons
    herald = Herald(lambda: node.healthy, runtime, interval=plan.heartbeat_s)
    press = Press(worker.app, plan, store, lambda: node.business(), commons.book)
    release = make_releaser(worker.app, store, commons.book, commons.limits).release
    leases = leases_of(worker.app, plan, made.node, store, herald, press, release, children=lambda: node.count)
    overseer = Overseer()
    farewell = Farewell(worker, herald, stopping, overseer)
    node = Node(
        id=made.node,
        name=plan.hostname,
        nursery=made.nursery,
        slots=commons.slots,
        book=commons.book,
        count=plan.children,
        leases=leases,
        broker=store,
        runtime=runtime,
        stopping=stopping,
        on_ready=lambda: say_ready(worker, herald, press, watch),
        on_stop=farewell.say,
        after_keep=lambda: scaled.scale(),
        alive_s=plan.alive_s,
        grace_s=plan.grace_s,
        asks_first=plan.asks_first,
    )
    scaled = ScaledPool(node, store, runtime)
    if plan.autoscale is not None:
        most, least = plan.autoscale
        node.autoscaler = autoscaler_class(worker.app)(scaled, most, least, worker=worker)
    os_signals.hear(stopping, when_heard=node.wake, show_stacks=lambda: made.stacks.show(node.processes))
    patient = Patient(
        turned_at=lambda: node.turned_at,
        children=lambda: len(node.processes()),
        ended=lambda: node.ended,
        store_answers=lambda: node.healthy,
        queues=lambda: leases.queues,
    )
    try:
        watch = Watch(worker.app, plan, patient, stopping=stopping, overseer=overseer)
        if not wait_for_store(plan, leases, runtime, stopped=lambda: node.stopping):
            made.nursery.close()
            watch.close()
            return 0
    except BaseException:
        made.nursery.close()
        raise
    control = open_control(worker, plan, node, commons.book, commons.tally.totals, node.autoscaler)
    code = node.run()
    if control is not None:
        control.close()
    watch.close()
    say_goodbye(worker, herald, press)
    return code
