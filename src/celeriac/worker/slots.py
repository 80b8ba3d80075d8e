"""What each child is doing, in memory that the supervisor can read when the child cannot answer.

In a job's life: the child writes here when a run begins and ends; the supervisor reads it to enforce limits, and to tell
a dead child's running task from its untouched ones. Plain words in an anonymous mapping, made before the first fork: writing
one costs 40 ns and no system call. Does not know: messages, processes, signals.
"""

from __future__ import annotations

import mmap

_WORDS = 16
"""8-byte words for each child; one cache line for what is written often, one for the rest."""
_STARTED, _RUNNING, _SINCE, _SOFT_AT, _HARD_AT, _ENDED, _SOFT_ASKED, _READY = range(8)


class Slots:
    """Room for ``count`` children."""

    def __init__(self, count: int) -> None:
        self._memory = mmap.mmap(-1, max(1, count) * _WORDS * 8)
        self._integers: memoryview[int] = memoryview(self._memory).cast("Q")
        self._floats: memoryview[float] = memoryview(self._memory).cast("d")

    def __getitem__(self, index: int) -> Slot:
        return Slot(self._integers, self._floats, index * _WORDS)


class Slot:
    """One child's place. Tags are those of its deliveries; times are seconds of the monotonic clock."""

    __slots__ = ("_at", "_floats", "_integers")

    def __init__(self, integers: memoryview[int], floats: memoryview[float], at: int) -> None:
        self._integers, self._floats, self._at = integers, floats, at

    def clear(self) -> None:
        """Before another child takes the place."""
        for word in range(_WORDS):
            self._integers[self._at + word] = 0

    def begin(self, tag: int, now: float, soft_s: float | None, hard_s: float | None) -> None:
        """A run begins. The tag comes last, so that a reader who sees it sees its limits."""
        integers, floats, at = self._integers, self._floats, self._at
        floats[at + _SINCE] = now
        floats[at + _SOFT_AT] = now + soft_s if soft_s else 0.0
        floats[at + _HARD_AT] = now + hard_s if hard_s else 0.0
        if tag > integers[at + _STARTED]:
            integers[at + _STARTED] = tag
        integers[at + _RUNNING] = tag

    def end(self) -> None:
        """The run has ended."""
        self._integers[self._at + _RUNNING] = 0
        self._integers[self._at + _ENDED] += 1

    def ready(self) -> None:
        """The child has started and will fetch."""
        self._integers[self._at + _READY] = 1

    @property
    def is_ready(self) -> bool:
        """Whether the child has come so far."""
        return bool(self._integers[self._at + _READY])

    @property
    def started(self) -> int:
        """The largest tag that has begun; deliveries begin in the order of their tags. 0: none has."""
        return int(self._integers[self._at + _STARTED])

    @property
    def running(self) -> int:
        """The tag of the running delivery, 0 if none. In children of several slots: the one that began last."""
        return int(self._integers[self._at + _RUNNING])

    @property
    def since(self) -> float:
        """When the running one began."""
        return float(self._floats[self._at + _SINCE])

    @property
    def soft_at(self) -> float:
        """When its soft limit ends; 0: none."""
        return float(self._floats[self._at + _SOFT_AT])

    @property
    def hard_at(self) -> float:
        """When its hard limit ends; 0: none."""
        return float(self._floats[self._at + _HARD_AT])

    @property
    def ended(self) -> int:
        """How many runs have ended in this child."""
        return int(self._integers[self._at + _ENDED])

    def ask_soft(self, tag: int) -> None:
        """The supervisor is about to send the signal of the soft limit for this delivery, and no other."""
        self._integers[self._at + _SOFT_ASKED] = tag

    @property
    def soft_asked(self) -> int:
        """For which delivery that signal is meant."""
        return int(self._integers[self._at + _SOFT_ASKED])
