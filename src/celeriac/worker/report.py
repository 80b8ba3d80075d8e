"""One log line for each thing that happens to a job, with its fields.

In a job's life: written where a thing is decided: at admission, and at settlement. Text from messages is shown as a ``repr``
or cut, so that nobody writes lines into our log. The templates of the lines may be replaced, in ``app/trace``; records bear
``event``, ``task_id``, ``task_name``, and the fields of the template as ``data``. Does not know: handlers, levels in force.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from celeriac.app import trace
from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Revoked, Success
from celeriac.core.representation import safe_repr
from celeriac.worker.arrival import shown_arguments
from celeriac.worker.request import Request

log = logging.getLogger("celeriac.worker")


def received(request: Request) -> None:
    """A message was admitted."""
    if log.isEnabledFor(logging.INFO):
        data, extra = _told("task-received", request, {"eta": request.message.eta})
        log.info(trace.LOG_RECEIVED, data, extra=extra)


def repeated(request: Request) -> None:
    """A task has succeeded before and is not run again."""
    _say(
        logging.INFO,
        trace.LOG_IGNORED,
        "task-repeated",
        request,
        0.0,
        {"description": "has succeeded before, and is not run again"},
    )


def ended(request: Request, outcome: Outcome, runtime_s: float) -> None:
    """A run came to its end."""
    message = request.message
    match outcome:
        case Success(value):
            if log.isEnabledFor(logging.INFO):
                shown = safe_repr(value, request.task.resultrepr_maxsize)
                _say(logging.INFO, trace.LOG_SUCCESS, "task-succeeded", request, runtime_s, {"return_value": shown})
        case Failure(exception=error, expected=True):
            facts = {"exc": safe_repr(error, 200), "description": "raised expected", "traceback": ""}
            _say(logging.INFO, trace.LOG_FAILURE, "task-failed", request, runtime_s, facts)
        case Failure(exception=error, traceback=text):
            facts = {"exc": safe_repr(error, 200), "description": "raised unexpected", "traceback": text or ""}
            _say(logging.ERROR, trace.LOG_FAILURE, "task-failed", request, runtime_s, facts, error)
        case Retried(exception=error, when=when):
            reason = f": {safe_repr(error, 200)}" if error is not None else ""
            _say(logging.INFO, trace.LOG_RETRY, "task-retried", request, runtime_s, {"exc": f"Retry {when}{reason}"})
        case Ignored():
            _say(logging.INFO, trace.LOG_IGNORED, "task-ignored", request, runtime_s, {"description": "ignored"})
        case Refused(reason=reason, requeue=requeue):
            facts = {"exc": safe_repr(reason, 200), "description": f"rejected, requeue={requeue}"}
            _say(logging.WARNING, trace.LOG_REJECTED, "task-rejected", request, runtime_s, facts)
        case Revoked("terminated"):
            log.error("%s was terminated", _shown(message), extra=_fields("task-terminated", message))
        case Revoked(why):
            log.info("Discarding revoked task: %s (%s)", _shown(message), why, extra=_fields("task-revoked", message))


def _say(
    level: int,
    template: str,
    event: str,
    request: Request,
    runtime_s: float,
    facts: Mapping[str, str],
    error: BaseException | None = None,
) -> None:
    if log.isEnabledFor(level):
        data, extra = _told(event, request, {"runtime": runtime_s, **facts})
        exc_info = None if error is None else (type(error), error, error.__traceback__)
        where = (log.name, level, __file__, 0)
        record = log.makeRecord(*where, template, (data,), exc_info, "ended", extra | {"runtime_s": runtime_s})
        # Handlers have the exception; lines have its text from the user's first frame on, and were not to be made again.
        record.exc_text = facts.get("traceback", "").rstrip("\n") or None
        log.handle(record)


def _told(event: str, request: Request, facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of a template, and those of the record, which has the former as ``data``."""
    message = request.message
    args, kwargs = shown_arguments(request)
    data = {"id": _plain(message.id), "name": _plain(message.shown_name), "args": _plain(args), "kwargs": _plain(kwargs), **facts}
    return data, _fields(event, message) | {"data": data}


def refused(delivery: Delivery, why: Rejected, message: Message | None) -> None:
    """A message went to the dead letters."""
    name = _shown(message) if message is not None else "a message"
    log.error(
        "%s from queue %s goes to the dead letters, reason %s: %s",
        name, _plain(delivery.queue), why.reason, _plain(why.detail),
        extra={"event": "message-rejected", "reason": why.reason, "task_id": message.id if message is not None else None},
    )  # fmt: skip


def _shown(message: Message) -> str:
    return f"Task {_plain(message.shown_name)}[{_plain(message.id)}]"


def _plain(text: str) -> str:
    """Escape what comes from outside: no line breaks, no control characters, no end."""
    return text[:500] if text.isprintable() else text[:500].encode("unicode_escape").decode("ascii")


def _fields(event: str, message: Message) -> dict[str, Any]:
    return {"event": event, "task_id": message.id, "task_name": message.task}
