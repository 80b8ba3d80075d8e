"""Decide which messages a call amounts to, with ids fixed, before anything becomes bytes.

In a job's life: task -> signature -> **plan** -> producer. Pure: the clock is read, and ids are made, by functions that are
handed in. Times become absolute here, so that a message means the same whenever it is read. Does not know: queues, bytes,
stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from celeriac.app.checking.secrets import Secrets
from celeriac.app.checking.validation import Validation
from celeriac.app.flows.numbering import member_id
from celeriac.app.flows.vetting import vet
from celeriac.app.options import NO_OPTIONS, CallOptions, Link
from celeriac.core.errors import WorkflowTooDeep
from celeriac.core.message import Message
from celeriac.core.representation import MAX_LENGTH, safe_repr


class Recipe(Struct, frozen=True, kw_only=True):
    """What is the same for every call of one task: resolved once from the task and the settings."""

    name: str
    serializer: str
    compression: str | None = None
    delivery_mode: int = 2
    ignore_result: bool | None = None
    priority: int = 0
    inherit_priority: bool = False
    """A call made inside a task has that task's priority unless it says otherwise."""
    expires: float | timedelta | datetime | str | None = None
    time_limit: float | None = None
    soft_time_limit: float | None = None
    queue: Any = None
    """Given by the task itself; ``None``: the routes decide."""
    exchange: Any = None
    routing_key: str | None = None
    repr_levels: int = 3
    backend: Any = None
    """Where its results are kept; ``None``: where the app's are."""
    validation: Validation | None = None
    """Of a task with ``pydantic=True``."""
    check: bool = True
    """Let it refuse arguments; otherwise the worker does."""
    secrets: Secrets | None = None
    """Arguments that are not to be shown; ``None``: all may be."""
    plain: bool = False
    """Nothing here has to be computed for each call. Follows from the others."""

    def __post_init__(self) -> None:
        plain = self.expires is None and not self.inherit_priority and self.repr_levels == 3
        force_setattr(self, "plain", plain and self.validation is None and self.secrets is None)


class Call(Struct, frozen=True, gc=False):
    """One task, to be run with these arguments."""

    recipe: Recipe
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}
    options: CallOptions = NO_OPTIONS


class Surroundings(Struct, frozen=True, kw_only=True):
    """Where calls are made: the inputs that a planner must not look up itself."""

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    zone: tzinfo
    """Where dates without a zone are meant."""
    origin: str
    """``gen<pid>@<host>``."""
    reply_to: str
    """Id of this process as a sender."""


def plan_call(
    call: Call, here: Surroundings, caller: Message | None, group_id: str | None = None, group_index: int | None = None
) -> Message:
    """Return the message of one call.

    Args:
        call: What to run.
        here: Clock, ids, zone.
        caller: Message of the task that makes the call; ``None``: a program does.
        group_id: Group that it is a member of.
        group_index: Its position there.

    Raises:
        ValueError: an option that cannot be: a soft limit above the hard one, a date that cannot be read.
        InvalidArguments: of a task with ``pydantic=True``: a value is not what its annotation says.
    """
    recipe, options = call.recipe, call.options
    if options is NO_OPTIONS and recipe.plain:
        id = here.new_id()
        return Message(
            id=id,
            task=recipe.name,
            args=call.args,
            kwargs=call.kwargs,
            time_limit=recipe.time_limit,
            soft_time_limit=recipe.soft_time_limit,
            priority=recipe.priority,
            root_id=id if caller is None else caller.root_id or caller.id,
            parent_id=None if caller is None else caller.id,
            group=group_id,
            group_index=group_index,
            reply_to=here.reply_to,
            origin=here.origin,
            ignore_result=recipe.ignore_result,
        )
    if group_id is not None:
        options = replace(options, group_id=group_id, group_index=group_index)
    return _plan_with_options(call, options, here, caller)


def _plan_with_options(call: Call, options: CallOptions, here: Surroundings, caller: Message | None) -> Message:
    recipe, args, kwargs = call.recipe, call.args, call.kwargs
    if recipe.validation is not None:
        args, kwargs = recipe.validation.for_sending(args, kwargs, check=recipe.check)
    argsrepr, kwargsrepr = _reprs(args, kwargs, options, recipe)
    id = options.task_id or here.new_id()
    hard, soft = _limits(recipe, options)
    parents = (None, None) if caller is None else (caller.root_id or caller.id, caller.id)
    return Message(
        id=id,
        task=recipe.name,
        args=args,
        kwargs=kwargs,
        eta=start_of(options.countdown, options.eta, here.now, here.zone),
        expires=end_of(_expiry(recipe, options), here.now, here.zone),
        retries=options.retries,
        time_limit=hard,
        soft_time_limit=soft,
        priority=_priority(recipe, options, caller),
        root_id=options.root_id or parents[0] or id,
        parent_id=options.parent_id or parents[1],
        group=options.group_id,
        group_index=options.group_index,
        reply_to=options.reply_to or here.reply_to,
        correlation_id=options.correlation_id,
        origin=options.origin or here.origin,
        replaced_task_nesting=options.replaced_task_nesting,
        shadow=options.shadow,
        argsrepr=argsrepr,
        kwargsrepr=kwargsrepr,
        ignore_result=recipe.ignore_result if options.ignore_result is None else options.ignore_result,
        stamped_headers=options.stamped_headers,
        stamps=options.stamps,
        callbacks=as_list(options.link, "link"),
        errbacks=as_list(options.link_error, "link_error"),
        chain=options.chain,
        chord=options.chord,
        headers=options.headers or {},
    )


def plan_group(calls: Iterable[Call], here: Surroundings, caller: Message | None, *, group_id: str) -> list[Message]:
    """Return the messages of a group: independent calls with one group id, counted from 0."""
    return [plan_call(call, here, caller, group_id, index) for index, call in enumerate(calls)]


def plan_numbered(
    calls: Sequence[tuple[int, Call]],
    here: Surroundings,
    caller: Message | None,
    *,
    group_id: str,
    chord: Mapping[str, Any] | None = None,
) -> list[Message]:
    """Return messages of some members of a group whose ids follow from its id and their places.

    Args:
        calls: Each with its place. One that has an id of its own keeps it.
        here: Clock, zone.
        caller: As for ``plan_call``.
        group_id: Of the group.
        chord: The body that they report to, if the group is the header of a chord.
    """
    place = 0
    numbered = replace(here, new_id=lambda: member_id(group_id, place))
    messages = []
    for place, call in calls:
        message = plan_call(call, numbered, caller, group_id, place)
        messages.append(message if chord is None else replace(message, chord=chord))
    return messages


def start_of(countdown: float | None, eta: datetime | str | None, now: Callable[[], datetime], zone: tzinfo) -> datetime | None:
    """Return the earliest start. A countdown of 0 is none."""
    if countdown:
        return _later(countdown, now, "countdown")
    return _moment(eta, zone, "eta")


def end_of(expires: float | timedelta | datetime | str | None, now: Callable[[], datetime], zone: tzinfo) -> datetime | None:
    """Return the latest start."""
    if isinstance(expires, timedelta):
        expires = expires.total_seconds()
    if isinstance(expires, int | float):
        return _later(expires, now, "expires")
    return _moment(expires, zone, "expires")


def _later(seconds: float, now: Callable[[], datetime], what: str) -> datetime:
    try:
        return now() + timedelta(seconds=seconds)
    except (OverflowError, ValueError, TypeError) as error:
        raise ValueError(f"{what}={seconds!r} is no number of seconds from now: {error}") from None


def _moment(given: datetime | str | None, zone: tzinfo, what: str) -> datetime | None:
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else given
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    except (ValueError, AttributeError):
        raise ValueError(f"{what}={given!r} is neither a datetime nor ISO 8601 text") from None


def _expiry(recipe: Recipe, options: CallOptions) -> float | timedelta | datetime | str | None:
    if options.expires is not None:
        return options.expires
    return recipe.expires if options.expiration is None else options.expiration


def _limits(recipe: Recipe, options: CallOptions) -> tuple[float | None, float | None]:
    hard = recipe.time_limit if options.time_limit is None else options.time_limit
    soft = recipe.soft_time_limit if options.soft_time_limit is None else options.soft_time_limit
    if hard and soft and soft > hard:
        raise ValueError(f"soft_time_limit ({soft} s) must be less than or equal to time_limit ({hard} s)")
    return hard, soft


def _priority(recipe: Recipe, options: CallOptions, caller: Message | None) -> int:
    if options.priority is None:
        return caller.priority if caller is not None and recipe.inherit_priority else recipe.priority
    if isinstance(options.priority, bool) or not isinstance(options.priority, int) or not 0 <= options.priority <= 255:
        raise ValueError(f"priority={options.priority!r} must be a whole number from 0 to 255")
    return options.priority


def _reprs(args: Sequence[Any], kwargs: Mapping[str, Any], options: CallOptions, recipe: Recipe) -> tuple[str | None, str | None]:
    """Return ``argsrepr`` and ``kwargsrepr``; ``None``: what the encoder shows by itself is right."""
    shown_args, shown_kwargs = options.argsrepr, options.kwargsrepr
    if recipe.secrets is not None:
        args, kwargs = recipe.secrets.shown(args, kwargs)
    elif recipe.repr_levels == 3:
        return shown_args, shown_kwargs
    return (
        safe_repr(args, MAX_LENGTH, recipe.repr_levels) if shown_args is None else shown_args,
        safe_repr(kwargs, MAX_LENGTH, recipe.repr_levels) if shown_kwargs is None else shown_kwargs,
    )


def as_list(link: Link | None, what: str) -> list[dict[str, Any]] | None:
    """Return the signatures of ``link`` or ``link_error`` as a list of plain objects.

    Raises:
        TypeError: one of them is no signature.
        WorkflowTooDeep: what is linked leads back to itself, or is linked to too much, one inside of the other.
    """
    if link is None:
        return None
    several = list(link) if isinstance(link, Iterable) and not isinstance(link, Mapping | str) else [link]
    for one in several:
        if not isinstance(one, Mapping) or "task" not in one:
            raise TypeError(f"{what} takes signatures, such as add.s(2), not {one!r}")
        vet(one)
    try:
        return [_plain(one) for one in several]
    except RecursionError:
        raise WorkflowTooDeep(f"{what}: an argument of {several[0]['task']} is nested too deep, or holds itself") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
