"""Chords in Celery's keys: opened, read, and joined for a broker elsewhere.

In a job's life: settle joins inside its script (``chords.lua``); this is everything else. Does not know: what a part means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from celeriac.core.settlement import Join, Opening
from celeriac.drivers.redis.connection import Connections, Script
from celeriac.drivers.redis.keys import Keys

_OVER: Final = b"done"
"""In the place of who has joined it."""
_BATCH: Final = 1000
"""Chords that are opened in one round trip."""


class Chords:
    """The chords of one database."""

    def __init__(self, connections: Connections, *, keys: Keys) -> None:
        self._connections, self._keys = connections, keys
        self._open = Script("open", after=("chords",))
        self._join, self._close = Script("join", after=("chords",)), Script("close", after=("chords",))

    def open(self, openings: Sequence[Opening]) -> None:
        """Say how many parts each has. What is left of a chord of the same id that is over goes."""
        for first in range(0, len(openings), _BATCH):
            self._connections.pipeline(
                [command for opening in openings[first : first + _BATCH] for command in self._opening(opening)]
            )

    def _opening(self, opening: Opening) -> Sequence[tuple[Any, ...]]:
        key = self._keys.group(opening.chord)
        life = () if opening.ttl_s is None else ("PX", life_ms(opening.ttl_s))
        return ("DEL", f"{key}.c"), ("SET", f"{key}.s", opening.size, *life)

    def open_if_new(self, opening: Opening) -> None:
        """Say how many parts it has, unless it is open or over."""
        self._connections.run(self._open, opening_arguments(opening, self._keys))

    def parts(self, chord: str) -> Sequence[bytes] | None:
        """Return its parts, by place; ``None``: it is over."""
        key = self._keys.group(chord)
        parts: list[bytes]
        claim, parts = self._connections.pipeline((("GET", f"{key}.c"), ("ZRANGE", f"{key}.j", 0, -1)))
        return None if claim == _OVER else parts

    def join(self, join: Join, claimant: str) -> bool:
        """Record parts; say whether they are the last, or were so for the same claimant before."""
        return bool(self._connections.run(self._join, join_arguments(join, self._keys, claimant)))

    def close(self, chord: str) -> None:
        """Forget its parts."""
        self._connections.run(self._close, [self._keys.group(chord)])


def opening_arguments(opening: Opening, keys: Keys) -> list[Any]:
    """Return what the function ``open_if_new`` of ``chords.lua`` is told."""
    return [keys.group(opening.chord), opening.size, 0 if opening.ttl_s is None else life_ms(opening.ttl_s)]


def join_arguments(join: Join, keys: Keys, claimant: str) -> list[Any]:
    """Return what the function ``join`` of ``chords.lua`` is told."""
    life, said = 0 if join.ttl_s is None else life_ms(join.ttl_s), len(join.added) + len(join.parts)
    arguments: list[Any] = [keys.group(join.chord), claimant, life, said]
    for id in join.added:
        arguments += (f"+{id}", "", "")
    for part in join.parts:
        arguments += (f"{part.id}:{part.place}", "+inf" if part.place is None else part.place, part.body)
    return arguments


def life_ms(ttl_s: float) -> int:
    """Return a life in milliseconds; at least one."""
    return max(1, round(ttl_s * 1000))
