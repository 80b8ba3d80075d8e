"""One log line for each thing that happens to a job, with its fields.

In a job's life: written where a thing is decided: at admission, and at settlement. Text from messages is shown as a ``repr``
or cut, so that nobody writes lines into our log. Does not know: handlers, levels in force.
"""

from __future__ import annotations

import logging
from typing import Any

from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Revoked, Success
from celeriac.core.representation import safe_repr
from celeriac.worker.request import Request

log = logging.getLogger("celeriac.worker")


def received(message: Message) -> None:
    """A message was admitted."""
    if log.isEnabledFor(logging.INFO):
        log.info("Task %s[%s] received", message.shown_name, _plain(message.id), extra=_fields("task-received", message))


def ended(request: Request, outcome: Outcome, runtime_s: float) -> None:
    """A run came to its end."""
    message = request.message
    match outcome:
        case Success(value):
            if log.isEnabledFor(logging.INFO):
                fields = _fields("task-succeeded", message) | {"runtime_s": runtime_s}
                log.info("%s succeeded in %.6fs: %s", _shown(message), runtime_s, safe_repr(value, 46), extra=fields)
        case Failure(exception=error, expected=True):
            log.info("%s raised expected: %s", _shown(message), safe_repr(error, 200), extra=_fields("task-failed", message))
        case Failure(exception=error, traceback=text):
            fields = _fields("task-failed", message) | {"runtime_s": runtime_s}
            log.error("%s raised unexpected: %s\n%s", _shown(message), safe_repr(error, 200), text or "", extra=fields)
        case Retried(exception=error, when=when):
            reason = f": {safe_repr(error, 200)}" if error is not None else ""
            log.info("%s retry: Retry %s%s", _shown(message), when, reason, extra=_fields("task-retried", message))
        case Ignored():
            log.info("%s ignored", _shown(message), extra=_fields("task-ignored", message))
        case Refused(reason=reason, requeue=requeue):
            fields = _fields("task-rejected", message) | {"requeue": requeue}
            log.info("%s rejected, requeue=%s: %s", _shown(message), requeue, safe_repr(reason, 200), extra=fields)
        case Revoked(why):
            log.info("Discarding revoked task: %s (%s)", _shown(message), why, extra=_fields("task-revoked", message))


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
