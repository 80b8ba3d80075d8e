"""What is taken: for each lessee the letters it holds, by tag.

In a job's life: fetch puts a letter here, settle or adopt takes it out. The tag is the fencing token: whoever names a tag
that is not among his own has lost that delivery. Plain data under the store's lock. Does not know: who is alive.
"""

from __future__ import annotations

from itertools import count
from operator import itemgetter

from celeriac.abc import Lessee
from celeriac.drivers.memory.queues import Letter


class Holdings:
    """Letters by lessee and tag. One counter serves all lessees, so that tags grow for each of them."""

    def __init__(self) -> None:
        self._held: dict[Lessee, dict[int, Letter]] = {}
        self._tags = count(1)

    def hold(self, lessee: Lessee, letter: Letter) -> int:
        """Note that ``lessee`` has ``letter``; return its tag."""
        tag = next(self._tags)
        self._held.setdefault(lessee, {})[tag] = letter
        return tag

    def hold_under(self, lessee: Lessee, tag: int, letter: Letter) -> None:
        """Note that ``lessee`` has ``letter`` now under a tag that it had before."""
        self._held.setdefault(lessee, {})[tag] = letter

    def release(self, lessee: Lessee, tag: int) -> Letter | None:
        """Take the letter under ``tag`` away from ``lessee``; ``None``: it does not hold it."""
        held = self._held.get(lessee, {})
        letter = held.pop(tag, None)
        if not held:
            self._held.pop(lessee, None)
        return letter

    def move(self, lost: Lessee, heir: Lessee, limit: int) -> None:
        """Give up to ``limit`` letters of ``lost``, the oldest first, to ``heir``. They keep their tags."""
        for tag, _ in self.of(lost)[:limit]:
            letter = self.release(lost, tag)
            assert letter is not None
            self._held.setdefault(heir, {})[tag] = letter

    def of(self, lessee: Lessee) -> list[tuple[int, Letter]]:
        """Return what ``lessee`` holds, by tag, the oldest first."""
        return sorted(self._held.get(lessee, {}).items(), key=itemgetter(0))

    def lessees(self) -> list[Lessee]:
        """Return those who hold something."""
        return list(self._held)
