"""The life of a child that has a process of its own, from its birth to its exit code.

In a node's life: called in each forked process, or fresh interpreter, that is to run tasks. Does not know: who gave birth to it.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from celeriac.abc import Lessee
from celeriac.app import signals
from celeriac.app.logs import name_tasks
from celeriac.app.overseer import forget_overseer
from celeriac.worker import announce, os_signals
from celeriac.worker.assembly import make_child, make_lane
from celeriac.worker.birth import Birth
from celeriac.worker.commons import Commons
from celeriac.worker.imports import import_anew
from celeriac.worker.instance import Worker
from celeriac.worker.nursery import Order
from celeriac.worker.plan import Plan
from celeriac.worker.template import watch_lifeline
from celeriac.worker.tender import Tender

log = logging.getLogger("celeriac.worker")


def before_fork(worker: Worker) -> None:
    """In the template, which must never have a thread: a lock that one holds is held for ever in a forked child."""
    if signals.worker_before_create_process.receivers:
        announce.child_is_made(worker)
        warn_of_threads("a receiver of worker_before_create_process started threads %s: start them in worker_process_init")


def run_child(worker: Worker, plan: Plan, node: str, order: Order, commons: Commons, enter_child: Callable[[int], None]) -> int:
    """The life of a child in a process of its own; returns its exit code.

    Args:
        worker: Whose child it is.
        plan: The same.
        node: Id of the node.
        order: Who it is.
        commons: What it shares with its node.
        enter_child: Called first, with its number from 1.
    """
    enter_child(order.number + 1)
    import_anew(order.imports, reload=order.reload)
    forget_overseer()
    me, slot = Lessee(node, order.name), commons.slots[order.room]
    _name_in_logs(f"Child-{me.child}")
    logging.getLogger("celeriac").debug("child %s begins, pid %d", me.child, os.getpid())
    runtime = worker.app.runtime
    lane = make_lane(plan, runtime, slot)
    count = partial(commons.tally.add, order.room)
    child = make_child(worker, plan, me, lane, book=commons.book, limits=commons.limits, tally=count)

    def stop() -> None:
        slot.leave()
        child.stop()

    def look() -> None:
        child.look()
        lane.heed()

    child.on_winding_up = slot.leave
    os_signals.hear_as_child(stop=stop, look=look)
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


def run_spawned_child(worker: Worker, plan: Plan, birth: Birth, enter_child: Callable[[int], None]) -> NoReturn:
    """The life of a child in a fresh interpreter, which has come as far as its node had when it began."""
    code = 1
    try:
        watch_lifeline(birth.lifeline)
        commons = Commons.inherited(worker.app, plan, file=birth.commons, rooms=birth.rooms)
        code = run_child(worker, plan, birth.node, birth.next_order(), commons, enter_child)
    except BaseException:
        log.exception("a child ended")
    finally:
        # Like a forked one: what the program does after it has run a worker is the node's to do.
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code)


def warn_of_threads(text: str) -> None:
    """Log ``text``, with the names of the threads that there are beside this one, if there are any."""
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
