"""Every error of celeriac, in one tree.

In a job's life: raised anywhere, caught by users. All of them survive pickling, since they cross processes:
their ``args`` are the arguments of their constructor. Does not know: drivers, tasks, results.

    CeleriacError
    ├── ImproperlyConfigured            a setting, URL or option that cannot be honoured
    │   └── MissingExtra                the client library of a driver is not installed
    ├── NotRegistered (KeyError)        no task answers to this name
    ├── OperationalError                a broker or result backend did not do what was asked
    │   ├── BrokerUnreachable           no answer within the deadline
    │   ├── LeaseExpired                the store takes this node for dead
    │   └── StoreRefused                it answered, and said no (full, read-only, wrong password)
    ├── DecodeError (ValueError)        bytes that cannot be understood
    │   └── ContentDisallowed           a content type that the app does not accept
    ├── EncodeError (ValueError)        a value that cannot become bytes
    ├── SecurityError                   something stored names a class that must not be built
    ├── TaskPredicate                   raised by a task to say how its run ends
    │   ├── Retry, Ignore, Reject
    └── TaskError                       how a task may have ended
        ├── TimeLimitExceeded, SoftTimeLimitExceeded, WorkerLostError
        ├── TaskRevokedError, MaxRetriesExceededError, RemoteError
        └── TimeoutError (builtin's too)   the result did not come in time; the task goes on
"""

from __future__ import annotations

import builtins
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from celeriac.core.message import Message


class CeleriacError(Exception):
    """The root of the tree."""


class ImproperlyConfigured(CeleriacError):
    """Something that the user configured cannot be honoured. The message names it, its value and what is allowed."""


class MissingExtra(ImproperlyConfigured):
    """A driver's client library is not installed."""

    def __init__(self, scheme: str, extra: str) -> None:
        super().__init__(scheme, extra)
        self.scheme, self.extra = scheme, extra

    def __str__(self) -> str:
        return f"{self.scheme}:// needs an extra that is not installed: pip install 'celeriac[{self.extra}]'"


class NotRegistered(CeleriacError, KeyError):
    """No task answers to this name here. Also a ``KeyError``: existing programs catch that."""

    def __init__(self, name: str, known: Collection[str] = ()) -> None:
        super().__init__(name, tuple(known))
        self.name, self.known = name, tuple(known)

    def __str__(self) -> str:
        near = get_close_matches(self.name, self.known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "is its module imported by the worker?"
        return f"no task is registered as {self.name!r}: {hint}"


class OperationalError(CeleriacError):
    """A broker or result backend did not do what was asked of it."""

    accepted: int = 0
    """After a publish: how many of its messages, from the front, are known to be in."""


class BrokerUnreachable(OperationalError):
    """No answer within the deadline. What was asked may or may not have happened."""


class LeaseExpired(OperationalError):
    """The store takes this node for dead: it must say that it is alive before it may fetch."""


class StoreRefused(OperationalError):
    """The server answered, and said no: full, read-only, wrong password, wrong type of key."""


class DecodeError(CeleriacError, ValueError):
    """Bytes that cannot be understood."""


class ContentDisallowed(DecodeError):
    """A content type that the app does not accept."""


class EncodeError(CeleriacError, ValueError):
    """A value that cannot become bytes with the chosen serializer."""


class SecurityError(CeleriacError):
    """Something stored names a class that must not be built, or a signature does not hold."""


class TaskPredicate(CeleriacError):
    """Raised by a task to say how its run ends."""


class Retry(TaskPredicate):
    """The task is to run again. ``Task.retry`` raises it."""

    again: Message | None = None
    """The message to send. Not an argument: it does not travel with the stored exception."""

    def __init__(
        self, message: str | None = None, exc: BaseException | None = None, when: datetime | float | None = None
    ) -> None:
        super().__init__(message, exc, when)
        self.message, self.exc, self.when = message, exc, when

    def humanize(self) -> str:
        """Say when: ``"in 3.0s"`` or ``"at 2030-01-01 …"``."""
        return f"in {self.when}s" if isinstance(self.when, int | float) else f"at {self.when}"

    def __str__(self) -> str:
        if self.message:
            return self.message
        if self.exc is not None:
            return f"Retry {self.humanize()}: {self.exc!r}"
        return f"Retry {self.humanize()}"


class Ignore(TaskPredicate):
    """End the run here; store no state."""


class Reject(TaskPredicate):
    """Refuse the message: to its queue again, or to the dead letters."""

    def __init__(self, reason: Any = None, requeue: bool = False) -> None:
        super().__init__(reason, requeue)
        self.reason, self.requeue = reason, requeue

    def __str__(self) -> str:
        return f"reject requeue={self.requeue}: {self.reason}"


class TaskError(CeleriacError):
    """How a task may have ended, seen by whoever waits for it."""


class TimeLimitExceeded(TaskError):
    """The task ran past its hard time limit, and its process was replaced."""


class SoftTimeLimitExceeded(TaskError):
    """The task ran past its soft time limit. Raised inside the task, which may clean up."""


class WorkerLostError(TaskError):
    """The process that ran the task died. Whether the task's effects happened is unknown."""


class TaskRevokedError(TaskError):
    """The task was revoked, or had expired, before it could run."""


class MaxRetriesExceededError(TaskError):
    """The task asked for one retry more than it may have."""

    def __init__(self, *args: Any, task_args: Any = (), task_kwargs: Any = None) -> None:
        super().__init__(*args)
        self.task_args, self.task_kwargs = task_args, dict(task_kwargs or {})


class RemoteError(TaskError):
    """An exception whose class is not known, or not allowed, here.

    ``type`` is its dotted name there, ``message`` its arguments as text.
    """

    def __init__(self, type: str, message: str) -> None:
        super().__init__(type, message)
        self.type, self.message = type, message

    def __str__(self) -> str:
        return f"{self.type}({self.message})"


class TimeoutError(TaskError, builtins.TimeoutError):
    """The result did not arrive in time. The task goes on."""
