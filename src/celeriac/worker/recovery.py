"""Decide what becomes of a delivery whose process died.

In a job's life: beside it, when a child or a node dies in the middle. Pure.

What had not started goes back as if nothing had happened. What had started and acks late goes back with the delivery counted,
until it has cost ``max_deliveries`` processes. What had started and acks early may have had its effects, so it must not run a
second time: it ends as FAILURE, and as a dead letter that can be replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from celeriac.core import protocol
from celeriac.core.errors import TimeLimitExceeded, WorkerLostError
from celeriac.core.message import Delivery, Message, Outgoing, Rejected
from celeriac.core.outcome import Failure
from celeriac.core.settlement import DeadLetter, Requeue, Settlement
from celeriac.worker.request import Request
from celeriac.worker.settlement import Terms, refuse, settle


class Death(Struct, frozen=True):
    """How a child or node ended."""

    detail: str
    """For people: ``signal SIGKILL``, ``exit code 3``, ``its node was silent for 30 s``."""
    timed_out: float | None = None
    """The hard limit that the running task had exceeded, seconds; it was killed for that."""
    handed_back: bool = False
    """It was stopped by us for a reason that is not the task's fault: no delivery is counted."""


def bury(
    delivery: Delivery,
    *,
    started: bool,
    death: Death,
    understand: Callable[[Delivery], Request | Rejected],
    max_deliveries: int,
    now: datetime,
    terms: Terms,
) -> Settlement:
    """Say what becomes of one delivery that a dead process held.

    Args:
        delivery: As adopted.
        started: Whether its run may have begun.
        death: How the process ended.
        understand: Decodes and finds the task.
        max_deliveries: How many processes one message may cost.
        now: UTC.
        terms: As for every settlement.
    """
    if not started:
        return Settlement(tag=delivery.tag, fate=Requeue())
    request = understand(delivery)
    if isinstance(request, Rejected):
        return refuse(delivery, request, None, now=now, terms=terms)
    task = request.task
    if death.timed_out is not None:
        failure = Failure(TimeLimitExceeded(death.timed_out))
        return settle(request, failure, now=now, terms=terms)
    if task.acks_late and task.reject_on_worker_lost is not False:
        if death.handed_back:
            return Settlement(tag=delivery.tag, fate=Requeue())
        deliveries = request.message.deliveries + 1
        if deliveries < max_deliveries:
            return Settlement(tag=delivery.tag, fate=Requeue(_again(delivery, request.message, deliveries)))
        detail = f"it was handed out {deliveries} times, and each time its process died; the last: {death.detail}"
        return _lost(request, "deliveries", detail, now=now, terms=terms)
    return _lost(request, "worker-lost", f"its process died while it ran: {death.detail}", now=now, terms=terms)


def _again(delivery: Delivery, message: Message, deliveries: int) -> Outgoing:
    assert not isinstance(delivery.parcel, Rejected)  # it was understood
    parcel = protocol.redelivery(delivery.parcel, deliveries=deliveries)
    return Outgoing(parcel=parcel, queue=delivery.queue, routing_key=delivery.queue, priority=message.priority)


def _lost(request: Request, reason: str, detail: str, *, now: datetime, terms: Terms) -> Settlement:
    whole = settle(request, Failure(WorkerLostError(detail)), now=now, terms=terms)
    fate = DeadLetter(reason=reason, detail=detail, task=request.message.task, task_id=request.message.id)
    return Settlement(tag=whole.tag, fate=fate, result=whole.result, followups=whole.followups)
