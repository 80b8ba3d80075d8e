"""Decide how a node stops: warm, soft, cold, and whether it comes back.

In a node's life: told by signals and remote commands what was asked for, asked in each round what that comes to. Pure: the
clock is an argument, and nothing is done here. Names and their order are Celery's; two things are ours: a second SIGTERM is a
cold stop, and a warm one may have a deadline. Source: Celery's guide "Workers", shutting down.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Protocol

from msgspec import Struct


class Ask(Enum):
    """What somebody may ask of a node."""

    FINISH = "finish"
    """The first time warm, the second time as ``QUIT``."""
    QUIT = "quit"
    """Soft if there is time for it, then cold; while it is soft, cold at once."""
    RESTART = "restart"
    """Warm, and then the same program again."""


class Stage(IntEnum):
    """How far a stop has come; it never goes back."""

    WORK = 0
    """Nobody asked."""
    WARM = 1
    """No new work; running tasks end."""
    SOFT = 2
    """The same, and there is a deadline."""
    COLD = 3
    """Running tasks are stopped and handed back."""


class StopTerms(Struct, frozen=True, kw_only=True):
    """What the settings say of stopping."""

    soft_s: float = 0.0
    """How long running tasks may take before a cold stop. 0: no time."""
    warm_s: float = 0.0
    """After so long a warm stop becomes a cold one. 0: never."""


class StopSettings(Protocol):
    """The settings of a node that ``StopTerms`` come from."""

    @property
    def soft_shutdown_timeout(self) -> float:
        """Seconds."""

    @property
    def warm_shutdown_timeout(self) -> float:
        """Seconds."""


def stop_terms(settings: StopSettings) -> StopTerms:
    """Return what the settings say of stopping."""
    return StopTerms(soft_s=settings.soft_shutdown_timeout, warm_s=settings.warm_shutdown_timeout)


class Stopping:
    """What was asked for so far, and what follows from it."""

    def __init__(self, terms: StopTerms | None = None) -> None:
        self._terms = terms or StopTerms()
        self._asked: list[tuple[Ask, str]] = []
        self._heeded = 0
        """How many of these the stage takes into account."""
        self._until: float | None = None
        self.stage = Stage.WORK
        """As of the last ``advance``."""
        self.why = ""
        """Who asked for it: the name of a signal, of a command."""

    def ask(self, what: Ask, why: str) -> None:
        """Take note, to be heeded by the next ``advance``. Any thread may call, and a signal handler."""
        self._asked.append((what, why))

    @property
    def is_asked(self) -> bool:
        """Whether anybody has asked, heeded or not."""
        return bool(self._asked)

    @property
    def restarts(self) -> bool:
        """Whether the program begins again when it has ended: nobody has asked for anything else, before or after."""
        asked = tuple(self._asked)
        return bool(asked) and all(what is Ask.RESTART for what, _ in asked)

    def advance(self, now: float, *, is_busy: Callable[[], bool]) -> bool:
        """Heed what was asked and what the clock says; return whether the stage is another one now.

        Args:
            now: Seconds of the monotonic clock.
            is_busy: Whether a task runs: nothing is waited for where none does.
        """
        before = self.stage
        while self._heeded < len(self._asked):
            what, why = self._asked[self._heeded]
            self._heeded += 1
            self._heed(what, why, now, is_busy)
        if self._until is not None and now >= self._until:
            self._enter(Stage.COLD, None)
        return self.stage is not before

    def left_s(self, now: float) -> float | None:
        """How many seconds running tasks still have. ``None``: there is no bound."""
        return None if self._until is None else max(0.0, self._until - now)

    def _heed(self, what: Ask, why: str, now: float, is_busy: Callable[[], bool]) -> None:
        first = all(earlier is Ask.RESTART for earlier, _ in self._asked[: self._heeded - 1])
        if what is Ask.RESTART and self.stage is not Stage.WORK:
            return  # who stops for good is not brought back by whoever wants it anew
        self.why = why
        if what is not Ask.QUIT and first:
            if self.stage is Stage.WORK:
                self._enter(Stage.WARM, now + self._terms.warm_s if self._terms.warm_s else None)
        elif self.stage < Stage.SOFT and self._terms.soft_s and is_busy():
            until = now + self._terms.soft_s
            self._enter(Stage.SOFT, until if self._until is None else min(until, self._until))
        else:
            self._enter(Stage.COLD, None)

    def _enter(self, stage: Stage, until: float | None) -> None:
        self.stage, self._until = max(stage, self.stage), until
