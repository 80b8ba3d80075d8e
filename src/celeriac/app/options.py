"""What a caller may say beside the arguments: one frozen object for each call.

In a job's life: ``apply_async(..., countdown=10)`` and a Signature's ``options`` become ``CallOptions`` once, at the edge;
the planner reads it. ``OptionKeywords`` is the same list as types for ``**options``. Names are Celery's. Does not know:
tasks, settings.
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


class FurtherKeywords(TypedDict, total=False):
    """Keywords of ``Task.retry`` beside its own. Each is explained at ``CallOptions``."""

    expires: float | timedelta | Moment | None
    task_id: str | UUID | None
    queue: Any
    exchange: Any
    routing_key: str | None
    priority: int | None
    serializer: str | None
    compression: str | None
    delivery_mode: int | str | None
    link: Link | None
    link_error: Link | None
    shadow: str | None
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
    add_to_parent: bool


class OptionKeywords(FurtherKeywords, total=False):
    """Keywords of ``apply_async``, ``send_task``, ``Signature.set``. Each is explained at ``CallOptions``."""

    countdown: float | None
    eta: Moment | None


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
    stamped_headers: Sequence[str] | None = None
    stamps: Mapping[str, Any] = {}


NO_OPTIONS: Final = CallOptions()
_NAMES: Final = frozenset(CallOptions.__struct_fields__)
_UNSUPPORTED: Final = frozenset({
    "connection", "producer", "publisher", "router", "result_cls", "route_name", "exchange_type", "declare", "timeout",
    "confirm_timeout", "mandatory", "immediate", "expiration", "event_dispatcher", "task_type", "origin",
    "replaced_task_nesting", "chain_id",
})  # fmt: skip
"""Options of Celery's that this version refuses rather than ignores."""


def options_from(given: Mapping[str, Any]) -> CallOptions:
    """Return the options that a program gave.

    Raises:
        TypeError: there is no such option; the message names the nearest, or says that this version lacks it.
        ValueError: a queue, routing key or id that nobody could find again.
    """
    if not given:
        return NO_OPTIONS
    for name in given:
        if name not in _NAMES:
            raise TypeError(_refusal(name))
    checked_address(given.get("queue"), "queue")
    checked_address(given.get("exchange"), "exchange", may_be_empty=True)
    checked_address(given.get("routing_key"), "routing_key", may_be_empty=True)
    if given.get("task_id") is not None:
        return CallOptions(**{**given, "task_id": checked_id(given["task_id"])})
    return CallOptions(**given)


def _refusal(name: str) -> str:
    if name in _UNSUPPORTED:
        return f"the option {name!r} is not supported by this version"
    near = get_close_matches(name, _NAMES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "the caller's own values travel in headers={...}"
    return f"there is no option {name!r}: {hint}"


def options_from_wire(stored: Mapping[str, Any]) -> CallOptions:
    """Return the options of a signature that came in a message: stamps stand among them, and unknown ones are left out."""
    stamped = stored.get("stamped_headers") or ()
    known = {name: value for name, value in stored.items() if name in _NAMES}
    if stamped:
        known["stamps"] = {name: stored[name] for name in stamped if name in stored}
    return CallOptions(**known)


def merge(task: CallOptions, call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of ``task`` with those of ``call`` over them, as a mapping."""
    own = {name: value for name in task.__struct_fields__ if (value := getattr(task, name)) is not None}
    return {**own, **call}
