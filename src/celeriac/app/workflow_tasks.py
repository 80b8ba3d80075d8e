"""Tasks by which older Celery clients, and those of result backends that cannot count, ask a worker to carry out a workflow.

In a job's life: when the app is finalised; run by a worker when somebody sends them. Ours are unrolled by whoever sends them, and
joined by the store, so nothing here sends these, but for errbacks of chords that a Celery worker may have to call. Names and
arguments: Celery's reference of built-in tasks. Does not know: stores.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from celeriac.app import errbacks
from celeriac.app.canvas import group
from celeriac.app.chords import chord
from celeriac.app.context import Context
from celeriac.app.flows.normal import chained
from celeriac.app.flows.stored import later_ids, several
from celeriac.app.flows.unrolling import unroll
from celeriac.app.group_result import GroupResult, result_from_tuple
from celeriac.app.joining import allow_join_result
from celeriac.app.signature import Signature, maybe_signature
from celeriac.core import exceptions, states
from celeriac.core.errors import ChordError, Retry
from celeriac.core.message import Message

log = logging.getLogger("celeriac.app")

NAMES: Final = ("celery.chain", "celery.group", "celery.chord", "celery.chord_unlock")


def functions_of(app: Any) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return the functions by name, with the options of their tasks."""

    def chain_task(*_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: who sends a chain sends its first step."""
        raise NotImplementedError("celery.chain is a name for stored chains, and no task that can be run")

    def group_task(
        tasks: Sequence[Any], result: Any, group_id: str, partial_args: Sequence[Any], add_to_parent: bool = True
    ) -> Any:
        """Send the members of a group."""
        members = [maybe_signature(each, app).clone(partial_args) for each in tasks]
        group(members, app=app).apply_async(task_id=group_id, add_to_parent=add_to_parent)
        return result_from_tuple(result, app)

    def chord_task(header: Any, body: Any, partial_args: Sequence[Any] = (), **said: Any) -> Any:
        """Send a chord."""
        return chord(header, body, app=app).run(header, body, partial_args, app, **said)

    def unlock(
        self: Any, group_id: str, callback: Any, interval: Any = None, max_retries: Any = None, result: Any = None,
        error: Mapping[str, Any] | None = None, **_: Any,
    ) -> Any:  # fmt: skip
        """Call ``callback`` once all of these results are there; look again later while they are not.

        ``error``: why it will not be called, if one of ours has found that out already, and has ended it.
        """
        if error is not None:
            return _all_of(_told(app, callback, exceptions.rebuild(error)))
        members: GroupResult[Any] = GroupResult(group_id, [result_from_tuple(each, app) for each in result or ()], app=app)
        return _all_of(_unlock(self, members, callback, interval, max_retries))

    patient = {"bind": True, "max_retries": None, "ignore_result": True}
    return dict(zip(NAMES, ((chain_task, {}), (group_task, {}), (chord_task, {}), (unlock, patient)), strict=True))


def _all_of(answers: Iterable[Any]) -> Any:
    """Return what drives those of the answers that are coroutines; ``None``: there are none."""
    pending = [each for each in answers if inspect.isawaitable(each)]
    return _await(pending) if pending else None


async def _await(pending: Iterable[Awaitable[Any]]) -> None:
    for each in pending:
        await each


def _unlock(task: Any, members: GroupResult[Any], callback: Any, interval: float | None, max_retries: int | None) -> list[Any]:
    """Do as the task is told; return what the errbacks answer that were called."""
    app = task.app
    try:
        if not members.ready():
            # Read here: while an app gets its tasks nobody may ask for its settings, whose reader may ask for tasks.
            pause = app.conf.result_chord_retry_interval if interval is None else interval
            raise task.retry(countdown=pause, max_retries=max_retries)
    except Retry:
        raise
    except Exception as error:  # it has been looked at often enough: nobody else will end the chord
        _break(app, callback, ChordError(f"chord_unlock could not be retried: {error!r}"))
        raise
    try:
        with allow_join_result():
            values = members.join(timeout=app.conf.result_chord_join_timeout)
        maybe_signature(callback, app).delay(values)
        return []
    except Exception as error:
        culprit = next((each for each in members.results if each.failed()), None)
        reason = f"Dependency {culprit.id} raised {error!r}" if culprit is not None else f"Callback error: {error!r}"
        log.exception("the body of chord %s is not called", members.id)
        return _break(app, callback, ChordError(reason))


def _break(app: Any, callback: Mapping[str, Any], error: ChordError) -> list[Any]:
    """End the body of a chord, and what follows it, as FAILURE; tell its errbacks, and return what they answer."""
    for id in later_ids(callback):
        app.backend.store_result(id, error, states.FAILURE)
    return _told(app, callback, error)


def _told(app: Any, callback: Mapping[str, Any], error: BaseException) -> list[Any]:
    """Tell the errbacks of what would have been called first; return what those answer that were called."""
    answers = []
    for first in unroll(chained([callback])).calls:
        id = first["options"].get("task_id") or ""
        for errback in several(first["options"].get("link_error")):
            if errbacks.is_called(errback, app.tasks):
                answers.append(errbacks.call(app, errback, Context(Message(id=id, task=first["task"])), error, None))
            else:
                Signature.from_dict(errback, app).apply_async((id,))
    return answers
