"""What must be true when a world has come to rest: what became of each job that the store had accepted.

Does not know: how it came to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from celeriac.core import states, taskmeta
from celeriac.testing.simulation.ledger import Key, Ledger
from celeriac.testing.simulation.report import Scale, Violation
from celeriac.testing.simulation.store import SimulatedStore
from celeriac.testing.simulation.workload import Job, Kind

_NEVER_RUN = {Kind.UNKNOWN: "unknown-task", Kind.ARGUMENTS: "arguments", Kind.GARBAGE: "malformed"}
_EXPECTED = {Kind.FAILING: {states.FAILURE}, Kind.EXPIRES: {states.SUCCESS, states.REVOKED}}
_EARLY = {Kind.EARLY, Kind.EARLY_POISON}


def judge(store: SimulatedStore, ledger: Ledger, jobs: Iterable[Job], scale: Scale) -> None:
    """Raise Violation if a job did not end as it must.

    A job that was lost with its process may have become a dead letter: with early ack at once, otherwise after
    ``max_deliveries`` losses.
    """
    store.compare()
    letters = store.dead_letters(limit=1_000_000)
    dead = {ledger.key(record.raw): record.reason for record in letters}
    for key in ledger.known:
        if key not in ledger.over and key not in dead:
            raise Violation(f"{key} has come to no end, and the store is at rest")
    for job in jobs:
        if (job.id, 0) in ledger.known:
            _judge_job(job, _state(store, job.id), ledger, dead, scale)


def _judge_job(job: Job, state: str, ledger: Ledger, dead: dict[Key, str], scale: Scale) -> None:
    attempts = [key for key in ledger.known if key[0] == job.id]
    losses = Counter({key: ledger.losses[key] for key in attempts})
    reasons = {dead[key] for key in attempts if key in dead}
    told = f"{job.id} ended as {state}, dead letters {sorted(reasons)}, taken over {max(losses.values())} times"
    if job.kind in _NEVER_RUN:
        if reasons != {_NEVER_RUN[job.kind]} and not _lost_too_often(reasons, losses, scale):
            raise Violation(told)
        return
    if "worker-lost" in reasons and (job.kind not in _EARLY or not losses.total()):
        raise Violation(f"{told}: it was lost, and does not acknowledge early")
    if "deliveries" in reasons and not _lost_too_often(reasons, losses, scale):
        raise Violation(f"{told}: it was given up too soon")
    if reasons - {"worker-lost", "deliveries"}:
        raise Violation(f"{told}: there is no reason for that")
    if job.kind in {Kind.POISON, Kind.EARLY_POISON} and not reasons:
        raise Violation(f"{told}: it kills its process and is no dead letter")
    allowed = {states.FAILURE} if reasons else _EXPECTED.get(job.kind, {states.SUCCESS})
    if not reasons and job.id in ledger.revoked:
        allowed = allowed | {states.REVOKED}
    if state not in allowed:
        raise Violation(f"{told}: its state should be one of {sorted(allowed)}")


def _lost_too_often(reasons: set[str], losses: Counter[Key], scale: Scale) -> bool:
    return reasons == {"deliveries"} and max(losses.values()) >= scale.max_deliveries


def _state(store: SimulatedStore, id: str) -> str:
    [body] = store.load([id])
    return states.PENDING if body is None else taskmeta.decode(body).status
