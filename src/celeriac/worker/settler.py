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
from typing import Final, NamedTuple

from celeriac.abc import Broker, Lessee
from celeriac.core.errors import StoreRefused
from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.settlement import DeadLetter, Settled, Settlement

log = logging.getLogger("celeriac.worker")

AT_ONCE = 500
_JOINED_AT_ONCE: Final = 10
"""Bodies of chords that are called in one call: each is called with what all its members have returned."""


class Due(NamedTuple):
    """A settlement that the store has not acknowledged, and of which message it is."""

    settlement: Settlement
    delivery: Delivery | None = None
    """``None``: it goes back, and nobody hears of it."""
    message: Message | None = None
    """``None``: it could not be understood."""


class Settler:
    """The settlements of one lessee that the store has not acknowledged yet."""

    def __init__(
        self,
        broker: Broker,
        lessee: Lessee,
        *,
        when_joined: Callable[[Delivery, Message], Settlement],
        when_refused: Callable[[Delivery, Rejected, Message | None], Settlement],
    ) -> None:
        """Settle for ``lessee``.

        Args:
            broker: Carries them out.
            lessee: Holds the deliveries.
            when_joined: Returns how a delivery is settled once more whose part was the last of its chord.
            when_refused: Returns how a delivery is settled instead, if the store cannot carry out what was decided.
        """
        self._broker, self._lessee, self._when_joined, self._when_refused = broker, lessee, when_joined, when_refused
        self._pending: deque[Due] = deque()
        self._joined: deque[Due] = deque()
        self._refused: deque[Due] = deque()
        """The store cannot carry them out, whatever else it can."""
        self._one_at_a_time = threading.Lock()

    def add(self, settlement: Settlement, delivery: Delivery | None = None, message: Message | None = None) -> None:
        """Take one in; it is carried out with the next flush. ``delivery`` and ``message``: what it settles."""
        self._pending.append(Due(settlement, delivery, message))

    def __len__(self) -> int:
        return len(self._pending) + len(self._joined) + len(self._refused)

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
                    answers = self._broker.settle([due.settlement for due in batch], lessee=self._lessee)
                except StoreRefused:
                    self._pending.extendleft(reversed(batch))
                    self._flush_singly(len(batch))
                    continue
                except BaseException:
                    self._pending.extendleft(reversed(batch))
                    raise
                self._heard(batch, answers)

    def _take_next(self) -> list[Due]:
        while self._refused:
            due, answers = self._settle_otherwise(self._refused[0], "the store cannot carry it out; its own words are in the log")
            self._refused.popleft()
            if Settled.REFUSED in answers:
                log.error(
                    "delivery %d stays leased until its node ends: the store refuses even a dead letter", due.settlement.tag
                )
            else:
                self._heard([due], answers)
        for _ in range(min(len(self._joined), _JOINED_AT_ONCE)):
            # It is forgotten when its next step is known: to find that out the store is asked, which may not answer.
            _, delivery, message = self._joined[0]
            assert delivery is not None and message is not None  # noqa: PT018 - or it had no part in a chord
            self._pending.append(Due(self._when_joined(delivery, message), delivery, message))
            self._joined.popleft()
        return self._take()

    def _take(self) -> list[Due]:
        batch: list[Due] = []
        while len(batch) < AT_ONCE:
            try:
                batch.append(self._pending.popleft())
            except IndexError:
                break
        return batch

    def _flush_singly(self, count: int) -> None:
        """One that the store refuses must not keep the others from their end."""
        for _ in range(count):
            due = self._pending[0]  # it stays there until the store has taken it, one way or the other
            try:
                answers = self._broker.settle([due.settlement], lessee=self._lessee)
            except StoreRefused as error:
                due, answers = self._settle_otherwise(due, str(error))
            self._pending.popleft()
            self._heard([due], answers)

    def _settle_otherwise(self, due: Due, reason: str) -> tuple[Due, Sequence[Settled]]:
        """Settle a delivery of which the store has refused what was decided: whoever waits hears that it has failed."""
        why = Rejected("unsettled", reason)
        log.error("a settlement was refused, its message goes to the dead letters: %s", reason)
        if due.delivery is not None:
            failed = due._replace(settlement=self._when_refused(due.delivery, why, due.message))
            try:
                answers = self._broker.settle([failed.settlement], lessee=self._lessee)
            except StoreRefused as error:
                log.error("nobody who waits for that message can be told: %s", error)
            else:
                if Settled.REFUSED not in answers:
                    return failed, answers
                log.error("nobody who waits for that message can be told: the store cannot carry that out, either")
        bare = due._replace(settlement=Settlement(tag=due.settlement.tag, fate=DeadLetter(reason=why.reason, detail=why.detail)))
        return bare, self._broker.settle([bare.settlement], lessee=self._lessee)

    def _heard(self, batch: Sequence[Due], answers: Sequence[Settled]) -> None:
        for due, answer in zip(batch, answers, strict=True):
            if answer is Settled.JOINED:
                self._joined.append(due)
            elif answer is Settled.REFUSED:
                self._refused.append(due)
            elif answer is Settled.LEASE_LOST:
                result = due.settlement.result
                id = result.id if result is not None else f"delivery {due.settlement.tag}"
                log.warning(
                    "the result of %s came too late: its lease had passed to another worker",
                    id,
                    extra={"event": "lease-lost", "task_id": id},
                )
