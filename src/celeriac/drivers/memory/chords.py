"""The parts of chords: by place, each member once.

In a job's life: settle -> here, until the last part is in; then the one who brought it reads them all. Plain data under the
store's lock. Does not know: clocks (it is told what time it is), what the bytes say.
"""

from __future__ import annotations

from collections.abc import Sequence

from celeriac.abc import LATE_PARTS_S
from celeriac.core.settlement import Join, Opening


class _Chord:
    def __init__(self) -> None:
        self.size: int | None = None
        self.added: set[str] = set()
        self.parts: dict[str, tuple[float, bytes]] = {}
        self.claimant: str | None = None
        self.closed = False
        self.ends: float | None = None


class Chords:
    """Chords by id."""

    def __init__(self) -> None:
        self._chords: dict[str, _Chord] = {}

    def open(self, opening: Opening, now: float) -> None:
        """Say how many parts it has. What is left of one that is over goes."""
        known = self._found(opening.chord, now)
        if known is not None and known.closed:
            del self._chords[opening.chord]
        self._touched(opening.chord, opening.ttl_s, now).size = opening.size

    def open_if_new(self, opening: Opening, now: float) -> None:
        """The same, of one that is neither open nor over."""
        known = self._found(opening.chord, now)
        if known is None or (known.size is None and not known.closed):
            self._touched(opening.chord, opening.ttl_s, now).size = opening.size

    def join(self, join: Join, claimant: str, now: float) -> bool:
        """Record parts; say whether they are the last, or were so for the same claimant before."""
        chord = self._touched(join.chord, join.ttl_s, now)
        if chord.claimant is not None or chord.closed:
            return chord.claimant == claimant and not chord.closed
        chord.added.update(join.added)
        for part in join.parts:
            place = float("inf") if part.place is None else part.place
            chord.parts.setdefault(f"{part.id}:{part.place}", (place, part.body))
        if chord.size is None or len(chord.parts) != chord.size + len(chord.added):
            return False
        chord.claimant = claimant
        return True

    def claimed(self, id: str, claimant: str, now: float) -> bool:
        """Say whether ``claimant`` was told that it has all parts."""
        chord = self._found(id, now)
        return chord is not None and chord.claimant == claimant and not chord.closed

    def parts(self, id: str, now: float) -> Sequence[bytes] | None:
        """Return its parts, by place; ``None``: it is over."""
        chord = self._found(id, now)
        if chord is not None and chord.closed:
            return None
        return [] if chord is None else [part for _, part in sorted(chord.parts.values(), key=lambda placed: placed[0])]

    def close(self, id: str, now: float) -> None:
        """Forget its parts, and remember for a while that it is over."""
        chord = self._found(id, now)
        if chord is not None:
            chord.closed, chord.ends = True, now + LATE_PARTS_S
            chord.parts.clear()
            chord.added.clear()

    def unfinished(self) -> dict[str, int]:
        """Return how many parts there are of each chord that is not over."""
        return {id: len(chord.parts) for id, chord in self._chords.items() if not chord.closed}

    def drop_expired(self, now: float) -> None:
        """Forget what nobody has spoken of for as long as it may live, and what has been over for a while."""
        for id in [id for id, chord in self._chords.items() if chord.ends is not None and chord.ends <= now]:
            del self._chords[id]

    def _found(self, id: str, now: float) -> _Chord | None:
        chord = self._chords.get(id)
        if chord is not None and chord.ends is not None and chord.ends <= now:
            del self._chords[id]
            return None
        return chord

    def _touched(self, id: str, ttl_s: float | None, now: float) -> _Chord:
        chord = self._found(id, now)
        if chord is None:
            chord = self._chords[id] = _Chord()
        if not chord.closed:
            chord.ends = None if ttl_s is None else now + ttl_s
        return chord
