"""Promise: what is to be called when something has ended.

In a job's life: ``AsyncResult.on_ready`` is one; it is kept when the task has ended, and calls whoever asked for that. It is kept
once; who asks later is called at once. Does not know: what it waits for, in which thread it is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock
from typing import Any, NoReturn, Protocol

log = logging.getLogger("celeriac.results")

OnError = Callable[[BaseException], object]


class Ended(Protocol):
    """A result, as a promise sees it."""

    def failure(self) -> BaseException | None:
        """Return the exception that it ended with, if it did."""


class Promise:
    """Calls ``callback(result)`` at the end of what was promised."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[tuple[Callable[[Any], object], OnError | None]] = []
        self.value: Any = None
        """The result that has ended."""
        self.ready = False

    def then(self, callback: Callable[[Any], object], on_error: OnError | None = None) -> Promise:
        """Call ``callback`` with the result when it has ended, well or not.

        Args:
            callback: Called once. What it raises is handed to ``on_error``, or logged.
            on_error: Called instead with the exception of a task that failed.
        """
        with self._lock:
            if not self.ready:
                self._waiting.append((callback, on_error))
                return self
        _call(callback, on_error, self.value)
        return self

    def keep(self, value: Ended) -> None:
        """It has ended: call everybody. A second time changes nothing."""
        with self._lock:
            if self.ready:
                return
            self.ready, self.value = True, value
            waiting, self._waiting = self._waiting, []
        for callback, on_error in waiting:
            _call(callback, on_error, value)

    def throw(self, exc: BaseException, tb: Any = None) -> NoReturn:
        """Raise ``exc``, with the traceback ``tb`` if there is one."""
        raise exc.with_traceback(tb) if tb is not None else exc


def _call(callback: Callable[[Any], object], on_error: OnError | None, value: Ended) -> None:
    """One callback that fails must not keep the others from their call, nor end the thread that calls."""
    error = value.failure()
    try:
        if error is None or on_error is None:
            callback(value)
            return
    except Exception as broken:
        error = broken
    try:
        if on_error is None:
            log.error("a callback of %s failed", value, exc_info=error)
        else:
            on_error(error)
    except Exception:
        log.exception("an error callback of %s failed", value)
