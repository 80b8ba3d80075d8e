"""A node without children (``-P solo``): one child's loop in the node's own process.

In a node's life: all of it. Threads keep the lease, hear of a stop, and watch the limits of the task that has the main one. Does
not know: other pools.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import NoReturn

from celeriac.abc import Lessee
from celeriac.app.logs import name_tasks
from celeriac.app.overseer import Overseer
from celeriac.core.errors import OperationalError
from celeriac.worker import announce, os_signals
from celeriac.worker.assembly import leases_of, make_child, make_lane
from celeriac.worker.commons import Commons
from celeriac.worker.control import open_control
from celeriac.worker.farewell import Farewell
from celeriac.worker.first_contact import wait_for_store
from celeriac.worker.herald import Herald
from celeriac.worker.instance import Worker
from celeriac.worker.keeper import Keeper
from celeriac.worker.leases import DeadChild
from celeriac.worker.limiting import make_releaser
from celeriac.worker.lone_limits import LoneLimits
from celeriac.worker.lone_node import LoneNode
from celeriac.worker.lone_stopper import LoneStopper
from celeriac.worker.newsroom import Press
from celeriac.worker.plan import Plan
from celeriac.worker.readiness import say_goodbye, say_ready
from celeriac.worker.recovery import Death, Ending
from celeriac.worker.slots import Seen
from celeriac.worker.stacks import Stacks
from celeriac.worker.stopping import Stopping
from celeriac.worker.tender import Tender
from celeriac.worker.watching import Patient, Watch

log = logging.getLogger("celeriac.worker")


def run_solo(
    worker: Worker,
    plan: Plan,
    node_id: str,
    commons: Commons,
    stopping: Stopping,
    begin_again: Callable[[], NoReturn],
) -> int:
    """One child's loop in this process. ``begin_again``: has the program begin anew in its place."""
    app, runtime, store = worker.app, worker.app.runtime, worker.app.store
    slot, book, limits = commons.slots[0], commons.book, commons.limits
    herald = Herald(lambda: keeper.healthy, runtime, interval=plan.heartbeat_s)
    press = Press(app, plan, store, lambda: (len(slot.running), slot.ended), book)
    leases = leases_of(app, plan, node_id, store, herald, press, make_releaser(app, store, book, limits).release)
    keeper = Keeper(leases, store, runtime)
    lane = make_lane(plan, runtime, slot)
    # A connection of its own: the keeper and the child must not end each other's waits.
    me = Lessee(node_id, "0.1")
    child = make_child(
        worker, plan, me, lane, store=app.open_store(), book=book, limits=limits, tally=partial(commons.tally.add, 0)
    )
    overseer = Overseer()
    farewell = Farewell(worker, herald, stopping, overseer)

    def part(why: str, endings: Mapping[int, Ending]) -> None:
        keeper.stop()
        leases.child_died(DeadChild(me, slot.started, slot.running, Death(why, handed_back=True), endings))
        leases.part()
        herald.stop()

    def hand_back() -> None:
        part("stopped at once by its operator", {})

    def give_up(run: Seen) -> None:
        ending = Ending(hard_s=round(run.hard_at - run.since, 6))
        log.error("hard time limit (%gs) of task %s exceeded: the program begins again", ending.hard_s, run.id)
        with suppress(OperationalError):
            child.flush()  # what has ended before it
        part("it was held by a task that was given up", {run.tag: ending})
        watch.close()
        begin_again()

    time_limits = LoneLimits(slot.seat(0), runtime=runtime, tell=os_signals.have_look, give_up=give_up)

    stopper = LoneStopper(
        stopping,
        runtime=runtime,
        is_busy=lambda: bool(slot.running),
        on_stage=farewell.say,
        finish=child.stop,
        hand_back=hand_back,
    )

    def look() -> None:
        child.look()
        lane.heed()

    def tell_orders() -> None:
        leases.queues = list(book.read()[1].queues)
        os_signals.have_look()

    book.on_change = tell_orders
    lone = LoneNode(me, slot, stopping, wake=stopper.wake, look=os_signals.have_look)
    os_signals.hear_look(look)
    os_signals.hear(stopping, when_heard=stopper.wake, show_stacks=Stacks().show_mine)
    patient = Patient(
        turned_at=runtime.monotonic,  # whoever can ask sees that this process is not stuck
        children=lambda: 1,
        ended=lambda: slot.ended,
        store_answers=lambda: keeper.healthy,
        queues=lambda: leases.queues,
    )
    watch = Watch(app, plan, patient, stopping=stopping, overseer=overseer)
    if not wait_for_store(plan, leases, runtime, stopped=lambda: stopping.is_asked):
        watch.close()
        return 0
    stopper.start()
    keeper.start()
    time_limits.start()
    Tender(child, concurrent=lane.concurrent, runtime=runtime).start()
    announce.child_begins(plan.hostname)
    name_tasks()
    say_ready(worker, herald, press, watch)
    control = open_control(worker, plan, lone, book, commons.tally.totals)
    child.work()
    time_limits.close()
    if control is not None:
        control.close()
    stopper.close()
    watch.close()
    announce.child_ends(plan.hostname, 0)
    keeper.stop()
    leases.child_died(DeadChild(me, slot.started, slot.running, Death("it was stopped")))
    leases.part()
    say_goodbye(worker, herald, press)
    return 0
