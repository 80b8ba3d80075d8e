"""What operators have said to the memory store, and what is put aside because of it.

Beside a job's life. A third of ``MemoryStore``, under the same lock. Does not know: queues, leases.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from celeriac.abc import Runtime
from celeriac.core.rules import Remembered, Rules
from celeriac.drivers.memory.parked import Parked
from celeriac.drivers.memory.rules import RuleBook


class MemoryRules:
    """The rules of a store, and its parked messages, in the memory of one process."""

    def __init__(self, *, runtime: Runtime, lock: threading.RLock) -> None:
        self._runtime, self._lock = runtime, lock
        self._parked = Parked()
        self._rules = RuleBook()
        self.remembered = Remembered()
        """How much of what was revoked."""

    def rules(self) -> Rules:
        """See ``Broker.rules``."""
        with self._lock:
            return self._rules.current(self._runtime.monotonic())

    def revoke(self, ids: Sequence[str], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke``."""
        with self._lock:
            self._rules.revoke(ids, until=self._until(ttl_s), at_most=self.remembered.at_most)

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke_stamps``."""
        with self._lock:
            self._rules.revoke_stamps(stamps, until=self._until(ttl_s), at_most=self.remembered.at_most)

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.pause``."""
        with self._lock:
            self._rules.pause(queues, tasks)

    def parked(self) -> Mapping[str, int]:
        """See ``Broker.parked``."""
        with self._lock:
            return self._parked.counts()

    def _until(self, ttl_s: float | None) -> float:
        return self._runtime.monotonic() + (self.remembered.for_s if ttl_s is None else ttl_s)
