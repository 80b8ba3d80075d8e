"""Say that a node stops, while it does: to the log, to hooks of users, to whoever started it.

In a node's life: from the moment it was asked to stop. Each stage is said once; ``how`` and ``exitcode`` of the signal are
Celery's, which knows a soft stop as the beginning of a cold one. Does not know: how the stages follow.
"""

from __future__ import annotations

import logging
from functools import partial

from celeriac.app.overseer import Overseer
from celeriac.worker import announce
from celeriac.worker.herald import Herald
from celeriac.worker.instance import Worker
from celeriac.worker.stopping import Stage, Stopping

log = logging.getLogger("celeriac.worker")


class Farewell:
    """What is said of the stages of one stop."""

    def __init__(self, worker: Worker, herald: Herald, stopping: Stopping, overseer: Overseer) -> None:
        self._worker, self._herald, self._stopping, self._overseer = worker, herald, stopping, overseer
        self._told_cold = False

    def say(self, now: float) -> None:
        """Say which stage the stop has entered."""
        stopping = self._stopping
        fields = {"event": "worker-stops", "why": stopping.why}
        left_s = stopping.left_s(now)
        match stopping.stage:
            case Stage.WARM:
                afterwards = ", then the program begins again" if stopping.restarts else ""
                bound = "" if left_s is None else f" within {left_s:g} s"
                once_more = "; once more stops them at once" if stopping.why == "SIGINT" else ""
                text = "warm shutdown (%s): no new work, running tasks end%s%s%s"
                log.info(text, stopping.why, bound, afterwards, once_more, extra=fields)
            case Stage.SOFT:
                log.warning("soft shutdown (%s): running tasks are stopped in %g s", stopping.why, left_s, extra=fields)
            case _:
                log.warning(
                    "cold shutdown (%s): running tasks are stopped; what acknowledges late goes back to its queue",
                    stopping.why,
                    extra=fields,
                )
        if stopping.restarts:
            self._overseer.reloading("running tasks end before it begins again")
        else:
            self._overseer.stopping(f"{stopping.stage.name.lower()} shutdown")
        is_cold = stopping.stage is not Stage.WARM
        if not (is_cold and self._told_cold):
            self._told_cold = is_cold
            self._herald.tell(partial(announce.node_shuts_down, self._worker, stopping.why, cold=is_cold))
