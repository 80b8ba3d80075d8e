"""Signal: a named moment to which functions can be connected, and how they are called.

In a job's life: ``signals.py`` lists the moments. A receiver that fails is logged and costs nothing else: neither the job nor the
other receivers. Where nobody listens a signal costs its sender one look at ``receivers``. Safe in any thread.
Does not know: when anything is sent. Source: Celery's page on signals.
"""

from __future__ import annotations

import inspect
import logging
import weakref
from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from types import MethodType
from typing import Any, Final, TypeVar, overload

from celeriac.app.ended import RunEnded
from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import SoftTimeLimitExceeded

log = logging.getLogger("celeriac.signals")

F = TypeVar("F", bound=Callable[..., Any])
Answers = list[tuple[Callable[..., Any], Any]]
_ANYBODY: Final = None
_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 30.0


class Receiver:
    """One connected function: who it is, whom it listens to, how to reach it."""

    __slots__ = ("function", "key", "retry", "sender")

    def __init__(self, key: Hashable, function: Callable[[], Callable[..., Any] | None], sender: Any, retry: bool) -> None:
        self.key, self.function, self.sender, self.retry = key, function, sender, retry

    def hears(self, sender: Any) -> bool:
        """Say whether it listens to this sender."""
        wanted = self.sender
        return wanted is _ANYBODY or wanted is sender or _same(wanted, sender)


class Signal:
    """A moment to which functions can be connected. Connecting and sending are safe in any thread.

    Example:
        >>> @task_success.connect
        ... def congratulate(sender, result, **kwargs):
        ...     print(sender.name, result)
    """

    def __init__(
        self,
        providing_args: Iterable[str] | None = None,
        use_caching: bool = False,
        name: str | None = None,
        *,
        may_exit: bool = False,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        """Make a signal.

        Args:
            providing_args: What is sent with it.
            use_caching: As Celery has it, without effect: to find who listens is a comparison for each receiver.
            name: For people.
            may_exit: A receiver may end the program by ``SystemExit``; otherwise that is one more way to fail.
            pause: Lets seconds pass between the tries of a receiver that is connected with ``retry``.
        """
        self.name = name or "a signal"
        self.providing_args = frozenset(providing_args or ())
        self.use_caching = use_caching
        self.receivers: tuple[Receiver, ...] = ()
        """Empty: nobody listens, there is nothing to send."""
        self._may_exit = may_exit
        self._pause = pause or SystemRuntime().sleep
        self._lock = Lock()

    @overload
    def connect(
        self, receiver: F, sender: Any = None, weak: bool = True, dispatch_uid: Hashable = None, retry: bool = False
    ) -> F: ...
    @overload
    def connect(
        self, receiver: None = None, sender: Any = None, weak: bool = True, dispatch_uid: Hashable = None, retry: bool = False
    ) -> Callable[[F], F]: ...

    def connect(
        self, receiver: F | None = None, sender: Any = None, weak: bool = True, dispatch_uid: Hashable = None, retry: bool = False
    ) -> F | Callable[[F], F]:
        """Call ``receiver`` whenever the signal is sent; a decorator, with or without arguments.

        Args:
            receiver: Must take ``**kwargs``: later versions may send more.
            sender: Only when this one sends: a task, an app, a node. A task may be given by its name. ``None``: whoever sends.
            weak: Do not keep ``receiver`` alive: a function inside a function is forgotten with it.
            dispatch_uid: Of all receivers with one id and sender, the first is called and the others are not.
            retry: Call it again when it raises, after 2, 4, 6 and at last every 30 seconds, until it returns; the sender waits
                as long. Such a receiver is kept alive.

        Raises:
            TypeError: it cannot be called, or would have to be awaited.
            ValueError: it does not take ``**kwargs``.
        """
        if receiver is None:
            return lambda function: self.connect(function, sender, weak, dispatch_uid, retry)
        _check(receiver, self.name)
        key = _key(receiver, sender, dispatch_uid)
        with self._lock:
            if all(known.key != key for known in self.receivers):
                reference = self._reference(receiver, weak and not retry)
                self.receivers = (*self.receivers, Receiver(key, reference, sender, retry))
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

    def disconnect(
        self,
        receiver: Callable[..., Any] | None = None,
        sender: Any = None,
        weak: bool | None = None,
        dispatch_uid: Hashable = None,
    ) -> bool:
        """Undo ``connect``; return whether there was anything to undo. ``weak`` has no meaning here any more, as in Celery."""
        del weak
        key = _key(receiver, sender, dispatch_uid)
        with self._lock:
            before = len(self.receivers)
            self.receivers = tuple(known for known in self.receivers if known.key != key)
            return len(self.receivers) < before

    def has_listeners(self, sender: Any = None) -> bool:
        """Say whether anybody would be called."""
        return any(known.hears(sender) for known in self.receivers)

    def send(self, sender: Any, **named: Any) -> Answers:
        """Call everybody who is connected; return what each returned, or the exception that it raised."""
        answers: Answers = []
        for known in self.receivers:
            function = known.function() if known.hears(sender) else None
            if function is not None:
                answers.append((function, self._call(function, {"signal": self, "sender": sender, **named}, known.retry)))
        return answers

    send_robust = send

    def _call(self, function: Callable[..., Any], named: dict[str, Any], retry: bool) -> Any:
        pause_s = 0.0
        while True:
            try:
                return function(**named)
            except (KeyboardInterrupt, SoftTimeLimitExceeded, RunEnded):
                raise  # meant for whoever is interrupted, not for the receiver in which it happens to surface
            except BaseException as error:
                if self._may_exit and isinstance(error, SystemExit):
                    raise
                if not retry or not isinstance(error, Exception):
                    log.exception("a receiver of %s failed: %s", self.name, _shown(function))
                    return error
                pause_s = min(pause_s + _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
                text = "a receiver of %s failed, it is called again in %.0f s: %s: %s: %s"
                log.error(text, self.name, pause_s, _shown(function), type(error).__name__, _shown(error))
            self._pause(pause_s)

    def __repr__(self) -> str:
        return f"<Signal: {self.name} ({', '.join(sorted(self.providing_args))})>"


def _check(receiver: Any, signal: str) -> None:
    if not callable(receiver):
        raise TypeError(f"a receiver of {signal} must be callable, not {receiver!r}")
    if inspect.iscoroutinefunction(receiver):
        raise TypeError(f"a receiver of {signal} cannot be an async def, nobody would await it: {_shown(receiver)}")
    try:
        parameters = inspect.signature(receiver).parameters.values()
    except (TypeError, ValueError):  # written in C: it cannot be known
        return
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        raise ValueError(f"a receiver of {signal} must take **kwargs, since later versions may send more: {_shown(receiver)}")


def _key(receiver: Any, sender: Any, dispatch_uid: Hashable) -> Hashable:
    # Equal strings may be two objects; of all else the object itself is meant.
    whom = sender if isinstance(sender, str) else id(sender)
    return (dispatch_uid if dispatch_uid else _identity(receiver), whom)


def _identity(receiver: Any) -> Hashable:
    if isinstance(receiver, MethodType):
        return id(receiver.__self__), id(receiver.__func__)
    return id(receiver)


def _same(wanted: Any, sender: Any) -> bool:
    """Say whether two that are not one object mean one sender: a task and its name, a task and what stands for it."""
    if isinstance(wanted, str):
        return bool(wanted == (sender if isinstance(sender, str) else _attribute(sender, "name")))
    if isinstance(sender, str):
        return bool(sender == _attribute(wanted, "name"))
    # A shared task stands for the task of the app that is current now.
    name, app = _attribute(wanted, "name"), _attribute(wanted, "app")
    return name is not None and app is not None and name == _attribute(sender, "name") and app is _attribute(sender, "app")


def _attribute(thing: Any, name: str) -> Any:
    try:
        return getattr(thing, name, None)
    except Exception:  # what stands for something that is not there yet
        return None


def _shown(thing: object) -> str:
    try:
        return f"{thing}" if isinstance(thing, Exception) else repr(thing)
    except Exception:
        return type(thing).__name__
