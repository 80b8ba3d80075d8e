"""The first and the last words of a node: to its log, to whoever watches it, to monitors, to hooks of users.

In a node's life: when every child fetches, and when none is left; the same in every pool. Does not know: pools, signals.
"""

from __future__ import annotations

import logging

from celeriac.worker import announce
from celeriac.worker.herald import Herald
from celeriac.worker.instance import Worker
from celeriac.worker.newsroom import Press
from celeriac.worker.watching import Watch

log = logging.getLogger("celeriac.worker")


def say_ready(worker: Worker, herald: Herald, press: Press, watch: Watch) -> None:
    """Every child fetches."""
    log.info("%s ready.", worker.hostname, extra={"event": "worker-ready"})
    watch.ready()
    press.start()
    herald.start()
    announce.node_is_ready(worker)


def say_goodbye(worker: Worker, herald: Herald, press: Press) -> None:
    """No child is left."""
    herald.stop()
    press.stop()
    announce.node_ends(worker)
    log.info("%s stopped", worker.hostname)
