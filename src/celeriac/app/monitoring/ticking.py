"""Timer: call functions again and again, each every so many seconds, in one thread.

In a program's life: beside a camera. A function that fails is told in the log and called again; one that takes longer than its
pause misses calls and does not pile them up. Names: the part of Celery's timer that cameras use. Does not know: what it calls.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celeriac.abc import Runtime

log = logging.getLogger("celeriac.events")


class Entry:
    """One function that is called again and again. Calling the entry calls it now."""

    def __init__(self, timer: Timer, pause_s: float, function: Callable[[], object], due: float) -> None:
        self._timer, self.pause_s, self._function, self.due = timer, pause_s, function, due

    def __call__(self) -> object:
        """Call it now; the next call comes as before."""
        return self._function()

    def cancel(self) -> None:
        """Do not call it any more."""
        self._timer.forget(self)


class Timer:
    """Calls functions, in a thread that begins with the first and ends with the last of them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._change = threading.Condition()
        self._entries: list[Entry] = []
        self._thread: threading.Thread | None = None

    def call_repeatedly(
        self,
        secs: float,
        fun: Callable[..., object],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        priority: int = 0,
    ) -> Entry:
        """Call ``fun`` every ``secs`` seconds, for the first time after so many; ``priority`` is accepted."""
        del priority
        if secs <= 0:
            raise ValueError(f"a function is called every so many seconds, more than none; not {secs!r}")
        entry = Entry(self, secs, lambda: fun(*args, **(kwargs or {})), self._runtime.monotonic() + secs)
        with self._change:
            self._entries.append(entry)
            self._change.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="celeriac-timer", daemon=True)
                self._thread.start()
        return entry

    def forget(self, entry: Entry) -> None:
        """Do not call this one any more; what runs now may come to its end."""
        with self._change:
            if entry in self._entries:
                self._entries.remove(entry)
            self._change.notify()

    def stop(self) -> None:
        """Call nothing any more."""
        with self._change:
            self._entries.clear()
            self._change.notify()

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            try:
                entry()
            except Exception:
                log.exception("what a timer calls every %g s failed", entry.pause_s)

    def _next(self) -> Entry | None:
        """Wait until one is due; ``None``: there is none any more."""
        with self._change:
            while self._entries:
                now = self._runtime.monotonic()
                entry = min(self._entries, key=lambda each: each.due)
                if entry.due <= now:
                    entry.due = max(entry.due + entry.pause_s, now)
                    return entry
                self._change.wait(entry.due - now)
            self._thread = None
            return None
