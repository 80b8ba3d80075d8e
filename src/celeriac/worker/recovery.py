"""Decide what becomes of a delivery whose process died.

In a job's life: beside it, when a child or a node dies in the middle. Pure.

What had not started goes back as if nothing had happened. What had started and acks late goes back with the delivery counted,
until it has cost ``max_deliveries`` processes. What had started and acks early may have had its effects, so it must not run a
second time: it ends as FAILURE, and as a dead letter that can be replayed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.core import protocol
from celeriac.core.errors import TaskRevokedError, TimeLimitExceeded, WorkerLostError
from celeriac.core.message import Delivery, Message, Outgoing, Rejected
from celeriac.core.outcome import Failure, Retried, Revoked
from celeriac.core.settlement import DeadLetter, Requeue, Settlement
from celeriac.worker.reading import Reader
from celeriac.worker.request import Request
from celeriac.worker.settlement import refuse, settle
from celeriac.worker.terms import Terms

TERMINATED: Final = "terminated"
"""Why a task is revoked that was running. Source: Celery's ``TaskRevokedError`` of such a task."""


class Death(Struct, frozen=True):
    """How a child or node ended."""

    detail: str
    """For people: ``signal SIGKILL``, ``exit code 3``, ``its node was silent for 30 s``."""
    handed_back: bool = False
    """It was stopped by us for a reason that is not the task's fault: no delivery is counted."""


class Ending(Struct, frozen=True):
    """Why we have ended one run ourselves: one of the two."""

    hard_s: float | None = None
    """It exceeded this hard limit, seconds."""
    signum: int | None = None
    """An operator had it terminated, and named the signal of this number."""

    @property
    def error(self) -> TimeLimitExceeded | TaskRevokedError:
        """What whoever waits for the task hears."""
        return TaskRevokedError(TERMINATED) if self.hard_s is None else TimeLimitExceeded(self.hard_s)


def bury(
    delivery: Delivery,
    *,
    started: bool,
    death: Death,
    ending: Ending | None = None,
    reader: Reader,
    max_deliveries: int,
    now: datetime,
    terms: Terms,
) -> Settlement:
    """Say what becomes of one delivery that a dead process held.

    Args:
        delivery: As adopted.
        started: Whether its run may have begun.
        death: How the process ended.
        ending: Why we ended this very run. ``None``: we did not.
        reader: Decodes and finds the task.
        max_deliveries: How many processes one message may cost.
        now: UTC.
        terms: As for every settlement.
    """
    if not started:
        return Settlement(tag=delivery.tag, fate=Requeue())
    request = reader.understand(delivery)
    if isinstance(request, Rejected):
        # What can be read and is known to nobody here may be a step or a member: others wait for its end.
        message = reader.message(delivery)
        return refuse(delivery, request, None if isinstance(message, Rejected) else message, now=now, terms=terms)
    if ending is not None:
        return settle(request, _of(ending), now=now, terms=terms)
    how = request.how
    if how.retry_on_worker_lost and not death.handed_back:
        return _retried(request, death, now=now, terms=terms)
    if how.acks_late and how.reject_on_worker_lost is not False:
        if death.handed_back:
            return Settlement(tag=delivery.tag, fate=Requeue())
        deliveries = request.message.deliveries + 1
        if deliveries < max_deliveries:
            return Settlement(tag=delivery.tag, fate=Requeue(_again(delivery, request.message, deliveries)))
        detail = f"it was handed out {deliveries} times, and each time its process died; the last: {death.detail}"
        return _lost(request, "deliveries", detail, now=now, terms=terms)
    return _lost(request, "worker-lost", f"its process died while it ran: {death.detail}", now=now, terms=terms)


def _of(ending: Ending) -> Failure | Revoked:
    return Revoked(TERMINATED, ending.signum) if ending.hard_s is None else Failure(TimeLimitExceeded(ending.hard_s))


def _retried(request: Request, death: Death, *, now: datetime, terms: Terms) -> Settlement:
    """``retry_on_worker_lost``: a death costs one of the task's retries, however it acknowledges."""
    task, message = request.task, request.message
    if task.max_retries is not None and message.retries >= task.max_retries:
        detail = f"its process died at its last of {task.max_retries} retries: {death.detail}"
        return _lost(request, "worker-lost", detail, now=now, terms=terms)
    pause_s = task.default_retry_delay
    again = protocol.retry(message, eta=now + timedelta(seconds=pause_s) if pause_s else None)
    error = WorkerLostError(f"its process died while it ran: {death.detail}")
    return settle(request, Retried(again=again, exception=error, traceback=None, when=f"in {pause_s}s"), now=now, terms=terms)


def _again(delivery: Delivery, message: Message, deliveries: int) -> Outgoing:
    assert not isinstance(delivery.parcel, Rejected)  # it was understood
    parcel = protocol.redelivery(delivery.parcel, deliveries=deliveries)
    return Outgoing(parcel=parcel, queue=delivery.queue, routing_key=delivery.queue, priority=message.priority)


def _lost(request: Request, reason: str, detail: str, *, now: datetime, terms: Terms) -> Settlement:
    whole = settle(request, Failure(WorkerLostError(detail)), now=now, terms=terms)
    fate = DeadLetter(reason=reason, detail=detail, task=request.message.task, task_id=request.message.id)
    # All else stays: those who waited for it in a chain or a chord have ended with it.
    return replace(whole, fate=fate)
