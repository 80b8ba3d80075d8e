"""The results of the memory store: what is known about tasks, and the parts of chords.

In a job's life: settle -> ``Results`` and ``Chords`` -> here, whoever asks or watches. One half of ``MemoryStore``,
under the same lock. Does not know: queues, leases.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from celeriac.abc import Runtime
from celeriac.core.settlement import Join, Opening, StoredResult
from celeriac.drivers.memory.chords import Chords
from celeriac.drivers.memory.results import Announcement, Results, announce


class MemoryBackend:
    """A ResultBackend that joins chords, in the memory of one process."""

    def __init__(self, *, runtime: Runtime, lock: threading.RLock) -> None:
        self._runtime, self._lock = runtime, lock
        self._results = Results()
        self._chords = Chords()

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """See ``ResultBackend.store_results``."""
        announcements: list[Announcement] = []
        with self._lock:
            for result in results:
                announcements += self._results.store(result, self._runtime.monotonic(), fenced=False)
        announce(announcements)

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        """See ``ResultBackend.load``."""
        with self._lock:
            return self._results.load(ids, self._runtime.monotonic())

    def forget(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.forget``."""
        with self._lock:
            self._results.forget(ids)

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        """See ``ResultBackend.watch``. ``notify`` is called in the thread that stores the state."""
        with self._lock:
            self._results.watch(ids, notify)

    def unwatch(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.unwatch``."""
        with self._lock:
            self._results.unwatch(ids)

    # --- chords ---------------------------------------------------------------------------------------------------

    def open_chords(self, openings: Sequence[Opening]) -> None:
        """See ``Chords.open_chords``."""
        with self._lock:
            for opening in openings:
                self._chords.open(opening, self._runtime.monotonic())

    def parts(self, chord: str) -> Sequence[bytes] | None:
        """See ``Chords.parts``."""
        with self._lock:
            return self._chords.parts(chord, self._runtime.monotonic())

    def join(self, join: Join, *, claimant: str) -> bool:
        """See ``JoiningBackend.join``: for a broker elsewhere."""
        with self._lock:
            return self._chords.join(join, claimant, self._runtime.monotonic())

    def open_if_new(self, opening: Opening) -> None:
        """See ``JoiningBackend.open_if_new``."""
        with self._lock:
            self._chords.open_if_new(opening, self._runtime.monotonic())

    def close_chord(self, chord: str) -> None:
        """See ``JoiningBackend.close_chord``."""
        with self._lock:
            self._chords.close(chord, self._runtime.monotonic())
