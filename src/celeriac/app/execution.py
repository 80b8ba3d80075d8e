"""Run one task function, and say how it ended.

In a job's life: the lane calls ``execute`` (or ``aexecute`` on an event loop) for each admitted request; the Outcome goes to
settlement. The same function serves workers and eager calls. Whatever the user's code raises ends here, as data; only what stops
the whole process (``KeyboardInterrupt``) passes. Does not know: stores, processes, what becomes of an Outcome.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine, Mapping
from types import CoroutineType
from typing import Any

from celeriac.app import signals
from celeriac.app.context import Context, enter, leave
from celeriac.app.task import Task
from celeriac.core.errors import Ignore, MaxRetriesExceededError, Reject, Retry
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Success

Await = Callable[[Coroutine[Any, Any, Any]], Any]
"""Drives a coroutine to its end and returns its result: each lane has its own way."""


def execute(task: Task[..., Any], context: Context, run_coroutine: Await) -> Outcome:
    """Run the task with the arguments of its message; an ``async def`` task is driven by ``run_coroutine``."""
    message = context.message
    token = enter(context)
    try:
        _announce_start(task, context)
        value = task.run(*message.args, **message.kwargs)
        if type(value) is CoroutineType:
            value = run_coroutine(value)
        outcome: Outcome = Success(value)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        outcome = how_it_ended(task, context, error)
    finally:
        leave(token)
    if signals.task_postrun.receivers:
        _announce_end(task, context, outcome)
    return outcome


async def aexecute(task: Task[..., Any], context: Context) -> Outcome:
    """The twin of ``execute`` for an ``async def`` task, on the running event loop."""
    message = context.message
    token = enter(context)
    try:
        _announce_start(task, context)
        outcome: Outcome = Success(await task.run(*message.args, **message.kwargs))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        outcome = how_it_ended(task, context, error)
    finally:
        leave(token)
    if signals.task_postrun.receivers:
        _announce_end(task, context, outcome)
    return outcome


def how_it_ended(task: Task[..., Any], context: Context, error: BaseException) -> Outcome:
    """Turn what a run raised into an Outcome; asks the task's own rules whether it is to be tried again."""
    match error:
        case Retry():
            return _retried(error)
        case Ignore():
            return Ignored()
        case Reject():
            return Refused(reason=_shown(error.reason), requeue=bool(error.requeue))
    try:
        # Task.retry raises Retry, or what the caller is to see when there are no retries left.
        task.retry_by_rule(context, error)
    except Retry as again:
        return _retried(again)
    except Exception as last:
        error = last
    # A TypeError of the call itself has no frame below ours.
    uncallable = isinstance(error, TypeError) and (trace := error.__traceback__) is not None and trace.tb_next is None
    return Failure(error, traceback=_text(error), expected=isinstance(error, tuple(task.throws)), uncallable=uncallable)


def _retried(retry: Retry) -> Outcome:
    again = retry.again
    if again is None:  # raised by hand: there is no message to send
        return Failure(MaxRetriesExceededError("Retry was raised by hand; call self.retry()"), traceback=_text(retry))
    return Retried(again=again, exception=retry.exc, traceback=_text(retry), when=retry.humanize())


def _text(error: BaseException) -> str:
    """Return the traceback from the user's first frame on; ours only says that we called it."""
    frames = error.__traceback__
    if frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, frames))
    except Exception as broken:  # an exception whose own str or repr raises
        return f"{type(error).__name__} (its text cannot be shown: {type(broken).__name__})"


def _shown(reason: object) -> str:
    try:
        return str(reason) if reason is not None else ""
    except Exception:
        return type(reason).__name__


def _announce_start(task: Task[..., Any], context: Context) -> None:
    if signals.task_prerun.receivers:
        message = context.message
        signals.task_prerun.send(task, task_id=message.id, task=task, args=message.args, kwargs=message.kwargs)


def _announce_end(task: Task[..., Any], context: Context, outcome: Outcome) -> None:
    message = context.message
    facts: Mapping[str, Any] = {"task_id": message.id, "task": task, "args": message.args, "kwargs": message.kwargs}
    value = outcome.value if isinstance(outcome, Success) else getattr(outcome, "exception", None)
    states = {Success: "SUCCESS", Failure: "FAILURE", Retried: "RETRY"}
    signals.task_postrun.send(task, **facts, retval=value, state=states.get(type(outcome)))
