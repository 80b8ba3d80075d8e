"""Ask for another run: what ``Task.retry`` and ``autoretry_for`` amount to.

In a job's life: raised inside the run, caught by execution; settlement sends ``Retry.again`` and ends the delivery in one
step, so that a crash in between neither loses nor doubles the task. The retry goes to the queue that the message came from.
Pure but for the clock and the chance that are handed in. Source: Celery's guide, "Retrying".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.app.arguments import Parameters
from celeriac.app.context import Context
from celeriac.app.options import CallOptions
from celeriac.app.plan import Surroundings, as_list, end_of, start_of
from celeriac.core import protocol
from celeriac.core.errors import MaxRetriesExceededError, Retry
from celeriac.core.message import Message
from celeriac.core.retry import backoff_of

_KEPT: Final = (
    "queue", "exchange", "routing_key", "serializer", "compression", "task_id", "delivery_mode", "group_id", "retries",
)  # fmt: skip
"""Options that a retry cannot change: it is the same call, in the same queue."""


class Wish(Struct, frozen=True, kw_only=True):
    """What the task asked for."""

    args: Sequence[Any] | None = None
    """``None``: as before."""
    kwargs: Mapping[str, Any] | None = None
    exc: BaseException | None = None
    """Why; raised when there are no retries left."""
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
        TypeError: an option that a retry cannot change.
    """
    message = context.message
    for name in _KEPT:
        if getattr(wish.options, name):
            raise TypeError(f"retry() cannot change {name!r} in this version: a retry goes to the queue that it came from")
    args, kwargs = _arguments(message, wish, parameters)
    if wish.limit is not None and message.retries >= wish.limit:
        if wish.exc is not None:
            raise wish.exc
        raise MaxRetriesExceededError(
            f"Can't retry {message.task}[{message.id}] args:{args} kwargs:{kwargs}", task_args=args, task_kwargs=kwargs
        )
    eta = start_of(wish.countdown, wish.eta, here.now, here.zone)
    retry = Retry(None, wish.exc, wish.eta if wish.eta is not None else wish.countdown)  # type: ignore[arg-type]
    retry.again = _with_options(protocol.retry(replace(message, args=args, kwargs=kwargs), eta=eta), message, wish.options, here)
    return retry


def _with_options(again: Message, before: Message, options: CallOptions, here: Surroundings) -> Message:
    changed: dict[str, Any] = {
        name: value
        for name in ("priority", "time_limit", "soft_time_limit", "shadow", "ignore_result", "argsrepr", "kwargsrepr")
        if (value := getattr(options, name)) is not None
    }
    if options.headers:
        changed["headers"] = {**again.headers, **options.headers}
    if options.expires is not None:
        changed["expires"] = end_of(options.expires, here.now, here.zone)
    if options.link is not None:
        changed["callbacks"] = as_list(options.link, "link")
    if options.link_error is not None:
        changed["errbacks"] = as_list(options.link_error, "link_error")
    if again.args != before.args:
        changed.setdefault("argsrepr", None)
    if again.kwargs != before.kwargs:
        changed.setdefault("kwargsrepr", None)
    return replace(again, **changed) if changed else again


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
