"""Which limit a task type has on this node, whether a run may begin, and how many of those put aside may come back.

In a job's life: a child asks before a limited task begins; if it must not, its message is parked, and the supervisor of whichever
node has runs to spare brings the oldest back: a few, ten times a second. So what waits for its turn costs no slot, no memory of
a node, and no round trips; other tasks of its queue go on; a limit that is raised or taken away is felt at once. Does not know:
how dates are reckoned (``rates``) and kept (``throttle``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from celeriac.abc import Broker, Runtime
from celeriac.app.app import Celery
from celeriac.app.task import Task
from celeriac.worker import rates
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.throttle import Throttle

log = logging.getLogger("celeriac.worker")

ROUND_S: Final = 0.1
"""Between two looks at what was put aside. Less than a run may be early, or the rate would not be kept."""
IDLE_ROUND_S: Final = 1.0
"""The same when nothing of it was to be brought back."""
AT_ONCE: Final = 1000
_UNLIMITED: Final = 500
"""Brought back at once of a type that has no limit here: elsewhere it has one, or it had one."""
_FORGOTTEN_S: Final = 1.0
"""What was brought back and has not begun by then was taken by another node, or waits for a child: it is counted no more."""


class Limits:
    """The rate limits of one node, for a child or for the supervisor."""

    def __init__(self, throttle: Throttle, runtime: Runtime) -> None:
        self.throttle, self._runtime = throttle, runtime
        self._understood: dict[str | float, float | None] = {}

    def lets_begin(self, task: str, limit: str | float | None) -> bool:
        """Say whether a run of this type may begin now; if so, it is counted."""
        per_s = self.per_second(task, limit)
        return per_s is None or self.throttle.begin(task, per_s, self._runtime.monotonic())

    def per_second(self, task: str, limit: str | float | None) -> float | None:
        """Return what a limit says. One that cannot be understood is told once, and is none."""
        if limit is None:
            return None
        if limit not in self._understood:
            try:
                self._understood[limit] = rates.per_second(limit)
            except ValueError as error:
                log.error("task %s is not limited: %s", task, error)
                self._understood[limit] = None
        return self._understood[limit]


def limit_of(task: str, orders: Orders, tasks: Mapping[str, Task[..., Any]]) -> str | float | None:
    """Return the limit of a type: what the node was told, or else what the task says. ``None``: none, or it is not known here."""
    if task in orders.rate_limits:
        return orders.rate_limits[task]
    known = tasks.get(task)
    return None if known is None else known.conduct().rate_limit


class Releaser:
    """Brings back what was put aside, as fast as the limits of this node allow. For the supervisor."""

    def __init__(
        self,
        broker: Broker,
        *,
        limits: Limits | None,
        limit_of: Callable[[str], str | float | None],
        queues: Callable[[], Sequence[str]],
        runtime: Runtime,
    ) -> None:
        """``limits``: ``None``: nothing is limited here. ``queues``: those that this node serves now."""
        self._broker, self._limits, self._limit_of, self._queues, self._runtime = broker, limits, limit_of, queues, runtime
        self._out: dict[str, _Out] = {}

    def release(self, throttled: Sequence[str]) -> float:
        """Bring back what may begin of these types; return how many seconds later to look again.

        Raises:
            OperationalError: the store did not answer.
        """
        for task in self._out.keys() - set(throttled):
            del self._out[task]
        queues = self._queues()
        return min((self._release(task, queues) for task in throttled), default=IDLE_ROUND_S)

    def _release(self, task: str, queues: Sequence[str]) -> float:
        per_s = None if self._limits is None else self._limits.per_second(task, self._limit_of(task))
        if self._limits is None or per_s is None:
            return ROUND_S if self._broker.release(task, queues=queues, limit=_UNLIMITED) else IDLE_ROUND_S
        now = self._runtime.monotonic()
        date, begun = self._limits.throttle.look(task)
        out = self._out.setdefault(task, _Out(begun, now))
        out.saw(begun, now)
        count = rates.ready(date, now, per_s) - out.count
        if count > 0:
            released = self._broker.release(task, queues=queues, limit=min(count, AT_ONCE))
            out.add(released, now)
            if not released:
                return IDLE_ROUND_S  # what is parked lies in queues that others serve
        return max(ROUND_S, rates.wait_s(date, now, per_s))


class _Out:
    """How many of one type were brought back and have not begun."""

    __slots__ = ("_at", "_begun", "count")

    def __init__(self, begun: int, now: float) -> None:
        self.count, self._begun, self._at = 0, begun, now

    def add(self, released: int, now: float) -> None:
        self.count += released
        self._at = now

    def saw(self, begun: int, now: float) -> None:
        self.count = max(0, self.count - (begun - self._begun))
        self._begun = begun
        if now - self._at > _FORGOTTEN_S:
            self.count = 0


def make_limits(app: Celery) -> Limits | None:
    """Return what keeps the rate limits of this node, in memory that its children share; ``None``: they are disabled."""
    return None if app.conf.settings().worker.disable_rate_limits else Limits(Throttle(), app.runtime)


def make_releaser(app: Celery, broker: Broker, book: OrderBook, limits: Limits | None) -> Releaser:
    """Return what brings back what was put aside by rate limits."""
    return Releaser(
        broker,
        limits=limits,
        limit_of=lambda task: limit_of(task, book.read()[1], app.tasks),
        queues=lambda: book.read()[1].queues,
        runtime=app.runtime,
    )
