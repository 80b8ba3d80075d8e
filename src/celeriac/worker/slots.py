"""What each child is doing, in memory that the supervisor can read when the child cannot answer.

In a job's life: the child writes here when a run begins and ends; the supervisor reads it to enforce limits, to name what runs,
and to tell a dead child's running tasks from its untouched ones. Plain words in one mapping, made before the first child: no
system call, no lock. A child has one Slot, and in it one Seat for each task that it can run at a time: an inline lane has one,
the others one for each thread, coroutine or greenlet. Does not know: messages, processes, signals.
"""

from __future__ import annotations

import mmap
from hashlib import sha256
from struct import Struct as Layout

from msgspec import Struct

_WORD = 8
_HEAD = 8
"""Words of a slot before its seats: one cache line."""
_STARTED, _READY, _LEAVING = range(3)
_SEAT = 16
"""Words of a seat: two cache lines."""
_TAG, _SINCE, _SOFT_AT, _HARD_AT, _ID = range(5)
_SOFT_ASKED, _END_ASKED, _SIGNUM, _ENDED = range(12, 16)
ID_BYTES = 64
"""Of the id of a run; a longer one is told by its digest."""
_RUN = Layout(f"=3d{ID_BYTES}s")
"""What is written of a run at once, behind its tag: since, soft limit, hard limit, id."""
_pack = _RUN.pack_into

NO_SIGNAL = 1 << 16
"""What ends a run whose hard limit is over: no signal has this number."""


class Seen(Struct, frozen=True):
    """One run, as it was when somebody looked. Times are seconds of the monotonic clock."""

    tag: int
    """Of its delivery."""
    id: str
    """Of its task, or ``mark_of`` that if it is long."""
    since: float
    """When it began."""
    soft_at: float
    """When its soft limit ends; 0: it has none."""
    hard_at: float
    """When its hard limit ends; 0: it has none."""


def mark_of(id: str) -> str:
    """Return how a seat names a task: by its id, or by the SHA-256 of one that is longer than 64 bytes."""
    data = id.encode("utf-8", "surrogatepass")
    return id if len(data) <= ID_BYTES else sha256(data).hexdigest()


def rooms_for(children: int, seats: int) -> int:
    """Return how many slots a node takes that begins with so many children: it may get more, and some stay while others come."""
    return max(4 * children, 64 if seats > 1 else 1024)


class Slots:
    """Room for ``count`` children of ``seats`` seats each."""

    def __init__(self, count: int, seats: int = 1, *, memory: mmap.mmap | None = None) -> None:
        """Lay them out in ``memory``, of at least ``size_of`` bytes; ``None``: in some that forked children share."""
        self._count, self._seats = max(1, count), max(1, seats)
        self._memory = memory or mmap.mmap(-1, self.size_of(count, seats))
        self._integers: memoryview[int] = memoryview(self._memory).cast("Q")
        self._floats: memoryview[float] = memoryview(self._memory).cast("d")

    @staticmethod
    def size_of(count: int, seats: int) -> int:
        """Return how many bytes they take; pages that nobody has touched cost nothing."""
        return max(1, count) * (_HEAD + max(1, seats) * _SEAT) * _WORD

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Slot:
        if not 0 <= index < self._count:
            raise IndexError(f"there are {self._count} slots, counted from 0; {index} is none of them")
        return Slot(self._memory, self._integers, self._floats, index * (_HEAD + self._seats * _SEAT), self._seats)


class Slot:
    """One child's place."""

    __slots__ = (
        "_at", "_end_asks", "_ends", "_floats", "_hards", "_integers", "_memory", "_soft_asks", "_softs", "_tags", "seats",
    )  # fmt: skip

    def __init__(self, memory: mmap.mmap, integers: memoryview[int], floats: memoryview[float], at: int, seats: int) -> None:
        self._memory, self._integers, self._floats, self._at = memory, integers, floats, at
        self.seats = seats
        """How many tasks the child can run at a time."""
        # The same word of each seat: read together, thousands of seats cost the supervisor little.
        first, after = at + _HEAD, at + _HEAD + seats * _SEAT
        self._tags, self._ends = integers[first + _TAG : after : _SEAT], integers[first + _ENDED : after : _SEAT]
        self._softs, self._hards = floats[first + _SOFT_AT : after : _SEAT], floats[first + _HARD_AT : after : _SEAT]
        self._soft_asks, self._end_asks = (
            integers[first + _SOFT_ASKED : after : _SEAT],
            integers[first + _END_ASKED : after : _SEAT],
        )

    def seat(self, number: int) -> Seat:
        """Return one of its seats, counted from 0."""
        if not 0 <= number < self.seats:
            raise IndexError(f"there are {self.seats} seats, counted from 0; {number} is none of them")
        return Seat(self._memory, self._integers, self._floats, self._at, self._at + _HEAD + number * _SEAT)

    def clear(self) -> None:
        """Before another child takes the place."""
        words = _HEAD + self.seats * _SEAT
        self._memory[self._at * _WORD : (self._at + words) * _WORD] = bytes(words * _WORD)

    def ready(self) -> None:
        """The child has started and will fetch."""
        self._integers[self._at + _READY] = 1

    @property
    def is_ready(self) -> bool:
        """Whether the child has come so far."""
        return bool(self._integers[self._at + _READY])

    def leave(self) -> None:
        """The child has heard that it is to finish, and fetches nothing more."""
        self._integers[self._at + _LEAVING] = 1

    @property
    def is_leaving(self) -> bool:
        """Whether it has heard that. One whose interpreter is held by a call that does not come back hears nothing."""
        return bool(self._integers[self._at + _LEAVING])

    @property
    def started(self) -> int:
        """The largest tag that has begun; deliveries begin in the order of their tags. 0: none has."""
        return int(self._integers[self._at + _STARTED])

    @property
    def ended(self) -> int:
        """How many runs have ended in this child."""
        return sum(self._ends.tolist())

    @property
    def running(self) -> tuple[int, ...]:
        """The tags of what runs."""
        return tuple(filter(None, self._tags.tolist()))

    @property
    def knows_limits(self) -> bool:
        """Whether a run with a hard limit has begun in any of its seats, as far as one remembers."""
        return any(self._hards.tolist())

    def taken(self) -> list[Seat]:
        """Return the seats where something runs."""
        return [self.seat(number) for number, tag in enumerate(self._tags.tolist()) if tag]

    def asked(self) -> list[Seat]:
        """Return the seats with a run of which something is asked."""
        words = zip(self._tags.tolist(), self._soft_asks.tolist(), self._end_asks.tolist(), strict=True)
        return [self.seat(number) for number, (tag, soft, end) in enumerate(words) if tag and tag in (soft, end)]

    def late(self, now: float) -> list[Seat]:
        """Return the seats with a run whose soft or hard limit has ended at ``now``."""
        times = zip(self._tags.tolist(), self._softs.tolist(), self._hards.tolist(), strict=True)
        late = [number for number, (tag, soft, hard) in enumerate(times) if tag and (0 < soft <= now or 0 < hard <= now)]
        return [self.seat(number) for number in late]


class Seat:
    """Where one task at a time runs. Whoever runs it writes ``begin`` and ``end``, the supervisor what it asks."""

    __slots__ = ("_at", "_floats", "_integers", "_memory", "_run_at", "_started_at")

    def __init__(self, memory: mmap.mmap, integers: memoryview[int], floats: memoryview[float], child_at: int, at: int) -> None:
        self._memory, self._integers, self._floats, self._started_at, self._at = memory, integers, floats, child_at + _STARTED, at
        self._run_at = (at + _SINCE) * _WORD

    def begin(self, tag: int, id: str, now: float, soft_s: float | None, hard_s: float | None) -> None:
        """A run begins. Of one child only one thread calls this, in the order of the tags, also for the seats of others.

        Args:
            tag: Of its delivery; not 0.
            id: Of its task.
            now: Seconds of the monotonic clock.
            soft_s, hard_s: Its limits, seconds. ``None`` or 0: it has none.
        """
        try:
            data = id.encode()  # without a word on errors: the shorter way
        except UnicodeEncodeError:
            data = id.encode("utf-8", "surrogatepass")
        if len(data) > ID_BYTES:
            data = mark_of(id).encode()
        _pack(self._memory, self._run_at, now, now + soft_s if soft_s else 0.0, now + hard_s if hard_s else 0.0, data)
        integers = self._integers
        if tag > integers[self._started_at]:
            integers[self._started_at] = tag
        # Last, so that a reader who sees the tag sees what belongs to it.
        integers[self._at] = tag

    def end(self) -> None:
        """The run has ended."""
        self._integers[self._at] = 0
        self._integers[self._at + _ENDED] += 1

    def look(self) -> Seen | None:
        """Return what runs here, whole; ``None``: nothing, or it ended while we looked."""
        tag = self.tag
        if tag == 0:
            return None
        since, soft_at, hard_at, id = _RUN.unpack_from(self._memory, self._run_at)
        if self.tag != tag:
            return None
        return Seen(tag, id.rstrip(b"\0").decode("utf-8", "surrogatepass"), since, soft_at, hard_at)

    @property
    def tag(self) -> int:
        """The tag of what runs here; 0: nothing does."""
        return int(self._integers[self._at + _TAG])

    @property
    def id(self) -> str:
        """The id of what runs, or ran last, here; of a long one ``mark_of`` it."""
        at = (self._at + _ID) * _WORD
        return self._memory[at : at + ID_BYTES].rstrip(b"\0").decode("utf-8", "surrogatepass")

    @property
    def since(self) -> float:
        """When it began: seconds of the monotonic clock."""
        return float(self._floats[self._at + _SINCE])

    @property
    def soft_at(self) -> float:
        """When its soft limit ends; 0: it has none."""
        return float(self._floats[self._at + _SOFT_AT])

    @property
    def hard_at(self) -> float:
        """When its hard limit ends; 0: it has none."""
        return float(self._floats[self._at + _HARD_AT])

    def ask_soft(self, tag: int) -> None:
        """The supervisor wants this run to hear that its soft limit is over; a signal follows."""
        self._integers[self._at + _SOFT_ASKED] = tag

    @property
    def soft_asked(self) -> int:
        """The tag of the run that is to hear it, and no other; 0: none."""
        return int(self._integers[self._at + _SOFT_ASKED])

    def ask_end(self, tag: int, signum: int) -> None:
        """The supervisor wants this run to be ended from inside, as an operator has it terminated; a signal follows.

        Args:
            tag: The run that is meant.
            signum: The number of the signal that the operator named. ``NO_SIGNAL``: its hard limit is over.
        """
        self._integers[self._at + _SIGNUM] = signum
        self._integers[self._at + _END_ASKED] = tag

    @property
    def end_asked(self) -> int:
        """The tag of the run that is to be ended, and no other; 0: none."""
        return int(self._integers[self._at + _END_ASKED])

    @property
    def end_signum(self) -> int:
        """The number of the signal with which it is to be ended."""
        return int(self._integers[self._at + _SIGNUM])
