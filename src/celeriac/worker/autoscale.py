"""Decide how many children a node needs: as many as there is work for, within two bounds.

In a node's life: asked about once a second, where ``--autoscale`` was given. More children come at once; fewer are left when for
``keepalive`` seconds fewer would have done, and only by not replacing whoever has ended its tasks.

Messages that wait do not call for more children by their number alone: a queue that will be empty within a second as things go
needs nobody. Names and arguments of the class are Celery's, for programs that have an ``Autoscaler`` of their own; what its
``pool`` and its ``qty`` mean is said here. Does not know: processes, stores.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any, Final, Protocol

from msgspec import Struct

log = logging.getLogger("celeriac.worker")

KEEPALIVE_VARIABLE: Final = "AUTOSCALE_KEEPALIVE"
"""Environment: seconds, as ``keepalive``. Source: Celery's reference of its autoscaler."""
AUTOSCALE_KEEPALIVE: Final = float(os.environ.get(KEEPALIVE_VARIABLE, "30"))
SOON_S: Final = 1.0
"""What the children will have done within this time needs nobody else."""


class Load(Struct, frozen=True):
    """What there is to do."""

    busy: int = 0
    """Tasks that run."""
    waiting: int = 0
    """Messages in the queues that the node serves."""
    pace: float = 0.0
    """Tasks that ended in a second, lately, in all its children."""


class Pool(Protocol):
    """The children, as an autoscaler sees them."""

    @property
    def num_processes(self) -> int:
        """How many there are to be."""

    def load(self) -> Load:
        """What there is to do."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""

    def grow(self, n: int = 1) -> None:
        """Have ``n`` more."""

    def shrink(self, n: int = 1) -> None:
        """Have ``n`` fewer. A task that runs is never ended for that."""


def needed(load: Load) -> int:
    """Return for how many children there is work, one task each."""
    if load.pace and load.waiting / load.pace <= SOON_S:
        return load.busy
    return load.busy + load.waiting


class Autoscaler:
    """Scales one pool. A class of one's own (``worker_autoscaler``) may override ``_maybe_scale``, or ``qty``."""

    def __init__(
        self,
        pool: Pool,
        max_concurrency: int,
        min_concurrency: int = 0,
        worker: Any = None,
        keepalive: float = AUTOSCALE_KEEPALIVE,
    ) -> None:
        """Begin with the bounds given.

        Args:
            pool: What to scale.
            max_concurrency: At most so many children.
            min_concurrency: At least so many; 0 means 1.
            worker: For programs that ask it something.
            keepalive: For so many seconds fewer must do before there are fewer.

        Raises:
            ValueError: ``keepalive`` is 0, or the bounds are no bounds.
        """
        if not keepalive > 0:
            raise ValueError(f"{KEEPALIVE_VARIABLE}={keepalive:g}: children that go at once would come again at once")
        if not 0 <= min_concurrency <= max_concurrency or max_concurrency < 1:
            raise ValueError(f"--autoscale={max_concurrency},{min_concurrency}: at most comes first, at least after it")
        self.pool, self.worker, self.keepalive = pool, worker, keepalive
        self.max_concurrency, self.min_concurrency = max_concurrency, min_concurrency
        self.mutex = threading.RLock()
        self._needed_at = pool.now()
        """When all that there are were last needed."""

    @property
    def processes(self) -> int:
        """How many there are to be now."""
        return self.pool.num_processes

    @property
    def qty(self) -> int:
        """For how many there is work."""
        return needed(self.pool.load())

    def maybe_scale(self, req: Any = None) -> None:
        """Scale, if that is needed. ``req`` is there for Celery's sake."""
        with self.mutex:
            self._maybe_scale(req)

    def _maybe_scale(self, req: Any = None) -> bool | None:  # noqa: ARG002 -- Celery's
        there, wanted = self.processes, min(max(self.qty, self.min_concurrency, 1), self.max_concurrency)
        if wanted > there:
            self.scale_up(wanted - there)
        elif wanted < there:
            self.scale_down(there - wanted)
        else:
            self._needed_at = self.pool.now()
        return wanted != there

    def scale_up(self, n: int) -> None:
        """Have ``n`` more."""
        self._needed_at = self.pool.now()
        self._grow(n)

    def scale_down(self, n: int) -> None:
        """Have ``n`` fewer, if they have not been needed for long enough."""
        if self.pool.now() - self._needed_at > self.keepalive:
            self._shrink(n)

    def update(self, max: int | None = None, min: int | None = None) -> tuple[int, int]:
        """Set other bounds, and keep them at once; return them.

        Raises:
            ValueError: they are no bounds.
        """
        with self.mutex:
            most = self.max_concurrency if max is None else max
            least = self.min_concurrency if min is None else min
            if not 0 <= least <= most or most < 1:
                raise ValueError(f"at most {most} and at least {least} children: that cannot be")
            there = self.processes
            if there > most:
                self._shrink(there - most)
            elif there < least:
                self._grow(least - there)
            self.max_concurrency, self.min_concurrency = most, least
        return most, least

    def info(self) -> dict[str, int]:
        """Say how things are, for ``inspect stats``."""
        return {"max": self.max_concurrency, "min": self.min_concurrency, "current": self.processes, "qty": self.qty}

    def _grow(self, n: int) -> None:
        log.info("autoscale: %d more, %d in all", n, self.processes + n, extra={"event": "pool-grows"})
        self.pool.grow(n)

    def _shrink(self, n: int) -> None:
        log.info("autoscale: %d fewer, %d in all", n, self.processes - n, extra={"event": "pool-shrinks"})
        self.pool.shrink(n)
