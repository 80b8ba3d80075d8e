"""Results in Celery's keys: stored and announced, read, awaited.

In a job's life: settle stores a result inside its script; this is every other way to a result. Does not know: what a meta means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from celeriac.abc import Runtime
from celeriac.core.settlement import StoredResult
from celeriac.core.states import READY_STATES
from celeriac.drivers.redis.connection import Connections, Script
from celeriac.drivers.redis.keys import Keys
from celeriac.drivers.redis.listener import Listener

READ_AT_ONCE = 1000


class Results:
    """The result backend of one database."""

    def __init__(self, connections: Connections, *, keys: Keys, runtime: Runtime) -> None:
        self._connections, self._keys = connections, keys
        self._store = Script("store")
        self._listener = Listener(connections, channel=keys.result, runtime=runtime)

    def store(self, results: Sequence[StoredResult]) -> None:
        """Store and announce each; a success that is there already stays, and any end unless another end comes."""
        arguments: list[object] = []
        for result in results:
            life = 0 if result.ttl_s is None else max(1, round(result.ttl_s * 1000))
            arguments += (self._keys.result(result.id), result.body, life, int(result.state in READY_STATES))
        if arguments:
            self._connections.run(self._store, arguments)

    def load(self, ids: Sequence[str]) -> list[bytes | None]:
        """Read many at a time."""
        bodies: list[bytes | None] = []
        for first in range(0, len(ids), READ_AT_ONCE):
            bodies += self._connections.call("MGET", *map(self._keys.result, ids[first : first + READ_AT_ONCE]))
        return bodies

    def forget(self, ids: Sequence[str]) -> None:
        """Delete many at a time."""
        for first in range(0, len(ids), READ_AT_ONCE):
            self._connections.call("DEL", *map(self._keys.result, ids[first : first + READ_AT_ONCE]))

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        """Announce these ids from now on."""
        self._listener.watch(ids, notify)

    def unwatch(self, ids: Sequence[str]) -> None:
        """Announce these ids no longer."""
        self._listener.unwatch(ids)

    def close(self) -> None:
        """Close the connections and end the listening thread."""
        self._listener.close()
        self._connections.close()

    def abandon(self) -> None:
        """After a fork."""
        self._listener.abandon()
        self._connections.abandon()
