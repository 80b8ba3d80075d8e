"""The results of the Redis store: what is known about tasks, and the parts of chords, where results are kept.

In a job's life: settle -> the server -> here, whoever asks or watches. One half of ``RedisStore``; its parts are in
``results.py`` and ``chords.py``. Does not know: queues, leases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from celeriac.abc import Runtime
from celeriac.core.settlement import Join, Opening, StoredResult
from celeriac.drivers.redis.chords import Chords
from celeriac.drivers.redis.connection import Connections
from celeriac.drivers.redis.keys import Keys
from celeriac.drivers.redis.results import Results


class RedisBackend:
    """A ResultBackend that joins chords, on one Redis server."""

    def __init__(self, connections: Connections, *, keys: Keys, runtime: Runtime) -> None:
        self._results = Results(connections, keys=keys, runtime=runtime)
        self._chords = Chords(connections, keys=keys)

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """See ``abc.ResultBackend.store_results``."""
        self._results.store(results)

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        """See ``abc.ResultBackend.load``."""
        return self._results.load(ids)

    def forget(self, ids: Sequence[str]) -> None:
        """See ``abc.ResultBackend.forget``."""
        self._results.forget(ids)

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        """See ``abc.ResultBackend.watch``."""
        self._results.watch(ids, notify)

    def unwatch(self, ids: Sequence[str]) -> None:
        """See ``abc.ResultBackend.unwatch``."""
        self._results.unwatch(ids)

    # Chords.

    def open_chords(self, openings: Sequence[Opening]) -> None:
        """See ``abc.Chords.open_chords``."""
        self._chords.open(openings)

    def parts(self, chord: str) -> Sequence[bytes] | None:
        """See ``abc.Chords.parts``."""
        return self._chords.parts(chord)

    def join(self, join: Join, *, claimant: str) -> bool:
        """See ``abc.JoiningBackend.join``: for a broker elsewhere."""
        return self._chords.join(join, claimant)

    def open_if_new(self, opening: Opening) -> None:
        """See ``abc.JoiningBackend.open_if_new``."""
        self._chords.open_if_new(opening)

    def close_chord(self, chord: str) -> None:
        """See ``abc.JoiningBackend.close_chord``."""
        self._chords.close(chord)
