"""A node's children as its autoscaler sees them, and the rounds in which it is asked.

In a node's life: in the keeper's thread, after each sign of life, where ``--autoscale`` was given. Does not know: how many are
needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from celeriac.abc import Broker, Runtime
from celeriac.app.app import Celery
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.autoscale import Autoscaler, Load
from celeriac.worker.node import Node

ROUND_S: Final = 1.0
OURS: Final = "celery.worker.autoscale:Autoscaler"
"""The default of ``worker_autoscaler``: Celery's name for it."""


class ScaledPool:
    """The children of one node."""

    def __init__(self, node: Node, broker: Broker, runtime: Runtime) -> None:
        self._node, self._broker, self._runtime = node, broker, runtime
        self._load = Load()
        self._ended, self._looked_at = 0, runtime.monotonic()

    @property
    def num_processes(self) -> int:
        """How many there are to be."""
        return self._node.count

    def load(self) -> Load:
        """What there was to do when it was last looked at."""
        return self._load

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return self._runtime.monotonic()

    def grow(self, n: int = 1) -> None:
        """Have ``n`` more."""
        self._node.resize(min(self._node.count + n, self._node.most))

    def shrink(self, n: int = 1) -> None:
        """Have ``n`` fewer, and one at least."""
        self._node.resize(max(1, self._node.count - n))

    def scale(self) -> None:
        """Have the autoscaler decide, if the node has one; about once a second.

        Raises:
            OperationalError: the store did not answer.
        """
        scaler = self._node.autoscaler
        if scaler is not None and self._look():
            scaler.maybe_scale()

    def _look(self) -> bool:
        """Ask the store what waits; return whether it was asked.

        Raises:
            OperationalError: it did not answer.
        """
        now = self.now()
        passed_s = now - self._looked_at
        if passed_s < ROUND_S:
            return False
        ended = self._node.ended
        # The counts of children that have gone are gone with them.
        pace = max(0, ended - self._ended) / passed_s
        self._load = Load(busy=len(self._node.running()), waiting=sum(self._broker.depth(self._node.queues)), pace=pace)
        self._ended, self._looked_at = ended, now
        return True


def autoscaler_class(app: Celery) -> Any:
    """Return the class that ``worker_autoscaler`` names.

    Raises:
        ImproperlyConfigured: there is no such class.
    """
    named = app.conf.settings().worker.autoscaler
    if not isinstance(named, str):
        return named
    if named.replace(":", ".") == OURS.replace(":", "."):
        return Autoscaler
    module, _, name = named.replace(":", ".").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ImproperlyConfigured(f"worker_autoscaler {named!r}: there is no such class: {error}") from error
