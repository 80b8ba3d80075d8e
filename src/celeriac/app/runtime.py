"""The real world: the one place that asks for the time, for chance and for ids.

In a program's life: the app makes one and hands it to every part; simulations hand in another.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from os import urandom
from typing import Final

_VARIANTS: Final = "89ab"
"""What RFC 4122 allows as the first digit of the fourth group."""


class SystemRuntime:
    """The ``Runtime`` of real programs."""

    def now(self) -> datetime:
        """The wall clock: UTC with time zone."""
        return datetime.now(UTC)

    def time(self) -> float:
        """The wall clock as seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """A clock that never steps, seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def new_id(self) -> str:
        """A fresh UUID4 as text. From the system's entropy, so that forked processes never make the same."""
        chance = urandom(16)
        digits = chance.hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANTS[chance[8] & 3]}{digits[17:20]}-{digits[20:]}"

    def random(self) -> float:
        """At least 0, less than 1."""
        return random.random()


def uuid() -> str:
    """Return a fresh UUID4 as text, as the ids of tasks are."""
    return SystemRuntime().new_id()
