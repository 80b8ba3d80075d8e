"""Decide how a run ends for everybody else: one Settlement for each delivery.

In a job's life: execution -> settlement -> Broker.settle. Pure: the child carries the Settlement out.

A Settlement holds the result to store, the messages that follow (callbacks, a retry), and what becomes of the delivery
(done, back to its queue, dead letter). A driver that is broker and backend in one applies all of it or nothing. Where
they are two, the order is: result, follow-ups, delivery; a crash in between repeats steps, and a repeat bears the same ids.
Does not know: sockets, processes, how messages become bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from celeriac.app.task import Task
from celeriac.core import exceptions, states, taskmeta
from celeriac.core.errors import (
    DecodeError,
    EncodeError,
    NotRegistered,
    TaskRevokedError,
    TimeLimitExceeded,
    WorkerLostError,
)
from celeriac.core.errors import Reject as RejectError
from celeriac.core.message import Delivery, Message, Outgoing, Rejected
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Revoked, Success
from celeriac.core.settlement import DeadLetter, Done, Settlement, StoredResult
from celeriac.core.taskmeta import TaskMeta
from celeriac.worker.request import Request


class Terms(Struct, frozen=True, kw_only=True):
    """What a child settles by; the same for every delivery."""

    ttl_s: float | None
    """How long results are kept, seconds; ``None``: for ever."""
    serializer: str
    """Of results."""
    compression: str | None = None
    """Of results; ``None``: none."""
    extended: bool = False
    """Whether results tell of the call, too."""
    hostname: str
    """Name of the node."""
    stores_results: bool
    """``False``: there is no result backend."""
    again: Callable[[Message, str], Outgoing]
    """Encode a message that was planned before, for this queue: a retry, or one that waits for its date."""
    follow: Callable[[Mapping[str, Any], Sequence[Any], Message], Outgoing]
    """Plan, route and encode a callback: its signature, the arguments that go first, the message of the task that calls it."""


def settle(request: Request, outcome: Outcome, *, now: datetime, terms: Terms) -> Settlement:
    """Say what a run's end means for the store, the callers and the delivery."""
    message, task, tag = request.message, request.task, request.delivery.tag
    ignored = not terms.stores_results or (task.ignore_result if message.ignore_result is None else message.ignore_result)
    match outcome:
        case Success(value):
            try:
                messages = tuple(terms.follow(each, (value,), message) for each in message.callbacks or ())
                result = None if ignored else _stored(request, states.SUCCESS, value, None, now, terms, messages)
            except EncodeError as error:
                return settle(request, Failure(error), now=now, terms=terms)
            return Settlement(tag=tag, fate=Done(), result=result, followups=messages)
        case Retried(again=again, exception=error, traceback=text):
            result = None if ignored else _stored(request, states.RETRY, error, text, now, terms)
            return Settlement(tag=tag, fate=Done(), result=result, followups=(terms.again(again, request.delivery.queue),))
        case Ignored():
            return Settlement(tag=tag, fate=Done())
        case Revoked(why):
            result = None if ignored else _stored(request, states.REVOKED, TaskRevokedError(why), None, now, terms)
            return Settlement(tag=tag, fate=Done(), result=result)
        case Refused(requeue=True):
            # To the back of its queue: at the front it would be refused again at once, for ever.
            return Settlement(tag=tag, fate=Done(), followups=(terms.again(message, request.delivery.queue),))
        case Refused(reason):
            result = None if ignored else _stored(request, states.FAILURE, RejectError(reason), None, now, terms)
            return Settlement(tag=tag, fate=_letter("rejected", reason, message), result=result)
        case Failure():
            return _failed(request, outcome, now=now, terms=terms, ignored=ignored)


def _failed(request: Request, failure: Failure, *, now: datetime, terms: Terms, ignored: bool) -> Settlement:
    message, task = request.message, request.task
    error = failure.exception
    keep = terms.stores_results and (not ignored or task.store_errors_even_if_ignored)
    result = _stored(request, states.FAILURE, error, failure.traceback, now, terms) if keep else None
    messages = tuple(terms.follow(each, (message.id,), message) for each in message.errbacks or ())
    fate: Done | DeadLetter = Done()
    if failure.uncallable:
        fate = _letter("arguments", exceptions.text(error), message)
    elif task.acks_late and not _acks_failure(task, error):
        fate = _letter("failed", exceptions.text(error), message)
    return Settlement(tag=request.delivery.tag, fate=fate, result=result, followups=messages)


def _acks_failure(task: Task[..., Any], error: BaseException) -> bool:
    """Whether a late-acked message is done although its run failed: the narrower option wins where it is given."""
    narrower = task.acks_on_timeout if isinstance(error, TimeLimitExceeded) else task.acks_on_failure
    return task.acks_on_failure_or_timeout if narrower is None else narrower


def started(request: Request, *, pid: int, terms: Terms, now: datetime) -> StoredResult:
    """Return the state STARTED of a task that is tracked."""
    return _stored(request, states.STARTED, {"pid": pid, "hostname": terms.hostname}, None, now, terms)


def hold(request_message: Message, delivery: Delivery, *, terms: Terms) -> Settlement:
    """Return the Settlement that moves a message with a date into the schedule."""
    return Settlement(tag=delivery.tag, fate=Done(), followups=(terms.again(request_message, delivery.queue),))


def refuse(delivery: Delivery, why: Rejected, message: Message | None, *, now: datetime, terms: Terms) -> Settlement:
    """Return the Settlement of what cannot be understood or must not be run: a dead letter, and FAILURE for who waits."""
    headers: Mapping[str, Any] = {} if isinstance(delivery.parcel, Rejected) else delivery.parcel.headers
    id, task = (message.id, message.task) if message is not None else (_name(headers.get("id")), _name(headers.get("task")))
    result = None
    if id and terms.stores_results:
        meta = TaskMeta(task_id=id, status=states.FAILURE, result=_error_of(why, task), date_done=now)
        result = StoredResult(
            id, states.FAILURE, taskmeta.encode(meta, terms.serializer, compression=terms.compression), terms.ttl_s
        )
    fate = DeadLetter(reason=why.reason, detail=why.detail, task=task, task_id=id)
    return Settlement(tag=delivery.tag, fate=fate, result=result)


def _error_of(why: Rejected, task: str) -> Exception:
    if why.reason == "unknown-task":
        return NotRegistered(task)
    if why.reason in {"deliveries", "worker-lost"}:
        return WorkerLostError(why.detail)
    return DecodeError(f"{why.reason}: {why.detail}")


def _name(value: object) -> str:
    return value[:255] if isinstance(value, str) else ""


def _letter(reason: str, detail: str, message: Message) -> DeadLetter:
    return DeadLetter(reason=reason, detail=detail, task=message.task, task_id=message.id)


def _stored(
    request: Request,
    state: str,
    value: Any,
    text: str | None,
    now: datetime,
    terms: Terms,
    callbacks: Sequence[Outgoing] = (),
) -> StoredResult:
    message, context = request.message, request.context
    children: Sequence[Any] = ()
    if context.children or callbacks:
        children = [child.as_tuple() for child in context.children or ()] + [[[each.id, None], None] for each in callbacks]
    meta = TaskMeta(
        task_id=message.id,
        status=state,
        result=value,
        traceback=text,
        children=children,
        date_done=now if state in states.READY_STATES else None,
        group_id=message.group,
        parent_id=message.parent_id,
    )
    if terms.extended:
        meta = taskmeta.extended(meta, message, worker=terms.hostname, queue=request.delivery.queue)
    return StoredResult(message.id, state, taskmeta.encode(meta, terms.serializer, compression=terms.compression), terms.ttl_s)
