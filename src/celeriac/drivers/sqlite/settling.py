"""Carry out settlements: result, follow-ups and what becomes of the delivery, or nothing where the lease is lost.

In a job's life: the last step. Runs inside a transaction of its caller. Does not know: how a settlement was decided.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from celeriac.abc import Lessee
from celeriac.core.settlement import DeadLetter, Park, Requeue, Settled, Settlement
from celeriac.drivers.sqlite import chords, dead, leases, parking, queueing, rules, storing
from celeriac.drivers.sqlite.faults import is_of_a_value
from celeriac.drivers.sqlite.finding import Tail
from celeriac.drivers.sqlite.queueing import Arrivals, Letter

log = logging.getLogger(__name__)


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
    paused = rules.paused(db, "task") if any(isinstance(plan.settlement.fate, Park) for plan in plans) else ()
    for plan in plans:
        # Taken out, so that a second settlement of the same delivery finds nothing.
        message = held.pop(plan.settlement.tag, None)
        if message is None:
            answers.append(Settled.LEASE_LOST)
            continue
        if _is_joined(db, plan, now):
            leases.stay(db, lessee, plan.settlement.tag, message)
            answers.append(Settled.JOINED)
            continue
        joined = _join(db, plan.settlement, now)
        answers.append(Settled.JOINED if joined else Settled.APPLIED)
        valid.append(plan)
        fate = plan.settlement.fate
        if isinstance(fate, Park) and (fate.throttled or fate.task in paused):
            parking.park(db, fate.task, message)
            continue
        if joined or plan.settlement.stays:
            leases.stay(db, lessee, plan.settlement.tag, message)
        else:
            ended.append(message)
        match fate:
            case Requeue() | Park():
                returned.append(plan.replacement or queueing.read(db, message))
            case DeadLetter() as why:
                dead.add(db, message, why, now)
    db.executemany("DELETE FROM message WHERE id = ?", [(message,) for message in ended])
    results = [result for plan in valid for result in plan.settlement.results]
    awaiting = storing.store(db, results, fenced=True, now=now, tail=tail)
    for opening in (opening for plan in valid for opening in plan.settlement.opens):
        chords.open_if_new(db, opening, now)
    queueing.post(db, [letter for plan in valid for letter in plan.followups], now=now, arrivals=arrivals)
    queueing.put_first(db, returned, arrivals)
    return answers, awaiting


def fits(db: sqlite3.Connection, plan: Plan, *, lessee: Lessee, now: float, tail: Tail) -> bool:
    """Carry out a plan, undo it, and say whether that could be done. Of a fault that is not the plan's own: raise it."""
    db.execute("SAVEPOINT trial")
    fault: Exception | None = None
    try:
        carry_out(db, [plan], lessee=lessee, now=now, arrivals=Arrivals(), tail=tail)
    except Exception as error:
        if not is_of_a_value(error):
            raise
        fault = error
        log.error("SQLite refuses a settlement: %s", error, extra={"event": "settlement-refused"})
    db.execute("ROLLBACK TO trial")
    db.execute("RELEASE trial")
    return fault is None


def _is_joined(db: sqlite3.Connection, plan: Plan, now: float) -> bool:
    """Whether this settlement was carried out before, and its answer was lost."""
    join = plan.settlement.join
    return join is not None and chords.is_claimed(db, join.chord, claimant=str(plan.settlement.tag), now=now)


def _join(db: sqlite3.Connection, settlement: Settlement, now: float) -> bool:
    """Do what concerns chords; say whether its part was the last."""
    if settlement.closes is not None:
        chords.close(db, settlement.closes, now)
    return settlement.join is not None and chords.join(db, settlement.join, claimant=str(settlement.tag), now=now)
