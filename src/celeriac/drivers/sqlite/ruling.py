"""What operators have said, read and written: each call one transaction.

Beside a job's life. A part of ``SqliteStore``; the statements are in ``rules.py`` and ``parking.py``. Does not know: queues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from celeriac.abc import Runtime
from celeriac.core.rules import Remembered, Rules
from celeriac.drivers.sqlite import parking, rules
from celeriac.drivers.sqlite.connection import Connections


class SqliteRules:
    """The rules in one file."""

    _connections: Connections
    _runtime: Runtime
    remembered = Remembered()
    """How much of what was revoked."""

    def rules(self) -> Rules:
        """See ``Broker.rules``."""
        with self._connections.reading() as db:
            return rules.current(db, self._runtime.time())

    def revoke(self, ids: Sequence[str], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke``."""
        with self._connections.writing() as db:
            now = self._runtime.time()
            rules.revoke(db, ids, until=self._until(now, ttl_s), now=now, at_most=self.remembered.at_most)

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke_stamps``."""
        with self._connections.writing() as db:
            now = self._runtime.time()
            rules.revoke_stamps(db, stamps, until=self._until(now, ttl_s), now=now, at_most=self.remembered.at_most)

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.pause``."""
        with self._connections.writing() as db:
            rules.pause(db, "queue", queues)
            rules.pause(db, "task", tasks)

    def parked(self) -> Mapping[str, int]:
        """See ``Broker.parked``."""
        with self._connections.reading() as db:
            return parking.counts(db)

    def _until(self, now: float, ttl_s: float | None) -> float:
        return now + (self.remembered.for_s if ttl_s is None else ttl_s)
