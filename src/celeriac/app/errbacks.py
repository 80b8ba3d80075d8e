"""``link_error``: who hears of a failure, and how.

In a job's life: when a run has failed. An errback whose function takes more than one further argument is *called*, as
``errback(request, exc, traceback)``, by the process that ran the task; every other is *sent*, as a task whose first argument is
the id of the failed one, or as a whole workflow that begins with such tasks. A failure that only the node saw (the process died,
the hard limit came) reaches the first kind, too: no code of the user's runs in a node, so a message asks some worker to make the
call. So does that of a chord whose members have failed; the message is then one that a Celery worker understands as well. An
errback that fails is logged, and harms nothing.
Source: Celery's guide, "Calling Tasks", "Linking", and its reference of ``link_error``. Does not know: stores, settlements.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from celeriac.app.context import Context
from celeriac.app.ended import PASSING
from celeriac.app.flows.stored import kind_of
from celeriac.app.following import following
from celeriac.app.home import Home
from celeriac.app.options import options_from_wire
from celeriac.app.plan import Call
from celeriac.app.signature import from_stored
from celeriac.core import exceptions
from celeriac.core.errors import EncodeError
from celeriac.core.message import Message, Outgoing
from celeriac.core.settlement import Following

log = logging.getLogger("celeriac.app")

CALL: Final = "celeriac.call_errback"
"""Name of the task that calls an errback of the first kind."""
UNLOCK: Final = "celery.chord_unlock"
"""Name of Celery's task that looks whether the members of a chord have ended, and calls its errbacks if one has failed."""
_LOOKS: Final = 60
"""How often a Celery worker looks for a failure of which the message tells."""
_BOTH: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_TOLD: Final = (
    "id", "task", "args", "kwargs", "retries", "eta", "expires", "timelimit", "group", "group_index", "root_id", "parent_id",
    "reply_to", "correlation_id", "origin", "shadow", "argsrepr", "kwargsrepr", "headers", "stamps", "stamped_headers",
    "ignore_result", "callbacks", "errbacks", "chain", "chord", "replaced_task_nesting", "delivery_info", "hostname",
)  # fmt: skip
"""What a called errback can read of the request when that had to travel."""


def is_called(errback: Mapping[str, Any], tasks: Mapping[str, Any]) -> bool:
    """Say whether ``errback`` is called with the failure, and not sent: it is one task, known here, made of a function that is
    not bound to its task, and takes more than one argument beside those that the signature holds."""
    if kind_of(errback) is not None:
        return False
    name = errback.get("task")
    task = tasks.get(name) if isinstance(name, str) else None  # a message may say anything
    function = vars(type(task)).get("__header__") if task is not None else None
    if function is None or not isinstance(vars(type(task)).get("run"), staticmethod):
        return False
    function = function.__func__ if isinstance(function, staticmethod) else function
    immutable = errback.get("immutable")
    try:
        held = partial(function, *(() if immutable else errback.get("args") or ()))
        return _takes_several(partial(held, **({} if immutable else errback.get("kwargs") or {})))
    except (TypeError, ValueError):  # what it holds does not fit: whoever runs it will say so
        return _takes_several(function)


def _takes_several(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C
        return False
    return any(one.kind is one.VAR_POSITIONAL for one in parameters) or sum(one.kind in _BOTH for one in parameters) > 1


def calls(app: Home, request: Context, error: BaseException, text: str | None) -> Iterator[Callable[[], Any]]:
    """Yield one step for each errback that is called here; what a step returns may be a coroutine, to be driven."""
    for errback in request.errbacks or ():
        if is_called(errback, app.tasks):
            yield partial(call, app, errback, request, error, text)


def call(app: Home, errback: Mapping[str, Any], request: Context, error: BaseException, text: str | None) -> Any:
    """Call ``errback`` with the failure. Whatever it raises is logged; only what stops the process passes."""
    if errback.get("immutable") and not errback.get("args") and not errback.get("kwargs"):
        errback = {**errback, "immutable": False}  # a function that takes the failure holds nothing to be called with instead
    try:
        return _guarded(from_stored(errback, app)(request, error, text), errback, request)
    except PASSING:
        raise
    except BaseException:
        _log(errback, request)


def _guarded(answer: Any, errback: Mapping[str, Any], request: Context) -> Any:
    return _watched(answer, errback, request) if inspect.iscoroutine(answer) else answer


async def _watched(answer: Any, errback: Mapping[str, Any], request: Context) -> None:
    try:
        await answer
    except (Exception, SystemExit):
        _log(errback, request)


def _log(errback: Mapping[str, Any], request: Context) -> None:
    fields = {"event": "errback-failed", "task_id": request.id, "task_name": request.task}
    log.exception("errback %s of task %s[%s] failed", errback.get("task"), request.task, request.id, extra=fields)


def told(
    app: Home,
    errback: Mapping[str, Any],
    request: Context,
    error: BaseException,
    text: str | None,
    announce: bool = False,
    dependency: str | None = None,
) -> Following:
    """Return the messages by which ``errback`` hears of a failure; none: they cannot be made, which is logged.

    Args:
        app: Plans and encodes it.
        errback: The signature.
        request: The call that has failed, or the body of a chord that will not be called.
        error: Why.
        text: Traceback.
        announce: As for ``Producer.plan``.
        dependency: Of a chord: id of the member that has failed, whose result is stored or will be.
    """
    try:
        message = request.as_message()
        if not is_called(errback, app.tasks):
            return following(app, errback, (message.id,), message, announce=announce)
        if dependency is not None:
            return Following((_asks_to_unlock(app, errback, request, error, dependency),))
        return Following((_asks_for_call(app, errback, request, error, text),))
    except Exception:
        log.exception("errback %s of task %s[%s] cannot be sent", errback.get("task"), request.task, request.id)
        return Following()


def _asks_for_call(app: Home, errback: Mapping[str, Any], request: Context, error: BaseException, text: str | None) -> Outgoing:
    """Return the message that asks a worker which serves the errback's queue to make the call."""
    name, message = errback["task"], request.as_message()
    seen = {each: value for each in _TOLD if (value := getattr(request, each, None)) is not None}
    options = replace(options_from_wire(errback.get("options") or {}), route_name=name)
    recipe = replace(app.recipe_of(name), name=CALL, ignore_result=True)
    try:
        return _planned(app, Call(recipe, (dict(errback), seen, exceptions.describe(error), text), {}, options), message)
    except EncodeError:  # arguments that only the failed task's serializer can write
        del seen["args"], seen["kwargs"]
        return _planned(app, Call(recipe, (dict(errback), seen, exceptions.describe(error), text), {}, options), message)


def _asks_to_unlock(app: Home, errback: Mapping[str, Any], body: Context, error: BaseException, dependency: str) -> Outgoing:
    """Return the message that asks a worker of either kind to call the errback of a chord's body.

    Ours takes the error as it is told. A Celery worker looks for the result of the failed member, and finds the same.
    """
    options = replace(options_from_wire(errback.get("options") or {}), route_name=errback["task"])
    recipe = replace(app.recipe_of(errback["task"]), name=UNLOCK, ignore_result=True)
    stand_in = {"task_id": body.id, "link_error": [dict(errback)]}
    callback = {"task": body.task, "args": (), "kwargs": {}, "options": stand_in, "subtask_type": None, "immutable": False}
    more = {"interval": 1, "max_retries": _LOOKS, "result": [[[dependency, None], None]], "error": exceptions.describe(error)}
    return _planned(app, Call(recipe, (dependency, callback), more, options), body.as_message())


def _planned(app: Home, call: Call, caller: Message) -> Outgoing:
    return app.producer.plan(call, caller)


def answer(app: Home, errback: Mapping[str, Any], told: Mapping[str, Any], error: Mapping[str, Any], text: str | None) -> Any:
    """Make the call that a message asked for: what the task ``CALL`` does. May return a coroutine, to be driven."""
    request = Context(told, called_directly=False)
    return call(app, errback, request, exceptions.rebuild(error), text)
