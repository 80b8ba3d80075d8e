"""Carry out settlements: result, follow-ups and what becomes of the delivery, or nothing where the lease is lost.

In a job's life: the last step. Runs inside a transaction of its caller. Does not know: how a settlement was decided.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from celeriac.abc import Lessee
from celeriac.core.settlement import DeadLetter, Requeue, Settled, Settlement
from celeriac.drivers.sqlite import dead, leases, queueing, storing
from celeriac.drivers.sqlite.finding import Tail
from celeriac.drivers.sqlite.queueing import Arrivals, Letter


class Plan(Struct, frozen=True):
    """A settlement with everything in bytes that it needs."""

    settlement: Settlement
    replacement: Letter | None
    """What goes back to the queue instead of the message."""
    followups: list[Letter]


def carry_out(
    db: sqlite3.Connection, plans: Sequence[Plan], *, lessee: Lessee, now: float, arrivals: Arrivals, tail: Tail
) -> tuple[list[Settled], set[str]]:
    """Carry out each plan; return the answers, and the bells of those who must hear of results."""
    held = leases.release(db, lessee, [plan.settlement.tag for plan in plans])
    answers: list[Settled] = []
    ended: list[int] = []
    valid: list[Plan] = []
    returned: list[Letter] = []
    for plan in plans:
        # Taken out, so that a second settlement of the same delivery finds nothing.
        message = held.pop(plan.settlement.tag, None)
        answers.append(Settled.LEASE_LOST if message is None else Settled.APPLIED)
        if message is None:
            continue
        valid.append(plan)
        ended.append(message)
        match plan.settlement.fate:
            case Requeue():
                returned.append(plan.replacement or queueing.read(db, message))
            case DeadLetter() as why:
                dead.add(db, message, why, now)
    db.executemany("DELETE FROM message WHERE id = ?", [(message,) for message in ended])
    results = [plan.settlement.result for plan in valid if plan.settlement.result is not None]
    awaiting = storing.store(db, results, fenced=True, now=now, tail=tail)
    queueing.post(db, [letter for plan in valid for letter in plan.followups], now=now, arrivals=arrivals)
    queueing.put_first(db, returned, arrivals)
    return answers, awaiting
