"""Wait for something to become true, with a deadline; nothing sleeps and hopes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE_S = 0.02


def eventually(ask: Callable[[], T | None], *, within_s: float = 15.0, what: str) -> T:
    """Ask again and again until the answer is true; return it.

    Raises:
        AssertionError: it was not, ``within_s`` seconds long; ``what`` and the last answer are named.
    """
    deadline = time.monotonic() + within_s
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within_s:g} s not yet: {what}; the last answer was {answer!r:.500}")
        time.sleep(_PAUSE_S)
