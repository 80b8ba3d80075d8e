"""What is put aside: letters by the name of their task type, in the order in which they were fetched.

In a job's life: settle puts a letter here whose type is paused or throttled; resume or release puts it back to the front of
its queue. Plain data under the store's lock. Does not know: which types are paused.
"""

from __future__ import annotations

from collections.abc import Collection

from celeriac.drivers.memory.queues import Letter


class Parked:
    """Letters by task type and tag. The tag is their rank: who fetches first need not be the first to park."""

    def __init__(self) -> None:
        self._letters: dict[str, dict[int, Letter]] = {}

    def add(self, task: str, tag: int, letter: Letter) -> None:
        """Put ``letter`` aside, which was leased under ``tag``."""
        self._letters.setdefault(task, {})[tag] = letter

    def take(self, task: str, *, queues: Collection[str] | None = None, limit: int | None = None) -> list[Letter]:
        """Remove and return the oldest of a type: of all queues unless ``queues`` are named, all unless there is a ``limit``."""
        parked = self._letters.get(task, {})
        tags = sorted(tag for tag, letter in parked.items() if queues is None or letter.queue in queues)[:limit]
        taken = [parked.pop(tag) for tag in tags]
        if not parked:
            self._letters.pop(task, None)
        return taken

    def drop(self, queue: str) -> int:
        """Forget what is meant for ``queue``; return how many letters that were."""
        return sum(len(self.take(task, queues={queue})) for task in list(self._letters))

    def counts(self) -> dict[str, int]:
        """Return how many letters of each type there are."""
        return {task: len(letters) for task, letters in self._letters.items()}

    def of(self, task: str) -> list[Letter]:
        """Return what is put aside of a type, the oldest first."""
        return [letter for _, letter in sorted(self._letters.get(task, {}).items(), key=lambda item: item[0])]

    def letters(self) -> list[Letter]:
        """Return everything that is put aside."""
        return [letter for letters in self._letters.values() for letter in letters.values()]
