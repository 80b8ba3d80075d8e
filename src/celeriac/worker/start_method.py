"""Decide how children begin, once it is known what importing the app has done to this process.

In a node's life: after the app was imported, before anything is forked. A thread that the app has started is not in a forked
child, but the lock that it holds at that moment is, and stays locked: whichever task wants it hangs. So where nobody has said
otherwise, children of such a node are fresh interpreters, which import the app themselves. Does not know: how they are started.
"""

from __future__ import annotations

import logging
import threading

from msgspec.structs import replace

from celeriac.app.app import Celery
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import SPAWN_PATIENCE_S, Plan

log = logging.getLogger("celeriac.worker")

_TOLD = (
    "importing the app started threads (%s), which a forked process does not have, while locks that they hold stay locked there: "
)


def settled(app: Celery, options: WorkerOptions, plan: Plan, home: str | None) -> Plan:
    """Return the plan with the way in which its children begin. ``home``: the folder that the program was begun in."""
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    if plan.pool == "solo" or plan.start_method != "fork" or not threads:
        return plan
    names = ", ".join(threads)
    if options.start_method is not None or app.conf.explicit("worker_pool_start_method"):
        log.warning(_TOLD + "they are forked nevertheless, as the settings say", names)
        return plan
    from celeriac.worker.spawning import how_we_began  # late: most nodes fork

    try:
        how_we_began(home)
    except ImproperlyConfigured:  # typed in: nobody can run it again
        log.warning(_TOLD + "start them in worker_process_init", names)
        return plan
    log.warning(_TOLD + "processes begin as fresh interpreters; start threads in worker_process_init to have them forked", names)
    patience_s = plan.alive_s if app.conf.explicit("worker_proc_alive_timeout") else SPAWN_PATIENCE_S
    return replace(plan, start_method="spawn", alive_s=patience_s)
