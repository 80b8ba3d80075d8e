"""Run a call here and now, as a worker would: ``task.apply()``, and ``delay()`` with ``task_always_eager``.

In a job's life: instead of everything between ``delay`` and ``get``. The same plan, the same execution with its handlers,
signals and retries (which do not wait), callbacks and errbacks; with ``task_always_eager`` the arguments also become bytes and
come back, so that what a worker could not read fails here, too. Source: Celery's guide, "Calling Tasks", and its page on
configuration.
Does not know: brokers.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final

from msgspec.structs import replace

from celeriac.app import errbacks
from celeriac.app.context import Context, current_context, enter, leave
from celeriac.app.eager_result import EagerResult
from celeriac.app.errbacks import is_called
from celeriac.app.execution import aexecute, execute, returned
from celeriac.app.plan import Call, plan_call
from celeriac.app.running import Running
from celeriac.app.signature import Signature
from celeriac.core import protocol, states
from celeriac.core.errors import EncodeError, Reject
from celeriac.core.message import Message, Rejected
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Success
from celeriac.core.taskmeta import TaskMeta

_NOTHING: Final[Mapping[str, Any]] = {}


def run(task: Running, call: Call, *, throw: bool | None = None, seen: Mapping[str, Any] = _NOTHING) -> EagerResult[Any]:
    """Run ``call`` and return how it ended.

    Args:
        task: The task that ``call`` is of.
        call: What to run.
        throw: Raise what it raised. ``None``: as ``task_eager_propagates`` says.
        seen: Further attributes of the task's request.
    """
    if call.recipe.validation is not None:
        # As in Celery: a wrong argument is how the run ends, and not how the call does.
        call = replace(call, recipe=replace(call.recipe, check=False))
    return run_message(task, _message(task, call), throw=throw, seen=seen)


async def arun(task: Running, call: Call, *, throw: bool | None = None) -> EagerResult[Any]:
    """The twin of ``run`` for event loops: a coroutine runs on this one."""
    if call.recipe.validation is not None:
        call = replace(call, recipe=replace(call.recipe, check=False))
    context, outcome = await _awaited(task, _message(task, call))
    return _ended(task, context, outcome, throw)


def send(task: Running, call: Call) -> EagerResult[Any]:
    """Run ``call`` as if it had been sent: its arguments become bytes and come back.

    Raises:
        EncodeError: an argument cannot be written.
    """
    return _remembered(call, run_message(task, _travelled(task, _message(task, call), call)))


async def asend(task: Running, call: Call) -> EagerResult[Any]:
    """The twin of ``send``: a coroutine runs on this event loop."""
    context, outcome = await _awaited(task, _travelled(task, _message(task, call), call))
    return _remembered(call, _ended(task, context, outcome, None))


async def _awaited(task: Running, message: Message) -> tuple[Context, Outcome]:
    """Run what was planned on this event loop, again and again while it wants to be retried."""
    while True:
        context = _context(task, message, _NOTHING)
        outcome = await aexecute(task, context)
        if not isinstance(outcome, Retried):
            return context, outcome
        message = replace(outcome.again, eta=None)


def run_message(
    task: Running, message: Message, *, throw: bool | None = None, seen: Mapping[str, Any] = _NOTHING
) -> EagerResult[Any]:
    """Run what was planned, again and again while it wants to be retried."""
    while True:
        context = _context(task, message, seen)
        outcome = execute(task, context, _drive)
        if not isinstance(outcome, Retried):
            return _ended(task, context, outcome, throw)
        message = replace(outcome.again, eta=None)


def _message(task: Running, call: Call) -> Message:
    context = current_context()
    running = None if context is None else context.of_worker
    caller = None if running is None else running.message
    return plan_call(call, task.app.here, caller)


def _travelled(task: Running, message: Message, call: Call) -> Message:
    serializer = call.options.serializer or call.recipe.serializer
    parcel = protocol.encode(message, now=task.app.runtime.now(), serializer=serializer)
    read = protocol.decode(parcel, accept=frozenset({parcel.content_type}))
    if isinstance(read, Rejected):
        raise EncodeError(f"a worker would refuse the arguments of {task.name}: {read.reason}: {read.detail}")
    return replace(message, args=read.args, kwargs=read.kwargs)


def _context(task: Running, message: Message, seen: Mapping[str, Any]) -> Context:
    here = {"is_eager": True, "exchange": None, "routing_key": None, "priority": message.priority}
    context = Context(message, hostname=task.app.here.origin.partition("@")[2], delivery_info=here)
    context.is_eager = True
    context.update({name: value for name, value in seen.items() if value is not None})
    return context


def _ended(task: Running, context: Context, outcome: Outcome, throw: bool | None) -> EagerResult[Any]:
    if isinstance(outcome, Ignored) and outcome.instead is not None:
        return _thrown(task, outcome.instead, throw)  # callbacks, errbacks and the stored result were the other's
    message = context.message
    if isinstance(outcome, Success) and task.store_eager_result:
        outcome = returned(task, context, outcome.value)  # what a store would refuse is a failure, as a worker has it
    state, value, text = _as_stored(outcome)
    token = enter(context)  # what is sent from here is sent by this task
    try:
        if isinstance(outcome, Success):
            for each in message.callbacks or ():
                Signature.from_dict(each, task.app).apply_async((value,))
        elif isinstance(outcome, Failure):
            for each in message.errbacks or ():
                if not is_called(each, task.app.tasks):  # those were, by the execution
                    Signature.from_dict(each, task.app).apply_async((message.id,))
        elif isinstance(outcome, Refused) and not outcome.requeue:
            for each in message.errbacks or ():
                if is_called(each, task.app.tasks):
                    errbacks.call(task.app, each, context, value, None)
                else:
                    Signature.from_dict(each, task.app).apply_async((message.id,))
    finally:
        leave(token)
    if task.store_eager_result and not (task.ignore_result if message.ignore_result is None else message.ignore_result):
        done = task.app.runtime.now() if state in states.READY_STATES else None
        task.app.results_at(task.own_backend).keep(
            TaskMeta(task_id=message.id, status=state, result=value, traceback=text, date_done=done)
        )
    result: EagerResult[Any] = EagerResult(
        message.id, value, state, text, name=task.name, app=task.app, children=context.children or ()
    )
    return _thrown(task, result, throw)


def _thrown(task: Running, result: EagerResult[Any], throw: bool | None) -> EagerResult[Any]:
    """Return ``result``, or raise what the task raised where the caller wants that."""
    if result.failed() and (task.app.conf.settings().task.eager_propagates if throw is None else throw):
        raise result.result
    return result


def _as_stored(outcome: Outcome) -> tuple[str, Any, str | None]:
    match outcome:
        case Success(value):
            return states.SUCCESS, value, None
        case Failure(exception=error, traceback=text):
            return states.FAILURE, error, text
        case Refused(reason=reason, requeue=requeue):
            return states.REJECTED, Reject(reason, requeue), None
    return states.IGNORED, None, None


def _remembered(call: Call, result: EagerResult[Any]) -> EagerResult[Any]:
    context = current_context()
    running = None if context is None else context.of_worker
    if running is not None and call.options.add_to_parent:
        running.add_child(result)
    return result


def _drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    import asyncio  # late: it costs an importing program 40 ms; whoever has a coroutine has paid them

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        with asyncio.Runner() as runner:
            return runner.run(coroutine)
    # A loop runs in this thread, and cannot run another one's work in between: a thread can.
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(copy_context().run, _drive, coroutine).result()
