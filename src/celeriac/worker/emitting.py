"""Tell monitors what happens to tasks; beside ``report``, which tells the log, and ``announce``, which tells hooks of users.

In a job's life: at admission and at settlement, and only while the node's orders say ``task_events``: otherwise each of these
costs one look at an attribute. What is told is put down here, with its time and its number, and said by the courier's thread some
milliseconds later; before a task that this process may not survive, at once. A process that dies takes the news of its last
moments with it; that its tasks have failed is told by the supervisor. Does not know: who listens, why something happened.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from celeriac.core.errors import NotRegistered, OperationalError, WorkerLostError
from celeriac.core.message import Message
from celeriac.core.message import Rejected as Unfit
from celeriac.core.outcome import Failure, Outcome, Refused, Retried, Revoked, Success
from celeriac.core.representation import safe_repr
from celeriac.events import types
from celeriac.events.courier import Courier
from celeriac.events.types import Here
from celeriac.worker.arrival import shown_arguments
from celeriac.worker.request import Request


class Emission:
    """What one process of a node tells of its tasks. Safe in any thread."""

    def __init__(self, courier: Courier, here: Here) -> None:
        self._put, self._close, self._say_all = courier.put, courier.close, courier.say_all
        self._time, self._forward = here.time, here.forward
        self._who: dict[str, Any] = {"hostname": here.hostname, "utcoffset": here.utcoffset(), "pid": here.pid}

    def begins(self, request: Request) -> None:
        """It was admitted, and its function is called now."""
        if not request.task.send_events:
            return
        message, who, clock, now = request.message, self._who, self._forward(), self._time()
        args, kwargs = shown_arguments(request)
        received = types.Received(
            **who,
            clock=clock,
            timestamp=now,
            uuid=message.id,
            name=message.shown_name,
            args=args,
            kwargs=kwargs,
            root_id=message.root_id,
            parent_id=message.parent_id,
            retries=message.retries,
            eta=message.eta.isoformat() if message.eta is not None else None,
            expires=message.expires.isoformat() if message.expires is not None else None,
        )
        self._put(received)
        self._put(types.Started(**who, clock=clock, timestamp=now, uuid=message.id))  # the same moment

    def ended(self, request: Request, outcome: Outcome, runtime_s: float) -> None:
        """It is over; one that was not to run is over before it has begun."""
        if not request.task.send_events:
            return
        told = self._told(request.message.id)
        match outcome:
            case Success(value):
                self._put(types.Succeeded(**told, result=safe_repr(value, request.task.resultrepr_maxsize), runtime=runtime_s))
            case Failure(exception=error, traceback=text):
                self._put(types.Failed(**told, exception=safe_repr(error), traceback=text))
            case Retried(exception=error, traceback=text):
                self._put(types.Retried(**told, exception=safe_repr(error), traceback=text))
            case Refused(requeue=requeue):
                self._put(types.Rejected(**told, requeue=requeue))
            case Revoked(why):
                signum = outcome.signum
                self._put(types.Revoked(**told, terminated=signum is not None, signum=signum, expired=why == "expired"))

    def refused(self, why: Unfit, message: Message | None) -> None:
        """A message goes to the dead letters. One that cannot be read has no id by which monitors could know it."""
        if message is None:
            return
        told = self._told(message.id)
        match why.reason:
            case "unknown-task":
                self._put(types.Failed(**told, exception=safe_repr(NotRegistered(message.task)), traceback=None))
            case "deliveries":
                self._put(types.Failed(**told, exception=safe_repr(WorkerLostError(why.detail)), traceback=None))
            case _:
                self._put(types.Rejected(**told, requeue=False))

    def failed(self, request: Request, error: Exception) -> None:
        """It has failed without having ended: its process died, or was ended by its time limit."""
        if request.task.send_events:
            self._put(types.Failed(**self._told(request.message.id), exception=safe_repr(error), traceback=None))

    def terminated(self, request: Request, signum: int) -> None:
        """An operator has had it ended."""
        if request.task.send_events:
            self._put(types.Revoked(**self._told(request.message.id), terminated=True, signum=signum, expired=False))

    def goes_back(self, request: Request, handed_back: bool) -> None:
        """It ran, and goes back to its queue; ``handed_back``: its node stops at once, otherwise its process died."""
        if request.task.send_events:
            told = self._told(request.message.id)
            self._put(types.Cancelled(**told) if handed_back else types.Rejected(**told, requeue=True))

    def flush(self) -> None:
        """Have everything said now, if the broker answers: this process may be about to die."""
        with suppress(OperationalError):
            self._say_all()

    def close(self) -> None:
        """Have everything said, and tell nothing more."""
        self._close()

    def _told(self, uuid: str) -> dict[str, Any]:
        return {**self._who, "clock": self._forward(), "timestamp": self._time(), "uuid": uuid}
