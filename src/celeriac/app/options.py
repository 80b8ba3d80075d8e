"""What a caller may say beside the arguments: one frozen object for each call.

In a job's life: ``apply_async(..., countdown=10)`` and a Signature's ``options`` become ``CallOptions`` once, at the edge;
the planner reads it. ``OptionKeywords`` is the same list as types for ``**options``. Names are Celery's. A keyword that is
none of them and resembles none travels as a property of the message, as Celery's do; one that resembles an option is a
mistake. Does not know: tasks, settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final, TypedDict
from uuid import UUID

from msgspec import Struct

from celeriac.app.names import checked_address, checked_id

Moment = datetime | str
"""A date, or its ISO 8601 text. Without a zone: in the app's."""
Link = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""One signature or several."""


class _MemberKeywords(TypedDict, total=False):
    """What may be said of every call, and of every member of a chord."""

    expires: float | timedelta | Moment | None
    queue: Any
    exchange: Any
    routing_key: str | None
    priority: int | None
    serializer: str | None
    compression: str | None
    delivery_mode: int | str | None
    ignore_result: bool | None
    headers: Mapping[str, Any] | None
    time_limit: float | None
    soft_time_limit: float | None
    retry: bool | None
    retry_policy: Mapping[str, Any] | None
    reply_to: str | None
    correlation_id: str | None
    argsrepr: str | None
    kwargsrepr: str | None
    group_id: str | None
    group_index: int | None
    root_id: str | None
    parent_id: str | None
    chain: Sequence[Mapping[str, Any]] | None
    chord: Mapping[str, Any] | None
    retries: int
    replaced_task_nesting: int
    origin: str | None
    stamped_headers: Sequence[str] | None
    exchange_type: str | None
    task_type: Any
    declare: Sequence[Any] | None
    timeout: float | None
    confirm_timeout: float | None
    expiration: float | None
    event_dispatcher: Any
    mandatory: bool | None
    immediate: bool | None


class _CommonKeywords(_MemberKeywords, total=False):
    """What may be said of every call."""

    router: Any
    connection: Any
    publisher: Any
    result_cls: Any


class ApplyKeywords(_CommonKeywords, total=False):
    """Keywords of ``Task.apply_async`` beside its own. Each is explained at ``CallOptions``."""

    add_to_parent: bool
    route_name: str | None
    countdown: float | None
    eta: Moment | None


class FurtherKeywords(_CommonKeywords, total=False):
    """Keywords of ``Task.retry`` beside its own. Each is explained at ``CallOptions``."""

    add_to_parent: bool
    route_name: str | None
    task_id: str | UUID | None
    producer: Any
    link: Link | None
    link_error: Link | None
    shadow: str | None


class OptionKeywords(FurtherKeywords, total=False):
    """Keywords of ``send_task``, ``Signature.set`` and the like. Each is explained at ``CallOptions``."""

    countdown: float | None
    eta: Moment | None


class SignatureKeywords(_CommonKeywords, total=False):
    """Keywords of ``Signature.apply_async`` beside its own. Each is explained at ``CallOptions``."""

    add_to_parent: bool
    task_id: str | UUID | None
    producer: Any
    link: Link | None
    link_error: Link | None
    shadow: str | None
    countdown: float | None
    eta: Moment | None


class GroupKeywords(_CommonKeywords, total=False):
    """Keywords of ``group.apply_async`` beside its own: for each member, but ``task_id``, which is the group's."""

    route_name: str | None
    task_id: str | UUID | None
    shadow: str | None
    countdown: float | None
    eta: Moment | None


class ChordKeywords(_MemberKeywords, total=False):
    """Keywords of ``chord.apply_async`` beside its own: for each member, but the links, which are the body's."""

    route_name: str | None
    link: Link | None
    link_error: Link | None
    shadow: str | None
    countdown: float | None
    eta: Moment | None
    interval: float | None
    max_retries: int | None


class CallOptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call's options. ``None``: as the task says, and where it says nothing, the app."""

    countdown: float | None = None
    """Seconds from now to the earliest start."""
    eta: Moment | None = None
    """Earliest start."""
    expires: float | timedelta | Moment | None = None
    """Never start it later; a bare number is seconds from now."""
    task_id: str | None = None
    """``None``: a fresh UUID4."""
    queue: Any = None
    """Name, or Queue object."""
    exchange: Any = None
    routing_key: str | None = None
    priority: int | None = None
    """0 … 9 as the broker counts; here and on Redis 0 is served first."""
    serializer: str | None = None
    compression: str | None = None
    delivery_mode: int | str | None = None
    link: Link | None = None
    """Signatures to send with the result after success."""
    link_error: Link | None = None
    """Signatures to send, or call, after failure."""
    shadow: str | None = None
    """Shown instead of the task's name."""
    ignore_result: bool | None = None
    headers: Mapping[str, Any] | None = None
    """The caller's own headers; the task sees them in ``request.headers``."""
    time_limit: float | None = None
    """Hard limit, seconds."""
    soft_time_limit: float | None = None
    """Soft limit, seconds; at most the hard one."""
    retry: bool | None = None
    """Try publishing again when the broker does not answer."""
    retry_policy: Mapping[str, Any] | None = None
    """How often and with which pauses: see ``task_publish_retry_policy``."""
    reply_to: str | None = None
    correlation_id: str | None = None
    argsrepr: str | None = None
    """Shown instead of the arguments: for secrets."""
    kwargsrepr: str | None = None
    group_id: str | None = None
    group_index: int | None = None
    root_id: str | None = None
    parent_id: str | None = None
    chain: Sequence[Mapping[str, Any]] | None = None
    chord: Mapping[str, Any] | None = None
    retries: int = 0
    add_to_parent: bool = True
    """Inside a task: remember the result among ``request.children``."""
    replaced_task_nesting: int = 0
    """How often the call was replaced by another task."""
    origin: str | None = None
    """Who sends it; ``None``: ``gen<pid>@<host>``."""
    stamped_headers: Sequence[str] | None = None
    """Names of the stamps; each is given as a keyword of its own."""
    stamps: Mapping[str, Any] = {}
    exchange_type: str | None = None
    route_name: str | None = None
    """Look this name up in ``task_routes`` instead of the task's."""
    router: Any = None
    """Asked instead of the app's routes: ``route(options, name, args, kwargs, task_type)``, which returns options."""
    task_type: Any = None
    """Task that functions in ``task_routes`` are handed."""
    connection: Any = None
    """Send over this one: of an app of ours. Another library's is told once in the log, and the app's own is used."""
    producer: Any = None
    """The same."""
    publisher: Any = None
    """Old name of ``producer``."""
    result_cls: Any = None
    """Class of the result that is returned."""
    declare: Sequence[Any] | None = None
    """What to declare first. A queue of memory, SQLite or Redis is there when it is sent to: nothing is to be done."""
    timeout: float | None = None
    """Seconds that sending may take in all, instead of what the ``retry_policy`` comes to."""
    confirm_timeout: float | None = None
    """Seconds that the broker's confirmation may take: bounds sending as ``timeout`` does; the shorter one holds."""
    expiration: float | None = None
    """Seconds that the broker is to keep it: here the same as ``expires``, which wins; it ends as REVOKED and does not vanish."""
    event_dispatcher: Any = None
    """Sends ``task-sent`` instead of the app, where ``task_send_sent_event`` has it sent."""
    mandatory: bool | None = None
    """Refuse what no queue takes. On stores without exchanges each message has its queue: always so."""
    immediate: bool | None = None
    """Refuse what no worker takes at once. No broker has it any more; told once in the log."""
    properties: Mapping[str, Any] = {}
    """Further properties of the message: keywords that are no option. The task sees them in ``request.properties``."""


NO_OPTIONS: Final = CallOptions()
_NAMES: Final = frozenset(CallOptions.__struct_fields__) - {"stamps", "properties"}
_PROPERTIES: Final = frozenset({
    "message_id", "timestamp", "type", "user_id", "app_id", "cluster_id",
    "periodic_task_name",
})  # fmt: skip
"""Properties of messages that are looked for under just these names, however near they come to an option."""
_RESERVED: Final = frozenset({"body_encoding", "content_encoding", "content_type", "delivery_info", "delivery_tag"})
"""Properties that the serializer and the store write."""
_LIVE: Final = frozenset({
    "connection", "producer", "publisher", "router", "result_cls", "event_dispatcher", "task_type", "declare",
})  # fmt: skip
"""Objects of this process: never taken from a message."""
_KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    **dict.fromkeys(("time_limit", "soft_time_limit"), ((int, float), "a number of seconds")),
    **dict.fromkeys(("retries", "replaced_task_nesting", "group_index"), ((int,), "a whole number")),
    **dict.fromkeys(
        ("shadow", "origin", "argsrepr", "kwargsrepr", "reply_to", "correlation_id", "root_id", "parent_id", "group_id"),
        ((str,), "text"),
    ),
    **dict.fromkeys(("headers", "retry_policy", "chord"), ((Mapping,), "a mapping")),
    **dict.fromkeys(("chain", "stamped_headers"), ((list, tuple), "a list")),
    "ignore_result": ((bool,), "True or False"),
}
"""What a worker could not read as anything else: it is found out at the call."""
_ABLE: Final = {"router": "route", "result_cls": "__call__"}
"""What an object must be able to do."""
_LONGEST: Final = {"shadow": 1024, "origin": 1024} | dict.fromkeys(
    ("reply_to", "correlation_id", "root_id", "parent_id", "group_id"), 255
)
"""Characters that a worker reads."""
_MOST: Final = 10**9
_NEAR: Final = 0.75
"""So much alike, two names are one and a mistake."""


def options_from(given: Mapping[str, Any]) -> CallOptions:
    """Return the options that a program gave.

    Raises:
        TypeError: there is no such option, and there is one that is spelt nearly so; or a value of a wrong kind.
        ValueError: a queue, routing key or id that nobody could find again, or a number out of bounds.
    """
    if not given:
        return NO_OPTIONS
    if not given.keys() <= _NAMES:
        given = _sorted(given)
    checked_address(given.get("queue"), "queue")
    checked_address(given.get("exchange"), "exchange", may_be_empty=True)
    checked_address(given.get("routing_key"), "routing_key", may_be_empty=True)
    for name in ("timeout", "confirm_timeout", "expiration"):
        if given.get(name) is not None:
            _check_seconds(name, given[name])
    for name, value in given.items():
        if value is None:
            continue
        if name in _KINDS:
            _check_kind(name, value)
        elif name in _ABLE and not callable(getattr(value, _ABLE[name], None)):
            raise TypeError(f"{name}={value!r} has no {_ABLE[name]}(): see CallOptions.{name}")
    if given.get("task_id") is not None:
        return CallOptions(**{**given, "task_id": checked_id(given["task_id"])})
    return CallOptions(**given)


def _sorted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options among what was given, with the rest in the two places where it belongs: stamps and properties."""
    options = {name: value for name, value in given.items() if name in _NAMES}
    stamped = frozenset(given.get("stamped_headers") or ())
    further: dict[str, Any] = {}
    for name in given.keys() - options.keys() - stamped:
        _refuse_misspelt(name)
        further[name] = given[name]
    options["stamps"] = {name: given[name] for name in given if name in stamped}
    options["properties"] = further
    return options


def _refuse_misspelt(name: str) -> None:
    if name in _PROPERTIES:
        return
    if name in _RESERVED:
        raise TypeError(f"there is no option {name!r}: the serializer and the store write this property")
    near = get_close_matches(name, _NAMES, n=1, cutoff=_NEAR)
    if near:
        raise TypeError(f"there is no option {name!r}: did you mean {near[0]!r}?")


def _check_kind(name: str, value: Any) -> None:
    kinds, words = _KINDS[name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError(f"{name}={value!r} must be {words}")
    if isinstance(value, int | float) and not 0 <= value <= _MOST:
        raise ValueError(f"{name}={value!r} must be {words} from 0 to {_MOST}")
    if isinstance(value, str) and len(value) > _LONGEST.get(name, len(value)):
        raise ValueError(f"{name} has {len(value)} characters, more than {_LONGEST[name]}")


def _check_seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"{name}={value!r} must be a number of seconds, more than 0")


def options_from_wire(stored: Mapping[str, Any]) -> CallOptions:
    """Return the options of a signature that came in a message: stamps stand among them, and unknown ones are left out."""
    stamped = stored.get("stamped_headers") or ()
    known = {name: value for name, value in stored.items() if name in _NAMES and name not in _LIVE}
    if stamped:
        known["stamps"] = {name: stored[name] for name in stamped if name in stored}
    return CallOptions(**known)
