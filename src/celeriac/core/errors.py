"""Every error of celeriac, in one tree.

In a job's life: raised anywhere, caught by users. All of them survive pickling, since they cross processes:
their ``args`` are the arguments of their constructor. Does not know: drivers, tasks, results.

    CeleriacError
    ├── ImproperlyConfigured            a setting, URL or option that cannot be honoured
    │   ├── MissingExtra                the client library of a driver is not installed
    │   └── NoResultBackend (NotImplementedError)   a result is asked for, and none is stored anywhere
    ├── OperationalError                a broker or result backend did not do what was asked
    │   ├── BrokerUnreachable           no answer within the deadline
    │   ├── LeaseExpired                the store takes this node for dead
    │   ├── StoreRefused                it answered, and said no (full, read-only, wrong password)
    │   ├── StreamBroken                a group that is sent while it is generated broke off (stream_errors.py)
    │   └── BackendError                a result backend of the user's own failed
    │       ├── BackendGetMetaError, BackendStoreError
    ├── StreamUsed (RuntimeError)       a group over a generator is wanted a second time
    ├── DecodeError (ValueError)        bytes that cannot be understood
    │   └── ContentDisallowed           a content type that the app does not accept
    ├── EncodeError (ValueError)        a value that cannot become bytes
    ├── InvalidData (ValueError)        a value that does not fit its annotation
    │   ├── InvalidArguments, InvalidResult
    ├── SecurityError                   something stored names a class that must not be built
    ├── TaskPredicate                   raised by a task to say how its run ends
    │   ├── Retry, Ignore, Reject
    └── TaskError                       what is wrong with a task, or how it may have ended
        ├── NotRegistered (KeyError)    no task answers to this name
        ├── AlreadyRegistered, QueueNotFound (KeyError), InvalidTaskError
        ├── TimeLimitExceeded, SoftTimeLimitExceeded, WorkerLostError, Terminated
        ├── TaskRevokedError, MaxRetriesExceededError, ChordError, RemoteError, IncompleteStream
        └── TimeoutError (builtin's too)   the result did not come in time; the task goes on
    CeleriacWarning (UserWarning)       what is odd and goes on; its kinds are at the end of this file
    WorkerShutdown, WorkerTerminate (SystemExit)   raised to stop a worker, warm or cold
"""

from __future__ import annotations

import builtins
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from celeriac.core.representation import safe_repr

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from types import TracebackType

    from celeriac.core.message import Address, Message


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


class BackendError(OperationalError):
    """A result backend of the user's own did not do what was asked of it."""


class BackendGetMetaError(BackendError):
    """It could not say what is known of a task."""

    def __init__(self, *args: Any, task_id: str = "", **_kwargs: Any) -> None:
        super().__init__(*args)
        self.task_id = task_id

    def __str__(self) -> str:
        return f"{super().__str__()} task_id:{self.task_id}"


class BackendStoreError(BackendError):
    """It could not store a state."""

    def __init__(self, *args: Any, state: str = "", task_id: str = "", **_kwargs: Any) -> None:
        super().__init__(*args)
        self.state, self.task_id = state, task_id

    def __str__(self) -> str:
        return f"{super().__str__()} state:{self.state} task_id:{self.task_id}"


class DecodeError(CeleriacError, ValueError):
    """Bytes that cannot be understood."""


class ContentDisallowed(DecodeError):
    """A content type that the app does not accept."""


class WorkflowTooDeep(CeleriacError, ValueError):
    """Groups in chords in chains, too many of them inside of each other, or one that holds itself."""

    def __init__(self, what: str = "this workflow is nested too deep, or holds itself: build it flat or in parts") -> None:
        super().__init__(what)


class EncodeError(CeleriacError, ValueError):
    """A value that cannot become bytes with the chosen serializer."""


class InvalidData(CeleriacError, ValueError):
    """Something is not what a task's annotation says. The values themselves are not quoted: this is stored and logged."""

    def __init__(self, task: str, problems: Iterable[Sequence[str]]) -> None:
        """``problems``: for each wrong value its place, such as ``"order.items[0].price"``, and what is wrong with it."""
        # As tuples, whoever stored them: JSON makes lists of tuples.
        self.problems: tuple[tuple[str, str], ...] = tuple((place, why) for place, why in problems)
        super().__init__(task, self.problems)
        self.task = task

    def __str__(self) -> str:
        told = "; ".join(f"{place}: {why}" if place else why for place, why in self.problems)
        return f"{self.task}: {told}" if self.task else told


class InvalidArguments(InvalidData):
    """Arguments are not what the annotations of the task say."""


class InvalidResult(InvalidData):
    """What a task returned is not what its annotation says, or a stored result is not the model that was asked for."""


class SecurityError(CeleriacError):
    """Something stored names a class that must not be built, or a signature does not hold."""


class TaskPredicate(CeleriacError):
    """Raised by a task to say how its run ends."""


class Retry(TaskPredicate):
    """The task is to run again. ``Task.retry`` raises it; raised by hand it asks for the same, with the task's own limit."""

    again: Message | None = None
    """The message to send. Not an argument: it does not travel with the stored exception."""
    address: Address | None = None
    """Where that message goes, if not where it came from."""

    message: str | None = None
    exc: BaseException | None = None
    """What made the task want to."""
    when: datetime | float | None = None
    """A moment, or seconds from now."""

    def __init__(
        self,
        message: str | None = None,
        exc: BaseException | str | None = None,
        when: datetime | float | None = None,
        is_eager: bool = False,
        sig: Any = None,
        **kwargs: Any,
    ) -> None:
        """Say why and when.

        Args:
            message: For people.
            exc: What made the task want to; or only its text.
            when: A moment, or seconds from now.
            is_eager: The task runs in the process that called it.
            sig: The call that will be made.
            kwargs: Accepted for Celery's sake, as its class does; nothing looks at them.
        """
        del kwargs
        super().__init__(message, exc, when)
        self.message, self.when = message, when
        self.exc = None if isinstance(exc, str) else exc
        self.excs = exc if isinstance(exc, str) else None if exc is None else safe_repr(exc)
        """``exc`` as text."""
        self.is_eager, self.sig = is_eager, sig

    def humanize(self) -> str:
        """Say when: ``"in 3.0s"`` or ``"at 2030-01-01 …"``."""
        return f"in {self.when}s" if isinstance(self.when, int | float) else f"at {self.when}"

    def __str__(self) -> str:
        if self.message:
            return self.message
        return f"Retry {self.humanize()}: {self.excs}" if self.excs else f"Retry {self.humanize()}"

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception that cannot travel must not keep the Retry from doing so.
        return type(self), (self.message, self.exc if _travels(self.exc) else self.excs, self.when)


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
    """What is wrong with a task, or how it may have ended, seen by whoever waits for it."""


class NoResultBackend(ImproperlyConfigured, NotImplementedError):
    """A result is asked for, and the app stores none. Also a ``NotImplementedError``: existing programs catch that."""


class NotRegistered(TaskError, KeyError):
    """No task answers to this name here. Also a ``KeyError``: existing programs catch that."""

    def __init__(self, name: str, known: Collection[str] = ()) -> None:
        super().__init__(name, tuple(known))
        self.name, self.known = name, tuple(known)

    def __str__(self) -> str:
        near = get_close_matches(self.name, self.known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "is its module imported by the worker?"
        return f"no task is registered as {self.name!r}: {hint}"


class AlreadyRegistered(TaskError):
    """Another task has this name already."""


class QueueNotFound(TaskError, KeyError):
    """There is no queue of this name, and none may be made up. Also a ``KeyError``: existing programs catch that."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # not the repr, as KeyError has it


class InvalidTaskError(TaskError):
    """A message that is no call of a task."""


class TimeLimitExceeded(TaskError):
    """The task ran past its hard time limit, and its process was replaced."""

    def __str__(self) -> str:
        match self.args:
            case (int() | float() as seconds,):
                return f"the task ran past its hard time limit of {seconds:g} s"
        return super().__str__()


class SoftTimeLimitExceeded(TaskError):
    """The task ran past its soft time limit. Raised inside the task, which may clean up."""


class WorkerLostError(TaskError):
    """The process that ran the task died. Whether the task's effects happened is unknown."""


class Terminated(TaskError):
    """The process that ran the task was ended by a signal, on request."""


class TaskRevokedError(TaskError):
    """The task was revoked, or had expired, before it could run."""


class MaxRetriesExceededError(TaskError):
    """The task asked for one retry more than it may have."""

    def __init__(self, *args: Any, task_args: Any = (), task_kwargs: Any = None, **_kwargs: Any) -> None:
        super().__init__(*args)
        self.task_args, self.task_kwargs = task_args, dict(task_kwargs or {})


class ChordError(TaskError):
    """A member of a chord has failed: its body cannot run."""


class RemoteError(TaskError):
    """An exception whose class is not known, or not allowed, here.

    ``type`` is its dotted name there, ``message`` its arguments as text.
    """

    def __init__(self, type: str, message: str) -> None:
        super().__init__(type, message)
        self.type, self.message = type, message

    def __str__(self) -> str:
        return f"{self.type}({self.message})"


class IncompleteStream(TaskError):
    """What a task sent is not known, since it has not ended."""


class TimeoutError(TaskError, builtins.TimeoutError):
    """The result did not arrive in time. The task goes on."""


class CeleriacWarning(UserWarning):
    """Something is odd, and goes on."""


class AlwaysEagerIgnored(CeleriacWarning):
    """``task_always_eager`` is set, and this call was sent by name: it does not run here."""


class DuplicateNodenameWarning(CeleriacWarning):
    """Two nodes have one name: what is asked of one is answered by both."""


class DuplicateTaskNameWarning(CeleriacWarning):
    """Two functions are tasks of one name: only one of them can be called."""


class FixupWarning(CeleriacWarning):
    """An integration with a framework could not do its work."""


class NotConfigured(CeleriacWarning):
    """There is no configuration where one was looked for."""


class SecurityWarning(CeleriacWarning):
    """A setting lets others do what they should not."""


class CPendingDeprecationWarning(PendingDeprecationWarning):
    """A name that will be deprecated."""


class CDeprecationWarning(DeprecationWarning):
    """A name that will go away."""


class WorkerShutdown(SystemExit):
    """Raised in a worker's main thread: take no new work, finish what runs, end."""


class WorkerTerminate(SystemExit):
    """Raised in a worker's main thread: end at once; what runs goes back to its queue or ends as lost."""


def reraise(tp: type[BaseException], value: BaseException, tb: TracebackType | None = None) -> NoReturn:
    """Raise ``value`` with the traceback ``tb``. ``tp`` is its class; it is not needed any more."""
    del tp
    raise value.with_traceback(tb) if value.__traceback__ is not tb else value


def _travels(error: BaseException | None) -> bool:
    import pickle  # late: whoever pickles a Retry has loaded it

    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made here a moment ago
    except Exception:
        return False
    return True
