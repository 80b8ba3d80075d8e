"""Run one task function, and say how it ended.

In a job's life: the lane calls ``execute`` (or ``aexecute`` on an event loop) for each admitted request; the Outcome goes to
settlement. The same functions serve workers and eager calls. Whatever the user's code raises ends here, as data; only what stops
the whole process (``KeyboardInterrupt``), or the run from outside (``RunEnded``), passes. Does not know: stores, processes, what
becomes of an Outcome.

A task that nothing of the user's surrounds (``task.plain``) is a call in a ``try``. Otherwise ``_dressed`` has the order of
things once, as a generator that hands out each coroutine which it needs driven, so that both functions follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import CoroutineType, FrameType
from typing import Any, Final

from msgspec.structs import replace

from celeriac.app import trace
from celeriac.app.aftermath import Tell, aftermath
from celeriac.app.context import Context, enter, leave
from celeriac.app.ended import PASSING
from celeriac.app.results.backend_view import DisabledView
from celeriac.app.results.result_states import ResultBase
from celeriac.app.running import Replaced, Running
from celeriac.app.signals import task_failure as _failure
from celeriac.app.signals import task_postrun as _postrun
from celeriac.app.signals import task_prerun as _prerun
from celeriac.app.signals import task_retry as _retry
from celeriac.app.signals import task_success as _success
from celeriac.core import codecs
from celeriac.core.errors import EncodeError, Ignore, Reject, Retry
from celeriac.core.exceptions import tamed
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Success
from celeriac.core.tracebacks import text_of

_SIMPLE: Final = frozenset({type(None), bool, int, float, str})
"""What every serializer can write."""
Await = Callable[[Coroutine[Any, Any, Any]], Any]
"""Drives a coroutine to its end and returns its result: each lane has its own way."""
EXPECTS_CALL: Final = "_expects_call"
"""Set on a Context while a ``__call__`` of the user's own is called for it: then ``Task.__call__`` is part of the same run."""


def execute(task: Running, context: Context, run_coroutine: Await, through: Any = None) -> Outcome:
    """Run the task with the arguments of its message; an ``async def`` task is driven by ``run_coroutine``.

    Where a tracer is around it already, ``through`` is the task as that has wrapped it, or itself.
    """
    if trace.build_tracer is not trace.OWN and through is None:
        return trace.traced(task, context, lambda through: execute(task, context, run_coroutine, through))
    token = enter(context)
    try:
        if _is_watched(task, context) or (through is not None and through is not task):
            return _driven(_dressed(task, context, through), run_coroutine)
        message = context.message
        try:
            value = task.run(*message.args, **message.kwargs)
            return Success(run_coroutine(value) if type(value) is CoroutineType else value)
        except PASSING:
            raise
        except BaseException as error:
            return how_it_ended(task, context, error)
    finally:
        leave(token)


async def aexecute(task: Running, context: Context) -> Outcome:
    """The twin of ``execute`` on the running event loop."""
    token = enter(context)
    if not _is_watched(task, context):
        try:
            value = task.run(*context.message.args, **context.message.kwargs)
            return Success(await value if type(value) is CoroutineType else value)
        except PASSING:
            raise
        except BaseException as error:
            return how_it_ended(task, context, error)
        finally:
            leave(token)
    steps = _dressed(task, context)
    try:
        wanted = next(steps)
        while True:
            try:
                answer = await wanted
            except BaseException as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    finally:
        leave(token)


def interrupted(error: BaseException) -> Failure:
    """Return how a run ended that raised what only a keyboard should, for workers, which hear none; or that was interrupted where
    no code of the user's was running."""
    return Failure(error, traceback=text_of(error, error.__traceback__))


def _is_watched(task: Running, context: Context) -> bool:
    """Whether anything of the user's but the function has a part in the run."""
    return bool(
        not task.plain
        or context.message.errbacks
        or _prerun.receivers
        or _postrun.receivers
        or _success.receivers
        or _failure.receivers
        or _retry.receivers
    )


def _driven(steps: Generator[Coroutine[Any, Any, Any], Any, Outcome], run_coroutine: Await) -> Outcome:
    try:
        wanted = next(steps)
        while True:
            try:
                answer = run_coroutine(wanted)
            except BaseException as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def _dressed(task: Running, context: Context, through: Any = None) -> Generator[Coroutine[Any, Any, Any], Any, Outcome]:
    message = context.message
    tell = Tell(task, context)
    outcome: Outcome
    try:
        tell.begins()
        if type(answer := task.before_start(message.id, message.args, message.kwargs)) is CoroutineType:
            yield answer
        value = _called(task, context, task if through is None else through)
        if type(value) is CoroutineType:
            value = yield value
        outcome = returned(task, context, value if task.validation is None else task.validation.result(value))
    except PASSING:
        raise
    except BaseException as error:
        outcome = _errbacks_called(how_it_ended(task, context, error))
        # In here: who is told of a failure may ask ``sys.exc_info()`` or ``logger.exception``, as with Celery. The loop
        # stands here twice since a generator that is delegated to would take a GeneratorExit of a handler for its own end.
        for answer in aftermath(tell, outcome):
            try:
                yield answer
            except PASSING:
                raise
            except BaseException as broken:
                tell.went_wrong(broken)
    else:
        outcome = _errbacks_called(outcome)
        for answer in aftermath(tell, outcome):
            try:
                yield answer
            except PASSING:
                raise
            except BaseException as broken:
                tell.went_wrong(broken)
    if not task.trail:
        context.children = []
    return outcome


def _errbacks_called(outcome: Outcome) -> Outcome:
    return replace(outcome, errbacks_called=True) if isinstance(outcome, Failure) else outcome


def returned(task: Running, context: Context, value: Any) -> Outcome:
    """Return how a run ended that returned ``value``: with one that cannot be stored it has failed, and those who are told of
    its end are told so. Without anybody to tell this is left to settlement, which writes the value in any case."""
    wanted = context.message.ignore_result
    ignored = task.ignore_result if wanted is None else wanted
    kept_nowhere = ignored or (context.is_eager and not task.store_eager_result)
    if type(value) in _SIMPLE or kept_nowhere or isinstance(value, ResultBase):
        return Success(value)
    if isinstance(task.app.backend_at(task.own_backend), DisabledView):
        return Success(value)
    try:
        codecs.encode(value, task.app.conf.settings().result.serializer, place="the result")
    except EncodeError as error:
        return Failure(error, traceback=text_of(error, error.__traceback__))
    return Success(value)


def _called(task: Running, context: Context, through: Any) -> Any:
    args, kwargs = context.message.args, context.message.kwargs
    if task.validation is not None:
        args, kwargs = task.validation.for_running(args, kwargs)
    if through is task and not task.has_own_call:
        return task.run(*args, **kwargs)
    setattr(context, EXPECTS_CALL, task)
    # A tool's wrapper may have a ``run`` that calls the task, or none of its own.
    return task(*args, **kwargs) if through is task else through.run(*args, **kwargs)


def how_it_ended(task: Running, context: Context, error: BaseException) -> Outcome:
    """Turn what a run raised into an Outcome; asks the task's own rules whether it is to be tried again."""
    error = tamed(error)
    match error:
        case Retry(again=again) if again is not None:
            return _retried(error)
        case Replaced():
            return Ignored(after=error.after, instead=error.instead)
        case Ignore():
            return Ignored()
        case Reject():
            return Refused(reason=_shown(error.reason), requeue=bool(error.requeue))
    frames = error.__traceback__
    try:
        # Both raise Retry, or what the caller is to see when there are no retries left.
        if isinstance(error, Retry):
            task.retry_by_hand(context, error)
        task.retry_by_rule(context, error)
    except Retry as again:
        return _retried(again)
    except Exception as last:
        # The rules raise what the task raised: that they did is no part of how it came about.
        error = last.with_traceback(frames) if last is error else last
    # A TypeError of the call itself has no frame below ours.
    uncallable = isinstance(error, TypeError) and _theirs(error) is None and error.__traceback__ is not None
    return Failure(error, traceback=_text(error), expected=isinstance(error, tuple(task.throws)), uncallable=uncallable)


def _retried(retry: Retry) -> Outcome:
    assert retry.again is not None  # it was planned
    return Retried(
        again=retry.again,
        exception=retry.exc,
        traceback=_text(retry),
        when=retry.humanize(),
        address=retry.address,
        reason=retry,
    )


def _theirs(error: BaseException) -> Any:
    """Return the traceback from the user's first frame on, ``None`` without one; ours only say that we called it."""
    frames = error.__traceback__
    while frames is not None and _is_ours(frames.tb_frame):
        frames = frames.tb_next
    return frames


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename == __file__


def _text(error: BaseException) -> str:
    frames = _theirs(error)
    return text_of(error, error.__traceback__ if frames is None else frames)


def _shown(reason: object) -> str:
    try:
        return str(reason) if reason is not None else ""
    except Exception:
        return type(reason).__name__
