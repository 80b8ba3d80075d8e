"""Who sends the signals of a worker: the worker and its consumer, as hooks of users see them.

In a node's life: made by the ``worker`` command, inherited by the children. Names of attributes are Celery's; there is no engine
behind them. Does not know: signals.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from celeriac.app.app import Celery
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import Plan, node_name


class Worker:
    """One node. Sender of ``worker_init`` and ``worker_shutdown``, ``instance`` of the two signals about set-up."""

    def __init__(
        self,
        app: Celery,
        options: WorkerOptions | None = None,
        *,
        loglevel: int | None = None,
        logfile: str | None = None,
        user_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.app = app
        self.options = options or WorkerOptions()
        """What the command line asked for."""
        self.user_options = user_options or {}
        """What options were given that the program has added to the command."""
        self.hostname = node_name(self.options.hostname)
        """Name of the node."""
        self.loglevel, self.logfile = loglevel, logfile
        self.concurrency: int | None = self.options.concurrency
        """Tasks at a time; what was asked for, until the node is planned."""
        self.pool: str | None = self.options.pool
        """The same, of ``-P``."""
        self.queues: Sequence[str] = tuple(self.options.queues or ())
        """Queues that it serves; the same."""
        self.consumer = Consumer(self)

    @property
    def pid(self) -> int:
        """The process that asks."""
        return os.getpid()

    def is_planned(self, plan: Plan) -> None:
        """Take note of what it will be."""
        self.hostname, self.concurrency, self.pool, self.queues = plan.hostname, plan.concurrency, plan.pool, tuple(plan.queues)

    def __repr__(self) -> str:
        return f"<Worker: {self.hostname}>"


class Consumer:
    """What fetches messages: sender of ``worker_ready`` in the node, of signals about messages in its children."""

    def __init__(self, controller: Worker) -> None:
        self.controller = controller
        """The worker that it belongs to."""

    @property
    def app(self) -> Celery:
        """The app."""
        return self.controller.app

    @property
    def hostname(self) -> str:
        """Name of the node."""
        return self.controller.hostname

    @property
    def pid(self) -> int:
        """The process that asks."""
        return os.getpid()

    def __repr__(self) -> str:
        return f"<Consumer: {self.hostname}>"
