"""Carry out Settlements, many in one call, and never lose one.

In a job's life: settlement -> here -> Broker.settle. Any thread may add; one at a time flushes. A Settlement that the
store did not acknowledge stays, and is made again: the store refuses what it has already done.
Does not know: how a Settlement is decided, when it is time to flush.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from celeriac.abc import Broker, Lessee
from celeriac.core.errors import StoreRefused
from celeriac.core.settlement import DeadLetter, Settled, Settlement

log = logging.getLogger("celeriac.worker")

AT_ONCE = 500
Step = Callable[[], Settlement]


class Settler:
    """The settlements of one lessee that the store has not acknowledged yet."""

    def __init__(self, broker: Broker, lessee: Lessee) -> None:
        self._broker, self._lessee = broker, lessee
        self._pending: deque[Settlement] = deque()
        self._next: dict[int, Step] = {}
        """Of pending members of chords, by tag: what is to be done if it was the last."""
        self._joined: deque[Step] = deque()
        self._one_at_a_time = threading.Lock()

    def add(self, settlement: Settlement, then: Step | None = None) -> None:
        """Take one in; it is carried out with the next flush.

        ``then`` returns how its delivery is settled once more, if its part was the last of a chord.
        """
        if then is not None:
            self._next[settlement.tag] = then
        self._pending.append(settlement)

    def __len__(self) -> int:
        return len(self._pending) + len(self._joined)

    def flush(self) -> None:
        """Carry out everything that is pending; when it returns, nothing is under way either.

        Raises:
            BrokerUnreachable: nothing is lost; what is pending stays so.
            StoreRefused: the store takes not even a dead letter; nothing is lost either.
        """
        # Always behind whoever flushes already: who returns from here may end the process.
        with self._one_at_a_time:
            while batch := self._take_next():
                try:
                    answers = self._broker.settle(batch, lessee=self._lessee)
                except StoreRefused:
                    self._pending.extendleft(reversed(batch))
                    self._flush_singly(len(batch))
                    continue
                except BaseException:
                    self._pending.extendleft(reversed(batch))
                    raise
                self._heard(batch, answers)

    def _take_next(self) -> list[Settlement]:
        while self._joined:
            # It is forgotten when its next step is known: to find that out the store is asked, which may not answer.
            self._pending.append(self._joined[0]())
            self._joined.popleft()
        return self._take()

    def _take(self) -> list[Settlement]:
        batch: list[Settlement] = []
        while len(batch) < AT_ONCE:
            try:
                batch.append(self._pending.popleft())
            except IndexError:
                break
        return batch

    def _flush_singly(self, count: int) -> None:
        """One that the store refuses must not keep the others from their end: it becomes a dead letter."""
        for _ in range(count):
            settlement = self._pending[0]  # it stays there until the store has taken it, one way or the other
            try:
                answers = self._broker.settle([settlement], lessee=self._lessee)
            except StoreRefused as error:
                fate = DeadLetter(reason="unsettled", detail=str(error))
                answers = self._broker.settle([Settlement(tag=settlement.tag, fate=fate)], lessee=self._lessee)
                log.error("a settlement was refused, its message goes to the dead letters: %s", error)
            self._pending.popleft()
            self._heard([settlement], answers)

    def _heard(self, settlements: Sequence[Settlement], answers: Sequence[Settled]) -> None:
        for settlement, answer in zip(settlements, answers, strict=True):
            then = self._next.pop(settlement.tag, None) if settlement.join is not None else None
            if answer is Settled.JOINED and then is not None:
                self._joined.append(then)
            elif answer is Settled.LEASE_LOST:
                id = settlement.result.id if settlement.result is not None else f"delivery {settlement.tag}"
                log.warning(
                    "the result of %s came too late: its lease had passed to another worker",
                    id,
                    extra={"event": "lease-lost", "task_id": id},
                )
