"""Decide what a run's end means for its workflow: the next step of its chain, its part in a chord, those who wait in vain.

In a job's life: outcome -> settlement -> **workflow** -> Broker.settle; and once more when the last part of a chord is in. Pure.
A step that failed ends everything that would have followed it: each later task has the id under which somebody may wait. A
chord whose member failed ends as FAILURE with ``ChordError`` when its last member has ended. Source: Celery's guide, "Canvas".
Does not know: stores, how a message becomes bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from celeriac.app.context import Context
from celeriac.app.flows.keeping import abandoning, heard_first
from celeriac.app.flows.normal import chained
from celeriac.app.flows.numbering import count_of
from celeriac.app.flows.reshaping import ADDED
from celeriac.app.flows.shapes import SHAPE, in_shape, says_whom_to_reply_to
from celeriac.app.flows.stored import ABANDON, Stored, calls_in, ends_of, is_kept, later_ids, several
from celeriac.core import exceptions, groupmeta, states, taskmeta
from celeriac.core.errors import ChordError, OperationalError
from celeriac.core.message import Delivery, Message, Outgoing
from celeriac.core.settlement import Addition, DeadLetter, Done, Following, Join, Part, Settlement, StoredResult, together
from celeriac.core.taskmeta import TaskMeta
from celeriac.worker.terms import Terms

_DONE: Final = Done()


def follows(message: Message, value: Any, terms: Terms) -> Following:
    """Return what is to be sent because ``message``'s task returned ``value``: the next step of its chain.

    Raises:
        EncodeError: ``value`` cannot be an argument.
    """
    rest = list(message.chain or ())
    if not rest:
        return Following()
    following = rest.pop()
    return terms.follow(chained([following, *reversed(rest)]), (value,), message)


def joins(message: Message, state: str, value: Any, terms: Terms) -> Join | None:
    """Return the part that ``message``'s task brings to its chord; ``None``: it is a member of none, or its chain goes on."""
    if message.chord is None or message.chain or message.group is None:
        return None
    part = _part(message.id, message.group_index, state, value, terms)
    return Join(message.group, (part,), terms.chord_ttl_s, (message.id,) if ADDED in message.chord else ())


def abandoned(
    message: Message, error: BaseException, *, now: datetime, terms: Terms
) -> tuple[tuple[StoredResult, ...], Join | None]:
    """Return what is stored for the tasks that would have followed, and the parts which they would have brought to a chord."""
    rest = message.chain or ()
    ids = [id for step in rest for id in later_ids(step)]
    return _failures(ids, error, message, now=now, terms=terms), _missing(rest, error, terms)


def called(
    delivery: Delivery,
    message: Message,
    body: Stored,
    values: list[Any],
    *,
    spent: StoredResult | None = None,
    now: datetime,
    terms: Terms,
) -> Settlement:
    """Return the Settlement of a delivery whose part was the last of a chord: its body is called.

    Args:
        delivery: Is held still.
        message: What was understood of it.
        body: Of the chord.
        values: What it is called with.
        spent: What was read to have the body, and is not needed much longer.
        now: UTC.
        terms: As for every settlement.
    """
    try:
        following = terms.follow(body, (values,), message)
    except OperationalError:
        raise
    except Exception as error:  # a value that cannot be written, an option that cannot be: who waits for the body is told
        return broken(delivery, message, body, ChordError(f"Callback error: {error}"), now=now, terms=terms)
    return Settlement(
        tag=delivery.tag,
        fate=Done(),
        further=following.keeps if spent is None else (*following.keeps, spent),
        followups=following.messages,
        opens=following.opens,
        closes=reports_to(message)[0],
    )


def failed_of(ended: Sequence[TaskMeta]) -> TaskMeta | None:
    """Return what became of the first member, by place, that has not succeeded; ``None``: all have."""
    return next((one for one in ended if one.status != states.SUCCESS), None)


def values_of(ended: Sequence[TaskMeta], body: Stored, header: bytes | None, terms: Terms) -> list[Any]:
    """Return what the body of a chord is called with.

    Args:
        ended: The members, by place.
        body: Of the chord.
        header: As Celery's client has kept it, because members end with groups. ``None``: they do not, or it was not Celery's.
        terms: As for every settlement.

    Raises:
        ChordError: that header is one of other tasks.
    """
    return in_shape(body, [one.result for one in ended]) if header is None else _in_header(header, ended, terms)


def is_celerys(body: Stored) -> bool:
    """Say whether a body may be one that a Celery client or worker has sent: those write whom to reply to, and no shape."""
    return SHAPE not in body and says_whom_to_reply_to(body)


def _in_header(header: bytes, ended: Sequence[TaskMeta], terms: Terms) -> list[Any]:
    """Return the values of all members as they lie in a header that was kept; those of members that were added stand last.

    Raises:
        ChordError: it is that of other tasks.
    """
    (group_id, _), members = groupmeta.decode(header, terms.serializer)
    values = {one.task_id: one.result for one in ended}
    if count_of(group_id, [id for (id, _), _ in members]) is not None:
        return list(values.values())  # of a group that was sent while it was generated the first and the last are kept
    placed: set[str] = set()

    def filled(member: Any) -> Any:
        (id, _), inner = member
        if inner is not None:
            return [filled(one) for one in inner]
        if id not in values:
            raise ChordError(f"the group that is saved as {group_id} has a member {id}, which brought nothing to this chord")
        placed.add(id)
        return values[id]

    return [*map(filled, members), *(value for id, value in values.items() if id not in placed)]


def with_additions(settlement: Settlement, message: Message, additions: Sequence[Addition], terms: Terms) -> Settlement:
    """Return ``settlement`` of a run that has added members to its chord: they are sent, and the chord waits for them."""
    assert message.group is not None  # or nothing could have been added
    join = settlement.join or Join(message.group, (), terms.chord_ttl_s)
    return replace(
        settlement,
        further=(*settlement.further, *(each for one in additions for each in one.after.keeps)),
        followups=(*settlement.followups, *(each for one in additions for each in one.after.messages)),
        opens=(*settlement.opens, *(each for one in additions for each in one.after.opens)),
        join=replace(join, added=(*join.added, *(id for one in additions for id in one.ids))),
    )


def reports_to(message: Message) -> tuple[str | None, Stored | None]:
    """Return the chord that ``message``'s task, or the end of its chain, brings a part to, and the chord's body."""
    for step in message.chain or ():
        for end in _reporting(step):
            return end["options"]["group_id"], end["options"]["chord"]
    return message.group, message.chord


def with_workflow(settlement: Settlement, message: Message, state: str, value: Any, *, now: datetime, terms: Terms) -> Settlement:
    """Return ``settlement``, of a run that has ended for good and not well, with what that means for its workflow."""
    if not message.chain and message.chord is None:
        return settlement
    error = value if isinstance(value, BaseException) else RuntimeError(f"task {message.id} ended as {state}")
    further, missing = abandoned(message, error, now=now, terms=terms)
    passed = tuple(_passed_on(message.chain or (), error, message, terms))
    return replace(
        settlement,
        further=(*settlement.further, *further),
        followups=(*settlement.followups, *passed),
        join=joins(message, state, error, terms) or missing,
    )


def broken(
    delivery: Delivery,
    message: Message,
    body: Stored,
    error: ChordError,
    fate: Done | DeadLetter = _DONE,
    *,
    dependency: str | None = None,
    now: datetime,
    terms: Terms,
) -> Settlement:
    """Return the Settlement of a delivery whose part was the last of a chord: its body will not run, and who waits is told.

    ``dependency``: id of the member that is the reason.
    """
    told = together(_to_errbacks(body, error, message, dependency, terms))
    return Settlement(
        tag=delivery.tag,
        fate=fate,
        further=(*_failures(list(later_ids(body)), error, message, now=now, terms=terms), *told.keeps),
        opens=told.opens,
        followups=(
            *told.messages,
            *_passed_on([body], error, message, terms),
            *_to_outer(body, error, message, terms),
        ),
        closes=reports_to(message)[0],
    )


def _passed_on(rest: Sequence[Stored], error: BaseException, message: Message, terms: Terms) -> Iterator[Outgoing]:
    """Yield a message for each part of ``rest`` that is kept elsewhere: whoever gets it opens that part, and ends it as well."""
    for reference in (call for step in rest for call in calls_in(step) if is_kept(call)):
        yield from _abandoning(reference["kwargs"]["key"], [reference], error, message, terms)


def _abandoning(name: str, rest: Sequence[Stored], error: BaseException, message: Message, terms: Terms) -> Sequence[Outgoing]:
    options = {"task_id": abandoning(name), "chain": list(rest)}
    call = {"task": ABANDON, "args": (exceptions.describe(error),), "kwargs": {}, "options": options, "immutable": True}
    return terms.follow(call, (), message).messages


def _to_outer(body: Stored, error: BaseException, message: Message, terms: Terms) -> Sequence[Outgoing]:
    """Return the message that brings the parts of a body that does not run to the chord around it.

    They may be the last ones of that chord, too, and who brings the last part holds a delivery until the body is called. This one
    is spent on the chord whose body it is.
    """
    ends = list(_reporting_here(body))
    return _abandoning(ends[0]["options"]["task_id"], ends, error, message, terms) if ends else ()


def _to_errbacks(body: Stored, error: ChordError, message: Message, dependency: str | None, terms: Terms) -> Iterator[Following]:
    """Yield what the errbacks of a body hear: each once, with the id of what would have been called first."""
    told: list[Stored] = []
    for first in heard_first(body):
        options = first["options"]
        failed = Message(id=options.get("task_id", message.id), task=first["task"], root_id=message.root_id, parent_id=message.id)
        for errback in several(options.get("link_error")):
            if errback in told:
                continue
            told.append(errback)
            if terms.tell is None:
                yield terms.follow(errback, (failed.id,), failed)
            else:
                yield terms.tell(errback, Context(failed), error, None, False, dependency)


def _failures(
    ids: Sequence[str], error: BaseException, because_of: Message, *, now: datetime, terms: Terms
) -> tuple[StoredResult, ...]:
    if not terms.stores_results:
        return ()
    results = []
    for id in ids:
        meta = TaskMeta(task_id=id, status=states.FAILURE, result=error, date_done=now, parent_id=because_of.id)
        body = taskmeta.encode(meta, terms.serializer, compression=terms.compression)
        results.append(StoredResult(id, states.FAILURE, body, terms.failure_ttl_s))
    return tuple(results)


def _missing(rest: Sequence[Stored], error: BaseException, terms: Terms) -> Join | None:
    """Return the parts of a chord that tasks in ``rest`` would have brought."""
    ends = [end["options"] for step in rest for end in _reporting_here(step)]
    if not ends:
        return None
    parts = [_part(end["task_id"], end.get("group_index"), states.FAILURE, error, terms) for end in ends]
    added = tuple(end["task_id"] for end in ends if ADDED in end["chord"])
    return Join(ends[0]["group_id"], tuple(parts), terms.chord_ttl_s, added)


def _reporting(signature: Stored) -> Iterator[Stored]:
    """Yield the calls that a frozen signature ends with and that report to a chord around it; references among them."""
    for end in ends_of(signature):
        options = end["options"]
        if options.get("chord") is not None and options.get("group_id") and options.get("task_id"):
            yield end


def _reporting_here(signature: Stored) -> Iterator[Stored]:
    """Yield those that are here: a part that is kept elsewhere reports by itself when it is opened, however many ends it has."""
    return (end for end in _reporting(signature) if not is_kept(end))


def _part(id: str, place: int | None, state: str, value: Any, terms: Terms) -> Part:
    return Part(id, place, taskmeta.encode_part(id, state, value, terms.serializer))
