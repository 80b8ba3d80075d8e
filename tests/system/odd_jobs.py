"""Tasks that raise, or return, what nobody expects, in every way that a task may be written. A worker is told of them with
``-I odd_jobs``. What ``wild_jobs`` has is not repeated here.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

from jobs import app  # type: ignore[import-not-found]  # as the worker finds it

from celeriac import Secret, Task, get_task_logger

log = get_task_logger(__name__)


class KeywordsOnly(Exception):
    """Wants keywords, and keeps nothing."""

    def __init__(self, *, code: int) -> None:
        self.code = code


class Holding(Exception):
    """Holds what cannot travel."""

    def __init__(self, lock: Any) -> None:
        super().__init__(lock)


class NoText(Exception):
    """Its text is no text."""

    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


class Strange(type):
    """A metaclass whose classes do not tell what they are."""

    def __repr__(cls) -> str:
        raise RuntimeError("no repr of the class")

    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError("ask nothing")


class OfStrangeKind(Exception, metaclass=Strange):
    """Is of that class."""


class Equal(Exception):
    """Cannot be compared, nor hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no equal")


def _circular() -> BaseException:
    error = ValueError()
    error.args = (error,)
    return error


def _nested() -> BaseException:
    return BaseExceptionGroup("outer", [ExceptionGroup("inner", [KeyError("k")]), GeneratorExit("closed")])


ERRORS: dict[str, tuple[Callable[[], BaseException], str]] = {
    "keywords only": (lambda: KeywordsOnly(code=5), "odd_jobs.KeywordsOnly"),
    "holding a lock": (lambda: Holding(threading.Lock()), "odd_jobs.Holding"),
    "no text": (lambda: NoText("a"), "odd_jobs.NoText"),
    "of a strange kind": (lambda: OfStrangeKind("a"), "odd_jobs.OfStrangeKind"),
    "not comparable": (lambda: Equal("a"), "odd_jobs.Equal"),
    "circular": (_circular, "builtins.ValueError"),
    "stop iteration": (lambda: StopIteration(7), "builtins.StopIteration"),
    "stop async iteration": (lambda: StopAsyncIteration(7), "builtins.StopAsyncIteration"),
    "generator exit": (lambda: GeneratorExit("closed"), "builtins.GeneratorExit"),
    "interrupt": (lambda: KeyboardInterrupt("ctrl-c"), "builtins.KeyboardInterrupt"),
    "exit": (lambda: SystemExit("enough"), "builtins.SystemExit"),
    "no memory": (lambda: MemoryError("of 9 GB"), "builtins.MemoryError"),
    "cancelled": (lambda: asyncio.CancelledError("by somebody"), "asyncio.exceptions.CancelledError"),
    "timeout": (lambda: TimeoutError("of a socket"), "builtins.TimeoutError"),
    "nested groups": (_nested, "builtins.ExceptionGroup"),
}
"""What is raised, and the class that the caller is told of."""


def _nested_list(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def _in_itself() -> list[Any]:
    whole: list[Any] = []
    whole.append(whole)
    return whole


class Unreadable:
    """Cannot be written in any way, nor shown."""

    def __reduce__(self) -> Any:
        raise RuntimeError("cannot be pickled")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


RESULTS: dict[str, Callable[[], Any]] = {
    "object": object,
    "function": lambda: len,
    "module": lambda: os,
    "generator": lambda: (each for each in "ab"),
    "lock": threading.Lock,
    "unreadable": Unreadable,
    "in itself": _in_itself,
    "too deep": lambda: _nested_list(100_000),
    "key that is a list of keys": lambda: {(1, 2): 3},
    "exception": lambda: ValueError("returned, not raised"),
}


class Watched(Task[..., Any]):
    """Its handlers are called around the run."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Have something of the user's around."""

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Fail as the run did."""
        raise exc


@app.task  # type: ignore[untyped-decorator]
def plain(kind: str) -> None:
    raise ERRORS[kind][0]()


@app.task(base=Watched)  # type: ignore[untyped-decorator]
def watched(kind: str) -> None:
    raise ERRORS[kind][0]()


@app.task  # type: ignore[untyped-decorator]
async def waiting(kind: str) -> None:
    await asyncio.sleep(0)
    raise ERRORS[kind][0]()


@app.task(base=Watched)  # type: ignore[untyped-decorator]
async def watched_waiting(kind: str) -> None:
    await asyncio.sleep(0)
    raise ERRORS[kind][0]()


@app.task(bind=True, max_retries=1, default_retry_delay=0)  # type: ignore[untyped-decorator]
def retried(self: Any, kind: str) -> None:
    error = ERRORS[kind][0]()
    raise self.retry(exc=error)


@app.task  # type: ignore[untyped-decorator]
def returns(kind: str) -> Any:
    return RESULTS[kind]()


@app.task  # type: ignore[untyped-decorator]
def leaves(code: int) -> None:
    os._exit(code)


@app.task  # type: ignore[untyped-decorator]
def login(user: str, password: Secret[str]) -> None:
    raise PermissionError(f"{user} may not")
