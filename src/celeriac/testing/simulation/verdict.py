"""What must be true when a world has come to rest: what became of each job and workflow that the store had accepted.

Does not know: how it came to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from celeriac.core import states, taskmeta
from celeriac.core.taskmeta import TaskMeta
from celeriac.testing.simulation.evaluation import Before, Step, arguments
from celeriac.testing.simulation.growing import errback_of
from celeriac.testing.simulation.ledger import Key, Ledger
from celeriac.testing.simulation.report import Scale, Violation
from celeriac.testing.simulation.store import SimulatedStore
from celeriac.testing.simulation.tasks import value_of
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
    dead = _dead(store, ledger)
    for key in ledger.known:
        if key not in ledger.over and key not in dead:
            raise Violation(f"{key} has come to no end, and the store is at rest")
    for job in jobs:
        if (job.id, 0) in ledger.known:
            _judge_job(job, _meta(store, job.id).status, ledger, dead, scale)


def judge_workflows(store: SimulatedStore, ledger: Ledger, workflows: Iterable[Sequence[Step]], scale: Scale) -> None:
    """Raise Violation if a workflow has not come to what plain Python makes of it.

    A task runs once if all that it needs has succeeded; its value tells its id and what it was handed. Otherwise it was never
    sent, and has ended as FAILURE: with ``ChordError`` where a member of a chord that had begun has failed, else with the error
    of the step before it.
    """
    dead = _dead(store, ledger)
    unsent = False
    for steps in workflows:
        if any((step.job.id, 0) in ledger.known for step in steps):
            _Evaluation(store, ledger, dead, scale).judge(steps)
        else:
            unsent = True
    for chord, parts in store.unfinished_chords().items():
        if parts or not unsent:
            raise Violation(f"chord {chord} is left with {parts} parts")


class _Evaluation:
    """One workflow that was accepted."""

    def __init__(self, store: SimulatedStore, ledger: Ledger, dead: dict[Key, str], scale: Scale) -> None:
        self._store, self._ledger, self._dead, self._scale = store, ledger, dead, scale
        self._values: dict[str, Any] = {}
        """What those returned that have succeeded."""
        self._errors: dict[str, str] = {}
        """How the others failed: names of classes."""

    def judge(self, steps: Sequence[Step]) -> None:
        for step in steps:
            meta = _meta(self._store, step.job.id)
            if all(id in self._values for id in step.before.needs):
                self._ran(step, meta)
                told = meta.status == states.FAILURE
            else:
                self._ended_in_vain(step, meta)
                told = self._is_body(step.before)
            if ((errback_of(step.job.id), 0) in self._ledger.known) != (told and step.heard):
                raise Violation(f"{step.job.id} is {meta.status}, and its errback was {'not ' * told}told")

    def _ran(self, step: Step, meta: TaskMeta) -> None:
        job = step.job
        if (job.id, 0) not in self._ledger.known:
            raise Violation(f"{job.id} was never sent, and all that it needs has succeeded: it is {meta.status}")
        _judge_job(job, meta.status, self._ledger, self._dead, self._scale)
        if meta.status != states.SUCCESS:
            self._errors[job.id] = type(meta.result).__name__
            return
        expected = self._values[job.id] = value_of(job.id, arguments(step, self._values))
        if meta.result != expected:
            raise Violation(f"{job.id} was not called with {arguments(step, self._values)}")

    def _ended_in_vain(self, step: Step, meta: TaskMeta) -> None:
        id, error = step.job.id, type(meta.result).__name__
        if meta.status != states.FAILURE:
            raise Violation(f"{id} is {meta.status}, and what it needs has failed: {self._errors}")
        if any(key[0] == id for key in self._ledger.known):
            raise Violation(f"{id} was sent, and what it needs has failed: {self._errors}")
        expected = self._error_of(step.before)
        # What hands an error on may have cost as many processes as one message may cost.
        lost = any(reason == "deliveries" and key[0].endswith("-abandoned") for key, reason in self._dead.items())
        if error != expected and not lost:
            raise Violation(f"{id} has failed with {error} and not with {expected}")
        self._errors[id] = error

    def _is_body(self, before: Before) -> bool:
        """Whether it would have been called first after a chord that had begun: then its errback hears that it is not called.

        Where such a body is a chord itself, it is for its own body to hear, and not for its members.
        """
        if before.header is None or before.member:
            return False
        return all(id in self._values for id in before.header.needs) or self._is_body(before.header)

    def _error_of(self, before: Before) -> str:
        if before.header is None:
            return self._errors[before.needs[0]]
        begun = all(id in self._values for id in before.header.needs)
        return "ChordError" if begun else self._error_of(before.header)


def _dead(store: SimulatedStore, ledger: Ledger) -> dict[Key, str]:
    return {ledger.key(record.raw): record.reason for record in store.dead_letters(limit=1_000_000)}


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


def _meta(store: SimulatedStore, id: str) -> TaskMeta:
    [body] = store.load([id])
    return TaskMeta(task_id=id, status=states.PENDING) if body is None else taskmeta.decode(body)
