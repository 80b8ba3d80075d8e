"""Tell hooks of users what happens in a worker: to messages, to processes; beside ``report``, which tells the log.

In a job's life: at admission, and when a process died. In a node's life: from its first step to its last. What a run itself does
is told where it happens, in ``app/execution``. With nobody connected each of these is one look at a signal.
Does not know: why something happened. Senders and arguments: Celery's page on signals.
"""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import Any

from celeriac.app import signals
from celeriac.app.handlers import ExceptionInfo
from celeriac.core.errors import DecodeError, NotRegistered, Reject, TimeLimitExceeded, WorkerLostError
from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.outcome import Failure, Outcome, Refused, Revoked
from celeriac.worker.arrival import ReceivedRequest, raw
from celeriac.worker.instance import Worker
from celeriac.worker.plan import queues_of
from celeriac.worker.request import Request


def received(sender: object, request: Request) -> None:
    """A message was admitted and is about to run."""
    if signals.task_received.receivers:
        signals.task_received.send(sender, request=ReceivedRequest(request))


def ended(request: Request, outcome: Outcome) -> None:
    """A request is over. What ended in a run was told there; here, what was not run, or not as a failure."""
    match outcome:
        case Revoked(why, signum):
            if signals.task_revoked.receivers:
                expired, ended = why == "expired", why == "terminated"
                signals.task_revoked.send(request.task, request=request.context, terminated=ended, signum=signum, expired=expired)
        case Failure(exception=TimeLimitExceeded() as error, traceback=None):  # its own exceptions have a traceback
            failed(request.task, request.message, error)
        case Refused(reason=reason, requeue=False):
            failed(request.task, request.message, Reject(reason))


def refused(sender: object, delivery: Delivery, why: Rejected, message: Message | None, task: Any = None) -> None:
    """A message goes to the dead letters. ``task``: of this name, if there is one."""
    if why.reason == "unknown-task":
        if signals.task_unknown.receivers:
            name, id = _name_and_id(delivery, message)
            error = NotRegistered(name)
            signals.task_unknown.send(sender, message=raw(delivery), exc=error, name=name, id=id)
    elif why.reason == "deliveries" and message is not None and task is not None:
        failed(task, message, WorkerLostError(why.detail))
    elif signals.task_rejected.receivers:
        signals.task_rejected.send(sender, message=raw(delivery), exc=DecodeError(f"{why.reason}: {why.detail}"))


def failed(task: Any, message: Message, error: Exception) -> None:
    """A task has failed without having ended: its process died, or was ended by its time limit."""
    if signals.task_failure.receivers:
        signals.task_failure.send(
            task,
            task_id=message.id,
            exception=error,
            args=message.args,
            kwargs=message.kwargs,
            traceback=None,
            einfo=ExceptionInfo(error),
        )


def node_is_named(worker: Worker) -> None:
    """The ``worker`` command has its app, and has read nothing of its settings yet. A receiver may end the program."""
    signals.celeryd_init.send(
        worker.hostname, instance=worker, conf=worker.app.conf, options={**asdict(worker.options), **worker.user_options}
    )
    signals.worker_init.send(worker)


def node_is_set_up(worker: Worker) -> None:
    """Log and tasks are there, and queues can still be added: ``instance.app.amqp.queues.select_add("q")``, also to ``-Q``.

    A receiver may end the program.
    """
    asked = worker.options
    if asked.queues or asked.exclude_queues:
        worker.app.select_queues(queues_of(worker.app, asked))
        worker.options = replace(asked, queues=None, exclude_queues=())
    signals.celeryd_after_setup.send(worker.hostname, instance=worker, conf=worker.app.conf)


def node_is_ready(worker: Worker) -> None:
    """Every child fetches."""
    signals.worker_ready.send(worker.consumer)


def node_shuts_down(worker: Worker, sig: str, *, cold: bool) -> None:
    """It was told to stop."""
    signals.worker_shutting_down.send(worker.hostname, sig=sig, how="Cold" if cold else "Warm", exitcode=int(cold))


def node_ends(worker: Worker) -> None:
    """No child is left."""
    signals.worker_shutdown.send(worker)


def child_is_made(worker: Worker) -> None:
    """The next thing that this process does is to fork a child."""
    signals.worker_before_create_process.send(worker)


def child_begins(hostname: str) -> None:
    """A child is about to work."""
    signals.worker_process_init.send(hostname)


def child_ends(hostname: str, exitcode: int) -> None:
    """A child is about to end."""
    signals.worker_process_shutdown.send(hostname, pid=os.getpid(), exitcode=exitcode)


def _name_and_id(delivery: Delivery, message: Message | None) -> tuple[str, str]:
    if message is not None:
        return message.task, message.id
    headers = {} if isinstance(delivery.parcel, Rejected) else delivery.parcel.headers
    return str(headers.get("task", "")), str(headers.get("id", ""))
