"""Decide how a run ends for everybody else: one Settlement for each delivery.

In a job's life: execution -> settlement -> Broker.settle. Pure: the child carries the Settlement out.

A Settlement holds the result to store, the messages that follow (callbacks, a retry), and what becomes of the delivery
(done, back to its queue, dead letter). A driver that is broker and backend in one applies all of it or nothing. Where
they are two, the order is: result, follow-ups, delivery; a crash in between repeats steps, and a repeat bears the same ids.
Does not know: sockets, processes, how messages become bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from celeriac.app.conduct import Conduct
from celeriac.app.context import Context
from celeriac.app.flows.offspring import trimmed
from celeriac.app.results.result_states import ResultBase
from celeriac.core import exceptions, states, taskmeta
from celeriac.core.errors import (
    BackendStoreError,
    ChordError,
    DecodeError,
    EncodeError,
    Ignore,
    ImproperlyConfigured,
    NotRegistered,
    TaskRevokedError,
    TimeLimitExceeded,
    WorkerLostError,
)
from celeriac.core.errors import Reject as RejectError
from celeriac.core.message import Delivery, Message, Outgoing, Rejected
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Revoked, Success
from celeriac.core.settlement import DeadLetter, Done, Following, Settlement, StoredResult
from celeriac.core.taskmeta import TaskMeta
from celeriac.core.tracebacks import text_of
from celeriac.worker.request import Request
from celeriac.worker.terms import Terms
from celeriac.worker.workflow import follows, joins, with_additions, with_workflow

_NOTHING: Final = Following()


def settle(request: Request, outcome: Outcome, *, now: datetime, terms: Terms) -> Settlement:
    """Say what a run's end means for the store, the callers and the delivery."""
    return settle_or_fail(request, outcome, now=now, terms=terms)[0]


def settle_or_fail(request: Request, outcome: Outcome, *, now: datetime, terms: Terms) -> tuple[Settlement, Outcome]:
    """Do as ``settle``, and say how the run has ended in the end: with a value, or a retry, that cannot be written or has
    nowhere to go it has failed."""
    try:
        return _decided(request, outcome, now=now, terms=terms), outcome
    except (EncodeError, ImproperlyConfigured) as error:
        if not isinstance(outcome, Success | Retried):
            raise
        failure = Failure(error, traceback=text_of(error, error.__traceback__))
        return _decided(request, failure, now=now, terms=terms), failure


def _decided(request: Request, outcome: Outcome, *, now: datetime, terms: Terms) -> Settlement:
    settlement = _of_the_run(request, outcome, now=now, terms=terms)
    additions = request.context.additions
    if not additions or isinstance(outcome, Retried) or (isinstance(outcome, Refused) and outcome.requeue):
        return settlement  # what a run has added that is not the last counts for nothing: the next one adds again
    return with_additions(settlement, request.context.as_message(), additions, terms)


def _of_the_run(request: Request, outcome: Outcome, *, now: datetime, terms: Terms) -> Settlement:
    message, how, tag = request.context.as_message(), request.how, request.delivery.tag
    stored = terms.stores_results or how.own_backend is not None
    ignored = not stored or (how.ignore_result if message.ignore_result is None else message.ignore_result)
    match outcome:
        case Success(value):
            if isinstance(value, ResultBase):
                value = value.as_tuple()  # a task may return the result of another one: its ids are kept
            after = _after(message, value, terms)
            result = None if ignored else _stored(request, states.SUCCESS, value, None, now, terms, after.children)
            join = None if message.chord is None else joins(message, states.SUCCESS, value, terms)
            return Settlement(
                tag=tag,
                fate=Done(),
                result=result,
                further=after.keeps,
                followups=after.messages,
                opens=after.opens,
                join=join,
            )
        case Retried(again=again, exception=error, traceback=text, address=address):
            result = None if ignored else _stored(request, states.RETRY, error, text, now, terms)
            outgoing = terms.again(again, request.delivery.queue, address, announce=True)
            return Settlement(tag=tag, fate=Done(), result=result, followups=(outgoing,))
        case Ignored(after):
            settlement = Settlement(tag=tag, fate=Done(), followups=after.messages, opens=after.opens, further=after.keeps)
            if after.messages:  # another task has taken its place
                return settlement
            return with_workflow(settlement, message, states.IGNORED, Ignore("it was ignored"), now=now, terms=terms)
        case Revoked(why):
            error = TaskRevokedError(why)
            result = None if ignored else _stored(request, states.REVOKED, error, None, now, terms)
            settlement = Settlement(tag=tag, fate=Done(), result=result)
            return with_workflow(settlement, message, states.REVOKED, error, now=now, terms=terms)
        case Refused(requeue=True):
            # To the back of its queue: at the front it would be refused again at once, for ever.
            again = replace(message, redelivered=True)  # tasks ask for it, so as not to refuse for ever
            return Settlement(tag=tag, fate=Done(), followups=(terms.again(again, request.delivery.queue),))
        case Refused(reason):
            refusal = RejectError(reason)
            result = None if ignored else _stored(request, states.FAILURE, refusal, None, now, terms)
            told = _to_errbacks(request, message, Failure(refusal), terms) if message.errbacks else ()
            settlement = Settlement(tag=tag, fate=_letter("rejected", reason, message), result=result, followups=told)
            return with_workflow(settlement, message, states.FAILURE, refusal, now=now, terms=terms)
        case Failure():
            return _failed(request, outcome, now=now, terms=terms, ignored=ignored)


def _failed(request: Request, failure: Failure, *, now: datetime, terms: Terms, ignored: bool) -> Settlement:
    message, how = request.context.as_message(), request.how
    error = failure.exception
    stored = terms.stores_results or how.own_backend is not None
    keep = stored and (not ignored or how.store_errors_even_if_ignored)
    result = _stored(request, states.FAILURE, error, failure.traceback, now, terms) if keep else None
    messages = _to_errbacks(request, message, failure, terms) if message.errbacks else ()
    fate: Done | DeadLetter = Done()
    if failure.uncallable:
        fate = _letter("arguments", exceptions.text(error), message)
    elif how.acks_late and not _acks_failure(how, error):
        fate = _letter("failed", exceptions.text(error), message)
    settlement = Settlement(tag=request.delivery.tag, fate=fate, result=result, followups=messages)
    return with_workflow(settlement, message, states.FAILURE, error, now=now, terms=terms)


def _after(message: Message, value: Any, terms: Terms) -> Following:
    """Return what follows a success: callbacks, and the next step of the chain."""
    if not message.callbacks and not message.chain:
        return _NOTHING
    after = [terms.follow(each, (value,), message) for each in message.callbacks or ()]
    after.append(follows(message, value, terms))
    return Following(
        tuple(outgoing for one in after for outgoing in one.messages),
        tuple(opening for one in after for opening in one.opens),
        tuple(child for one in after for child in one.children),
        tuple(kept for one in after for kept in one.keeps),
    )


def _to_errbacks(request: Request, message: Message, failure: Failure, terms: Terms) -> tuple[Outgoing, ...]:
    messages: list[Outgoing] = []
    for errback in message.errbacks or ():
        if failure.errbacks_called and terms.calls(errback):
            continue
        if terms.tell is None:
            messages += terms.follow(errback, (message.id,), message).messages
        else:
            # Where nothing could be called, a node settles: nothing of the user's runs in it.
            seen = failure.errbacks_called
            told = terms.tell(errback, request.context, failure.exception, failure.traceback, seen)
            messages += [told] if told is not None else []
    return tuple(messages)


def _acks_failure(how: Conduct, error: BaseException) -> bool:
    """Whether a late-acked message is done although its run failed: the narrower option wins where it is given."""
    narrower = how.acks_on_timeout if isinstance(error, TimeLimitExceeded) else how.acks_on_failure
    return how.acks_on_failure_or_timeout if narrower is None else narrower


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
    place = terms.place_of(task)
    if id and (terms.stores_results or place is not None):
        meta = TaskMeta(task_id=id, status=states.FAILURE, result=_error_of(why, task), date_done=now)
        body = taskmeta.encode(meta, terms.serializer, compression=terms.compression)
        result = StoredResult(id, states.FAILURE, body, terms.failure_ttl_s, place)
    fate = DeadLetter(reason=why.reason, detail=why.detail, task=task, task_id=id)
    if message is None:
        return Settlement(tag=delivery.tag, fate=fate, result=result)
    error = _error_of(why, task)
    told = [terms.tell(errback, Context(message), error, None, False) for errback in message.errbacks or ()] if terms.tell else ()
    followups = tuple(outgoing for outgoing in told if outgoing is not None)
    settlement = Settlement(tag=delivery.tag, fate=fate, result=result, followups=followups)
    return with_workflow(settlement, message, states.FAILURE, error, now=now, terms=terms)


def _error_of(why: Rejected, task: str) -> Exception:
    if why.reason == "unknown-task":
        return NotRegistered(task)
    if why.reason == "workflow-lost":
        return ChordError(why.detail)
    if why.reason == "unsettled":
        return BackendStoreError(f"the end of this run could not be stored: {why.detail}")
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
    following: Sequence[Any] = (),
) -> StoredResult:
    message, context = request.message, request.context
    children: Sequence[Any] = ()
    if context.has_children or following:
        children = [*(trimmed(child.as_tuple()) for child in context.children), *following]
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
        meta = taskmeta.extended(meta, request.task.without_secrets(message), worker=terms.hostname, queue=request.delivery.queue)
    body = taskmeta.encode(meta, terms.serializer, compression=terms.compression)
    ttl_s = terms.failure_ttl_s if state == states.FAILURE else terms.ttl_s
    return StoredResult(message.id, state, body, ttl_s, request.how.own_backend)
