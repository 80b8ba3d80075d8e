"""What cannot go on: dead letters with the reason, in the order of their deaths.

In a job's life: a settlement that ends it badly -> here -> a person replays or purges it. Plain data under the store's
lock. Does not know: clocks, queues.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count, islice

from msgspec import Struct

from celeriac.abc import DeadRecord
from celeriac.core.settlement import DeadLetter
from celeriac.drivers.memory.queues import Letter


class _Grave(Struct, frozen=True):
    record: DeadRecord
    letter: Letter


class DeadLetters:
    """Dead letters by a growing number, which is their id as text."""

    def __init__(self) -> None:
        self._graves: dict[int, _Grave] = {}
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._graves)

    def add(self, letter: Letter, why: DeadLetter, at: float) -> None:
        """Keep ``letter``, which died at ``at`` (seconds since 1970)."""
        number = next(self._numbers)
        record = DeadRecord(
            id=str(number),
            at=at,
            queue=letter.queue,
            reason=why.reason,
            detail=why.detail,
            task=why.task,
            task_id=why.task_id,
            raw=letter.raw,
        )
        self._graves[number] = _Grave(record, letter)

    def page(self, *, limit: int, after: str | None) -> list[DeadRecord]:
        """Return up to ``limit`` records after the one with id ``after``, which may be gone by now."""
        last = 0 if after is None else _number(after)
        later = (grave.record for number, grave in self._graves.items() if number > last)
        return list(islice(later, limit))

    def get(self, id: str) -> DeadRecord | None:
        """Return one record, or ``None``."""
        grave = self._graves.get(_number(id))
        return grave.record if grave else None

    def take(self, ids: Iterable[str]) -> list[Letter]:
        """Remove these dead letters and return them as they were."""
        graves = [self._graves.pop(_number(id), None) for id in ids]
        return [grave.letter for grave in graves if grave is not None]

    def drop_all(self) -> int:
        """Forget all; return how many there were."""
        dropped = len(self._graves)
        self._graves.clear()
        return dropped


def _number(id: str) -> int:
    return int(id) if id.isdecimal() else 0
