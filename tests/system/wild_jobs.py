"""Tasks that raise what nobody should raise. A worker is told of them with ``-I wild_jobs``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from jobs import app  # type: ignore[import-not-found]  # as the worker finds it


class Odd(Exception):
    """Wants other arguments than it keeps."""

    def __init__(self, a: int, *, b: int) -> None:
        super().__init__(f"{a} and {b}")


class Unpicklable(Exception):
    """Refuses to travel."""

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("cannot be pickled")


class Mute(Exception):
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__


class Loud(Exception):
    """Has very much to say."""

    def __repr__(self) -> str:
        return "x" * 10_000_000

    __str__ = __repr__


class Stingy(Exception):
    """Does not give its arguments."""

    @property
    def args(self) -> object:  # type: ignore[override]
        raise RuntimeError("no args")


class Untouchable(Exception):
    """Cannot be asked anything."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)


class Own(BaseException):
    """No Exception at all."""


class Shown:
    """Is no JSON, and cannot be shown either."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def _chained() -> None:
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ValueError("outer") from error


def _in_a_circle() -> None:
    error = ValueError("round and round")
    error.__cause__ = error
    raise error


def _deep() -> None:
    error = ValueError("first")
    for number in range(3000):
        before, error = error, ValueError(number)
        error.__cause__ = before
    raise error


def _endless() -> None:
    _endless()


def _raising(make: Callable[[], BaseException]) -> Callable[[], None]:
    def raises() -> None:
        raise make()

    return raises


KINDS: dict[str, tuple[Callable[[], object], str]] = {
    "odd": (_raising(lambda: Odd(1, b=2)), "wild_jobs.Odd"),
    "unpicklable": (_raising(lambda: Unpicklable("lock")), "wild_jobs.Unpicklable"),
    "mute": (_raising(lambda: Mute("a")), "wild_jobs.Mute"),
    "loud": (_raising(lambda: Loud("a")), "wild_jobs.Loud"),
    "stingy": (_raising(lambda: Stingy("a")), "wild_jobs.Stingy"),
    "untouchable": (_raising(lambda: Untouchable("a")), "wild_jobs.Untouchable"),
    "a document in it": (_raising(lambda: ValueError("x" * 10_000_000)), "builtins.ValueError"),
    "an argument that is no JSON": (_raising(lambda: ValueError(Shown())), "builtins.ValueError"),
    "half a character": (_raising(lambda: ValueError("\ud800")), "builtins.ValueError"),
    "chained": (_chained, "builtins.ValueError"),
    "in a circle": (_in_a_circle, "builtins.ValueError"),
    "deep": (_deep, "builtins.ValueError"),
    "endless": (_endless, "builtins.RecursionError"),
    "group": (_raising(lambda: ExceptionGroup("several", [ValueError(1), KeyError("k")])), "builtins.ExceptionGroup"),
    "its own base": (_raising(lambda: Own("base")), "wild_jobs.Own"),
    "exit": (lambda: sys.exit(3), "builtins.SystemExit"),
    "interrupt": (_raising(KeyboardInterrupt), "builtins.KeyboardInterrupt"),
    "cancelled": (_raising(lambda: asyncio.CancelledError("c")), "asyncio.exceptions.CancelledError"),
    "no json": (lambda: json.loads("{"), "json.decoder.JSONDecodeError"),
    "no file": (lambda: Path("/no/such/file").read_text(), "builtins.FileNotFoundError"),
    "a result that is no JSON": (Shown, "celeriac.core.errors.EncodeError"),
}
"""What the task does, and the class that its caller is told of."""


@app.task  # type: ignore[untyped-decorator]
def misbehave(kind: str) -> object:
    act, _ = KINDS[kind]
    return act()
