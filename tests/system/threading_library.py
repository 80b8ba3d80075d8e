"""A library that starts a thread when it is imported, as libraries of metrics and tracing do: nearly always it holds its lock."""

from __future__ import annotations

import threading
import time

_lock = threading.Lock()
_wanted = threading.Event()


def _collect() -> None:
    while True:
        with _lock:
            _wanted.wait(0.05)
            _wanted.clear()
        time.sleep(0.0002)


def count(number: int) -> int:
    """Return ``number``, when the lock is to be had."""
    _wanted.set()
    with _lock:
        return number


threading.Thread(target=_collect, name="library-collector", daemon=True).start()
