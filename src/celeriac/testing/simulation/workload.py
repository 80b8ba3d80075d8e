"""What is sent in a world: tasks of every kind, most of them plain.

In a world's life: made from the seed at its beginning, published one after the other. Does not know: stores, workers.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.abc import Runtime
from celeriac.app.flows.stored import Stored
from celeriac.core import protocol
from celeriac.core.message import Message, Outgoing, Parcel
from celeriac.testing.simulation.chance import Chance
from celeriac.testing.simulation.report import Scale
from celeriac.testing.simulation.tasks import RETRIES

QUEUES: Final = ("default", "other")


class Kind(Enum):
    """What is special about a message."""

    LATE = "late"
    EARLY = "early"
    LONG = "long"
    """Runs a hundred times as long as a lease."""
    TRACKED = "tracked"
    FAILING = "failing"
    RETRIED = "retried"
    CALLBACK = "callback"
    """Is followed by another task when it has succeeded."""
    ETA = "eta"
    HELD = "held"
    """Its eta stands in the headers alone: its sender knows no schedule."""
    EXPIRES = "expires"
    LIMITED = "limited"
    """Only so many of them may begin on a node in a second."""
    REVOKED = "revoked"
    """Is revoked a moment after it was sent."""
    POISON = "poison"
    EARLY_POISON = "early poison"
    UNKNOWN = "unknown"
    ARGUMENTS = "arguments"
    """Its function does not take them."""
    GARBAGE = "garbage"


_SELDOM: Final = tuple(kind for kind in Kind if kind is not Kind.LONG)
_UNSTEERED: Final = tuple(kind for kind in _SELDOM if kind is not Kind.LIMITED)
_NAMES: Final = {
    Kind.EARLY: "early",
    Kind.TRACKED: "tracked",
    Kind.FAILING: "failing",
    Kind.RETRIED: "retried",
    Kind.POISON: "poison",
    Kind.EARLY_POISON: "early-poison",
    Kind.UNKNOWN: "nobody-knows-me",
    Kind.LIMITED: "limited",
}


PAUSED_TASKS: Final = ("late", "early", "retried", "limited")
"""Types that an operator pauses now and then."""


class Job(Struct, frozen=True, kw_only=True):
    """One message of a world, before it is sent."""

    id: str
    kind: Kind
    at: float
    """When it is sent, virtual seconds."""
    runtime_s: float
    """How long each run takes, seconds."""
    delay_s: float
    """From its sending to its eta, its end, or its revocation."""
    queue: str

    @property
    def runs(self) -> int:
        """How often it runs if nothing goes wrong."""
        return RETRIES + 1 if self.kind is Kind.RETRIED else 1


def make_jobs(scale: Scale, chance: Chance) -> list[Job]:
    """Return what is to be sent in a world."""
    jobs = [_a_job(number, scale, chance) for number in range(scale.tasks)]
    if chance.happens(0.04):
        jobs[0] = replace(jobs[0], kind=Kind.LONG, runtime_s=100 * scale.lease_s)
    return jobs


def _a_job(number: int, scale: Scale, chance: Chance) -> Job:
    kind = chance.pick((Kind.LATE, Kind.EARLY)) if chance.happens(0.4) else chance.pick(_SELDOM if scale.pauses else _UNSTEERED)
    shortness = chance.random()
    # Most are short enough to be taken in batches, some run for a good part of a lease.
    runtime_s = chance.between(0.0002, 0.002) if shortness < 0.6 else chance.between(0.02, 2 if shortness < 0.85 else 20)
    return Job(
        id=f"{kind.value}-{number}".replace(" ", "-"),
        kind=kind,
        at=chance.between(0, scale.faults_s * 0.7) if chance.happens(0.6) else chance.pick((0.0, 10.0, 20.0)),
        runtime_s=runtime_s,
        delay_s=chance.between(0.01, 60),
        queue=chance.pick(QUEUES),
    )


def task_of(kind: Kind) -> str:
    """Return the name of the task that jobs of this kind call."""
    return _NAMES.get(kind, "late")


def encode(job: Job, runtime: Runtime) -> Outgoing:
    """Return the job as it is published."""
    later = runtime.now() + timedelta(seconds=job.delay_s)
    message = Message(
        id=job.id,
        task=task_of(job.kind),
        kwargs={"seconds": job.runtime_s, **({"nobody": "asked for it"} if job.kind is Kind.ARGUMENTS else {})},
        eta=later if job.kind in {Kind.ETA, Kind.HELD} else None,
        expires=later if job.kind is Kind.EXPIRES else None,
        callbacks=[_callback(job)] if job.kind is Kind.CALLBACK else None,
    )
    if job.kind is Kind.GARBAGE:
        parcel = Parcel(body=b"\x00\xff{", content_type="application/json", content_encoding="utf-8", headers={"id": job.id})
    else:
        parcel = protocol.encode(message, now=runtime.now())
    return Outgoing(parcel=parcel, queue=job.queue, routing_key=job.queue, eta=message.eta if job.kind is Kind.ETA else None)


def _callback(job: Job) -> Stored:
    # An id of its own that a repeat has again, so that the ledger sees if there are two.
    return {"task": "late", "args": (), "kwargs": {"seconds": 0.001}, "options": {"task_id": f"{job.id}-callback"}}
