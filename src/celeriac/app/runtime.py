"""The real world: the one place that asks for the time, for chance and for ids.

In a program's life: the app makes one and hands it to every part; simulations hand in another.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from os import urandom
from typing import Final

_VARIANT: Final = (0x4 << 76) | (0x8 << 60)
"""The bits that make 128 random ones a UUID of version 4, and the mask of those that they replace."""
_CHANCE: Final = ((1 << 128) - 1) & ~((0xF << 76) | (0xC << 60))


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
        digits = f"{(int.from_bytes(urandom(16), 'big') & _CHANCE) | _VARIANT:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def random(self) -> float:
        """At least 0, less than 1."""
        return random.random()
