"""What of the user's hears of a run: handlers and signals, in Celery's order.

In a job's life: around the run, before its end is settled. Success: ``on_success``, ``task_success``, ``after_return``,
``task_postrun``; failure and retry likewise. One that fails is logged, and announced by ``task_internal_error``; the run has
ended as it has. Source: Celery's guide, "Handlers", and its page on signals. Does not know: stores, workers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import CoroutineType
from typing import Any

from celeriac.app import errbacks, signals
from celeriac.app.context import Context
from celeriac.app.ended import PASSING
from celeriac.app.handlers import ExceptionInfo
from celeriac.app.running import Running
from celeriac.core import states
from celeriac.core.errors import Retry
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Success

log = logging.getLogger("celeriac.app")

_STATES = {
    Success: states.SUCCESS,
    Failure: states.FAILURE,
    Retried: states.RETRY,
    Ignored: states.IGNORED,
    Refused: states.REJECTED,
}


class Tell:
    """Tells of one run."""

    def __init__(self, task: Running, context: Context) -> None:
        self.task, self.context = task, context
        message = context.message
        self.id, self.args, self.kwargs = message.id, message.args, message.kwargs
        self._began = task.app.runtime.monotonic() if signals.task_success.receivers else 0.0

    def begins(self) -> None:
        """The run is about to begin."""
        if signals.task_prerun.receivers:
            signals.task_prerun.send(self.task, task_id=self.id, task=self.task, args=self.args, kwargs=self.kwargs)

    def went_wrong(self, error: BaseException) -> None:
        """A handler failed."""
        log.exception("a handler of task %s[%s] failed", self.task.name, self.id, exc_info=error)
        if signals.task_internal_error.receivers:
            signals.task_internal_error.send(
                self.task,
                task_id=self.id,
                args=self.args,
                kwargs=self.kwargs,
                request=self.context,
                exception=error,
                traceback=error.__traceback__,
                einfo=ExceptionInfo(error),
            )

    @property
    def runtime_s(self) -> float:
        """How long it has run; known where somebody hears of successes."""
        return self.task.app.runtime.monotonic() - self._began


def aftermath(tell: Tell, outcome: Outcome) -> Iterator[Any]:
    """Call what is to hear of ``outcome``, in order; an answer that is a coroutine is handed out, to be driven."""
    for step in _steps(tell, outcome):
        try:
            answer = step()
        except PASSING:
            raise
        except BaseException as error:  # SystemExit, too: a handler ends no worker
            tell.went_wrong(error)
        else:
            if type(answer) is CoroutineType:
                yield answer


def _steps(tell: Tell, outcome: Outcome) -> Iterator[Any]:
    task, id, args, kwargs = tell.task, tell.id, tell.args, tell.kwargs
    value: Any = None
    match outcome:
        case Success(value):
            yield lambda: task.on_success(value, id, args, kwargs)
            yield lambda: signals.task_success.send(task, result=value, runtime=tell.runtime_s)
            yield lambda: task.after_return(states.SUCCESS, value, id, args, kwargs, None)
        case Failure(exception=value, traceback=text):
            einfo = ExceptionInfo(value, text)
            yield from errbacks.calls(task.app, tell.context, value, text)
            yield lambda: task.on_failure(value, id, args, kwargs, einfo)
            yield lambda: signals.task_failure.send(
                task, task_id=id, exception=value, args=args, kwargs=kwargs, traceback=value.__traceback__, einfo=einfo
            )
            yield lambda: task.after_return(states.FAILURE, value, id, args, kwargs, einfo)
        case Retried(exception=why, traceback=text, reason=value):
            einfo = ExceptionInfo(value or why or Retry(), text)
            yield lambda: task.on_retry(why, id, args, kwargs, einfo)
            yield lambda: signals.task_retry.send(task, request=tell.context, reason=value, einfo=einfo)
    yield lambda: signals.task_postrun.send(
        task, task_id=id, task=task, args=args, kwargs=kwargs, retval=value, state=_STATES.get(type(outcome))
    )
