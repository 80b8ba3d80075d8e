"""Hooks for users: named moments to which functions can be connected.

In a job's life: around publishing, around each run, and in the life of a worker. Hooks are never for ourselves, and one that
fails is logged and costs nothing else. Places that are passed often ask ``if signal.receivers:`` first. Names, senders and
arguments: Celery's page on signals.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Hashable
from threading import Lock
from types import MethodType
from typing import Any, Final, TypeVar, overload

log = logging.getLogger("celeriac.signals")

F = TypeVar("F", bound=Callable[..., Any])
_ANY: Final = None


class _Receiver:
    """One connected function: who it is, whom it listens to, how to reach it."""

    __slots__ = ("function", "key", "sender")

    def __init__(self, key: Hashable, function: Callable[[], Callable[..., Any] | None], sender: Any) -> None:
        self.key, self.function, self.sender = key, function, sender

    def hears(self, sender: Any) -> bool:
        return self.sender is _ANY or self.sender is sender or (isinstance(sender, str) and self.sender == sender)


class Signal:
    """A moment to which functions can be connected. Connecting and sending are safe in any thread.

    Example:
        >>> @task_success.connect
        ... def congratulate(sender, result, **kwargs):
        ...     print(sender.name, result)
    """

    def __init__(self, name: str, providing_args: tuple[str, ...] = ()) -> None:
        self.name = name
        self.providing_args = frozenset(providing_args)
        self.receivers: tuple[_Receiver, ...] = ()
        """Empty: nobody listens, there is nothing to send."""
        self._lock = Lock()

    @overload
    def connect(self, receiver: F, sender: Any = None, weak: bool = True, dispatch_uid: Hashable = None) -> F: ...
    @overload
    def connect(
        self, receiver: None = None, sender: Any = None, weak: bool = True, dispatch_uid: Hashable = None
    ) -> Callable[[F], F]: ...

    def connect(
        self, receiver: F | None = None, sender: Any = None, weak: bool = True, dispatch_uid: Hashable = None
    ) -> F | Callable[[F], F]:
        """Call ``receiver`` whenever the signal is sent; a decorator, with or without arguments.

        Args:
            receiver: Must take ``**kwargs``: later versions may send more.
            sender: Only when this one sends: a task, an app, a name. ``None``: whoever sends.
            weak: Do not keep ``receiver`` alive: a function inside a function is forgotten with it.
            dispatch_uid: Of all receivers with one id and sender, the first is called and the others are not.
        """
        if receiver is None:
            return lambda function: self.connect(function, sender, weak, dispatch_uid)
        if not callable(receiver):
            raise TypeError(f"a receiver of {self.name} must be callable, not {receiver!r}")
        key = (dispatch_uid if dispatch_uid is not None else _identity(receiver), id(sender))
        with self._lock:
            if all(known.key != key for known in self.receivers):
                self.receivers = (*self.receivers, _Receiver(key, self._reference(receiver, weak), sender))
        return receiver

    def _reference(self, receiver: F, weak: bool) -> Callable[[], Callable[..., Any] | None]:
        if not weak:
            return lambda: receiver
        try:
            if isinstance(receiver, MethodType):
                return weakref.WeakMethod(receiver, self._forget)
            return weakref.ref(receiver, self._forget)
        except TypeError:  # a callable that cannot be referred to weakly, such as a method of a C type
            return lambda: receiver

    def _forget(self, reference: Any) -> None:
        # Runs in the garbage collector, maybe in a thread that holds the lock: a plain assignment is enough.
        self.receivers = tuple(known for known in self.receivers if known.function is not reference)

    def disconnect(self, receiver: Callable[..., Any] | None = None, sender: Any = None, dispatch_uid: Hashable = None) -> bool:
        """Undo ``connect``; return whether there was anything to undo."""
        key = (dispatch_uid if dispatch_uid is not None else _identity(receiver), id(sender))
        with self._lock:
            before = len(self.receivers)
            self.receivers = tuple(known for known in self.receivers if known.key != key)
            return len(self.receivers) < before

    def has_listeners(self, sender: Any = None) -> bool:
        """Say whether anybody would be called."""
        return any(known.hears(sender) for known in self.receivers)

    def send(self, sender: Any, **named: Any) -> list[tuple[Callable[..., Any], Any]]:
        """Call everybody who is connected; return what each returned, or the exception that it raised."""
        answers: list[tuple[Callable[..., Any], Any]] = []
        for known in self.receivers:
            function = known.function() if known.hears(sender) else None
            if function is None:
                continue
            try:
                answer = function(signal=self, sender=sender, **named)
            except Exception as error:
                log.exception("a receiver of %s failed: %r", self.name, function)
                answer = error
            answers.append((function, answer))
        return answers

    send_robust = send

    def __repr__(self) -> str:
        return f"<Signal: {self.name}>"


def _identity(receiver: Any) -> Hashable:
    if isinstance(receiver, MethodType):
        return id(receiver.__self__), id(receiver.__func__)
    return id(receiver)


before_task_publish: Final = Signal(
    "before_task_publish", ("body", "exchange", "routing_key", "headers", "properties", "declare", "retry_policy")
)
after_task_publish: Final = Signal("after_task_publish", ("body", "exchange", "routing_key", "headers"))

task_received: Final = Signal("task_received", ("request",))
task_prerun: Final = Signal("task_prerun", ("task_id", "task", "args", "kwargs"))
task_postrun: Final = Signal("task_postrun", ("task_id", "task", "args", "kwargs", "retval", "state"))
task_success: Final = Signal("task_success", ("result",))
task_retry: Final = Signal("task_retry", ("request", "reason", "einfo"))
task_failure: Final = Signal("task_failure", ("task_id", "exception", "args", "kwargs", "traceback", "einfo"))
task_revoked: Final = Signal("task_revoked", ("request", "terminated", "signum", "expired"))
task_rejected: Final = Signal("task_rejected", ("message", "exc"))
task_unknown: Final = Signal("task_unknown", ("message", "exc", "name", "id"))

import_modules: Final = Signal("import_modules")
celeryd_init: Final = Signal("celeryd_init", ("instance", "conf", "options"))
celeryd_after_setup: Final = Signal("celeryd_after_setup", ("instance", "conf"))
worker_init: Final = Signal("worker_init")
worker_process_init: Final = Signal("worker_process_init")
worker_process_shutdown: Final = Signal("worker_process_shutdown", ("pid", "exitcode"))
worker_ready: Final = Signal("worker_ready")
worker_shutting_down: Final = Signal("worker_shutting_down", ("sig", "how", "exitcode"))
worker_shutdown: Final = Signal("worker_shutdown")

setup_logging: Final = Signal("setup_logging", ("loglevel", "logfile", "format", "colorize"))
after_setup_logger: Final = Signal("after_setup_logger", ("logger", "loglevel", "logfile", "format", "colorize"))
after_setup_task_logger: Final = Signal("after_setup_task_logger", ("logger", "loglevel", "logfile", "format", "colorize"))
