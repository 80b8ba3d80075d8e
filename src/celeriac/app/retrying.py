"""Ask for another run: what ``Task.retry`` and ``autoretry_for`` amount to.

In a job's life: raised inside the run, caught by execution; settlement sends ``Retry.again`` and ends the delivery in one
step, so that a crash in between neither loses nor doubles the task. The retry goes to the queue that the message came from,
unless ``retry`` names another. Pure but for the clock and the chance that are handed in. Source: Celery's guide, "Retrying".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.app.arguments import Parameters
from celeriac.app.checking.secrets import Secrets
from celeriac.app.context import Context
from celeriac.app.home import Home
from celeriac.app.options import NO_OPTIONS, CallOptions
from celeriac.app.plan import Surroundings, as_list, end_of, start_of
from celeriac.app.signature import Signature
from celeriac.core import protocol
from celeriac.core.errors import MaxRetriesExceededError, Retry
from celeriac.core.message import Address, Message
from celeriac.core.representation import safe_repr
from celeriac.core.retry import backoff_of

_NOT_HERE: Final = ("connection", "producer", "publisher", "router", "route_name", "result_cls", "timeout", "confirm_timeout",
                    "retries", "properties")  # fmt: skip
"""Options that a retry cannot have: it is sent by the worker, in the step that ends the run, and counted by it."""
_SAME_NAME: Final = (
    "priority", "time_limit", "soft_time_limit", "shadow", "ignore_result", "argsrepr", "kwargsrepr", "reply_to",
    "correlation_id", "origin", "root_id", "parent_id", "group_index", "chain", "chord", "stamped_headers",
)  # fmt: skip
_OTHER_NAME: Final = {"task_id": "id", "group_id": "group"}
_ADDRESS: Final = Address.__struct_fields__


class Wish(Struct, frozen=True, kw_only=True):
    """What the task asked for."""

    args: Sequence[Any] | None = None
    """``None``: as before."""
    kwargs: Mapping[str, Any] | None = None
    exc: BaseException | None = None
    """Why; raised when there are no retries left."""
    message: str | None = None
    """What to tell people instead."""
    countdown: float | None = None
    eta: datetime | str | None = None
    limit: int | None = 3
    """Retries that it may have; ``None``: any number."""
    options: CallOptions = CallOptions()


class RetryRules(Struct, frozen=True, kw_only=True):
    """When a task is tried again without asking: ``autoretry_for`` and its companions."""

    classes: tuple[type[BaseException], ...] = ()
    excluded: tuple[type[BaseException], ...] = ()
    kwargs: Mapping[str, Any] = {}
    """``retry_kwargs``: arguments for ``retry``."""
    backoff: bool | float = False
    backoff_max_s: float = 600
    jitter: bool = True

    def holds_for(self, error: BaseException) -> bool:
        """Say whether a run that ended so is to be tried again."""
        return isinstance(error, self.classes) and not isinstance(error, self.excluded)

    def delay_s(self, retries: int, random: float) -> float | None:
        """Return seconds to wait; ``None``: as the task's ``default_retry_delay`` says."""
        backoff = backoff_of(self.backoff, maximum_s=self.backoff_max_s, jitter=self.jitter)
        return None if backoff is None else backoff.delay_s(retries, random=random)


def plan_retry(context: Context, wish: Wish, parameters: Parameters, here: Surroundings) -> Retry:
    """Return the Retry to raise.

    Raises:
        The task's own exception, or MaxRetriesExceededError: there are no retries left.
        TypeError: an option that a retry cannot have.
    """
    message, options = context.as_message(), wish.options
    for name in _NOT_HERE if options is not NO_OPTIONS else ():
        if given := getattr(options, name):
            said = ", ".join(map(repr, given)) if name == "properties" else repr(name)
            raise TypeError(f"retry() cannot have {said}: the worker sends the retry in the step that ends the run")
    args, kwargs = _arguments(message, wish, parameters)
    if wish.limit is not None and message.retries >= wish.limit:
        if wish.exc is not None:
            raise wish.exc
        shown_args, shown_kwargs = (args, kwargs) if parameters.secrets is None else parameters.secrets.shown(args, kwargs)
        raise MaxRetriesExceededError(
            f"Can't retry {message.task}[{message.id}] args:{shown_args} kwargs:{shown_kwargs}",
            task_args=args,
            task_kwargs=kwargs,
        )
    eta = start_of(wish.countdown, wish.eta, here.now, here.zone)
    again = protocol.retry(replace(message, args=args, kwargs=kwargs), eta=eta)
    if options is not NO_OPTIONS or args != message.args or kwargs != message.kwargs:
        again = _with_options(again, message, options, here)
        if parameters.secrets is not None:
            again = _without_secrets(again, parameters.secrets)
    # Celery's word for what is there is ``eta or countdown``.
    when: Any = wish.eta if wish.eta is not None else wish.countdown
    retry = Retry(wish.message, wish.exc, when, is_eager=context.is_eager, sig=_signature_of(again, options))
    retry.again, retry.address = again, _address_of(options)
    return retry


def _without_secrets(again: Message, secrets: Secrets) -> Message:
    """Return a message whose arguments, where the encoder would show them, are shown without secrets."""
    args, kwargs = secrets.shown(again.args, again.kwargs)
    return replace(
        again,
        argsrepr=safe_repr(args) if again.argsrepr is None else again.argsrepr,
        kwargsrepr=safe_repr(kwargs) if again.kwargsrepr is None else again.kwargsrepr,
    )


def _address_of(options: CallOptions) -> Address | None:
    said = {name: value for name in _ADDRESS if (value := getattr(options, name)) is not None}
    return Address(**said) if said else None


def _with_options(again: Message, before: Message, options: CallOptions, here: Surroundings) -> Message:
    changed: dict[str, Any] = {name: value for name in _SAME_NAME if (value := getattr(options, name)) is not None}
    changed.update((ours, value) for name, ours in _OTHER_NAME.items() if (value := getattr(options, name)) is not None)
    if options.headers:
        changed["headers"] = {**again.headers, **options.headers}
    if options.stamps:
        changed["stamps"] = {**again.stamps, **options.stamps}
    if options.replaced_task_nesting:
        changed["replaced_task_nesting"] = options.replaced_task_nesting
    expires = options.expires if options.expires is not None else options.expiration
    if expires is not None:
        changed["expires"] = end_of(expires, here.now, here.zone)
    if options.link is not None:
        changed["callbacks"] = as_list(options.link, "link")
    if options.link_error is not None:
        changed["errbacks"] = as_list(options.link_error, "link_error")
    if again.args != before.args:
        changed.setdefault("argsrepr", None)
    if again.kwargs != before.kwargs:
        changed.setdefault("kwargsrepr", None)
    return replace(again, **changed) if changed else again


def wish_of(retry: Retry, *, limit: int | None, delay_s: float) -> Wish:
    """Return what a ``Retry`` asks for that a task raised by hand.

    Args:
        retry: Its ``exc`` is raised when there are no retries left, its ``when`` is when.
        limit: The task's ``max_retries``.
        delay_s: The task's ``default_retry_delay``, seconds.
    """
    if retry.when is None:
        return Wish(exc=retry.exc, message=retry.message, countdown=delay_s, limit=limit)
    if isinstance(retry.when, int | float):
        return Wish(exc=retry.exc, message=retry.message, countdown=retry.when, limit=limit)
    return Wish(exc=retry.exc, message=retry.message, eta=retry.when, limit=limit)


def signature_from_request(
    request: Context,
    app: Home,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    queue: Any = None,
    options: Mapping[str, Any] | None = None,
    *,
    task: str = "",
    ignore_result: bool | None = None,
) -> Signature[Any]:
    """Return a Signature that makes the call ``request`` again: the same id, callbacks, place in its workflow.

    Args:
        request: The call.
        app: Who is to send it.
        args: Other positional arguments; ``None``: the same.
        kwargs: Other keyword arguments; ``None``: the same.
        queue: Where to; ``None``: where it came from.
        options: Further options; they win.
        task: Name of the task; ``""``: the request's.
        ignore_result: What holds unless the call itself said.

    Source: Celery's reference of ``Task.signature_from_request``.
    """
    said = request.as_message().ignore_result
    came = request.delivery_info or {}
    chosen = {**request.as_execution_options(), "ignore_result": ignore_result if said is None else said, **(options or {})}
    if came.get("priority") is not None:
        chosen["priority"] = came["priority"]
    if queue:
        chosen["queue"] = queue
    elif came.get("exchange"):
        chosen.update(exchange=came["exchange"], routing_key=came.get("routing_key"))
    elif came.get("routing_key"):
        chosen["queue"] = came["routing_key"]
    args = request.args if args is None else args
    kwargs = request.kwargs if kwargs is None else kwargs
    return Signature(task or request.task or "", tuple(args or ()), kwargs, chosen, app=app)


def _signature_of(again: Message, options: CallOptions) -> Signature[Any]:
    return Signature(
        again.task,
        tuple(again.args),
        again.kwargs,
        {"task_id": again.id, "retries": again.retries, "eta": again.eta, "queue": options.queue},
    )


def _arguments(message: Message, wish: Wish, parameters: Parameters) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Return the arguments of the next run; a value that is given anew replaces the old one however that was passed."""
    args, kwargs = wish.args, wish.kwargs
    if args is not None and kwargs is None:
        taken = parameters.positional[: len(args)]
        return args, {name: value for name, value in message.kwargs.items() if name not in taken}
    if kwargs is not None and args is None:
        return _renamed(message.args, kwargs, parameters)
    return message.args if args is None else args, message.kwargs if kwargs is None else kwargs


def _renamed(args: Sequence[Any], kwargs: Mapping[str, Any], parameters: Parameters) -> tuple[Sequence[Any], Mapping[str, Any]]:
    changed, left = list(args), dict(kwargs)
    for index, name in enumerate(parameters.positional[: len(args)]):
        if name in left:
            changed[index] = left.pop(name)
    return changed, left
