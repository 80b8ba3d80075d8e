"""Throw an exception into the run of another thread, and into nothing else of that thread.

In a job's life: around it, where runs do not have the main thread of a process to themselves: the soft time limit of a task in a
thread, or its end by an operator. Python delivers such an exception when the thread next runs Python code, which may be
later than was meant. So a gate stands around each run: what is thrown counts for the run that is inside, and when the gate is
shut, what was not delivered any more is taken back. Does not know: limits, seats, why somebody throws.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Final, TypeVar

from celeriac.worker.lanes.real import identity, make_lock

T = TypeVar("T")

_DELICATE: Final = frozenset({"celeriac", "logging", "threading", "queue", "weakref", "importlib"})
"""Packages between whose lines nothing should be thrown, if it can be helped: they take locks and talk to stores."""
_DEEP: Final = 8
"""So many callers of what a thread is doing are looked at."""
_EXECUTION: Final = "celeriac.app.execution"


class Gate:
    """Stands around the runs of one thread, which makes it. Any other thread may throw."""

    __slots__ = ("_lock", "_tag", "_thread", "_thrown")

    def __init__(self) -> None:
        self._thread, self._lock = identity(), make_lock()
        self._tag = 0
        """Of the run that is inside; 0: none is."""
        self._thrown = False

    def run(self, tag: int, call: Callable[[], T]) -> T:
        """Return what ``call`` returns; what is thrown meanwhile, and not caught by it, is raised."""
        result: T | None = None
        returned = False
        try:
            try:
                self.open(tag)
                result = call()
                returned = True
            finally:
                self.shut()
        except BaseException:
            # Raised by the call, or thrown while we shut: then the run had ended. Two are thrown into one run at most, a soft
            # limit and an end, so that this shuts for good.
            self.shut()
            if not returned:
                raise
        return result  # type: ignore[return-value]

    def open(self, tag: int) -> None:
        """Let in what is thrown into this run. In the thread of the gate."""
        self._tag = tag

    def shut(self) -> None:
        """Let in nothing more. When this returns, nothing is on its way either. In the thread of the gate."""
        try:
            with self._lock:
                self._tag = 0
            if self._thrown:
                self._thrown = False
                _set_exception(self._thread, None)
        except BaseException:  # thrown before we had the lock: the run is over all the same
            self.shut()

    def throw(self, tag: int, error: type[BaseException], *, claim: Callable[[], bool]) -> None:
        """Throw ``error`` into this run, if it is inside, and if ``claim`` says so then.

        A thread that is in the middle of a blocking call hears of it when the call returns.
        """
        with self._lock:
            if self._tag == tag and claim():
                self._thrown = True
                _set_exception(self._thread, error)

    def claimed(self, claim: Callable[[], bool]) -> bool:
        """Return what ``claim`` says, at a moment when nobody throws."""
        with self._lock:
            return claim()

    def is_inside(self, tag: int) -> bool:
        """Say whether this run is inside, at this moment."""
        return self._tag == tag

    def is_delicate(self) -> bool:
        """Say whether the run is in the middle of something that had better not be torn, such as a call to the store."""
        frame: FrameType | None = sys._current_frames().get(self._thread)
        for depth in range(_DEEP):
            if frame is None:
                return False
            name = str(frame.f_globals.get("__name__"))
            if depth and name == _EXECUTION:
                return False  # what it calls is the user's, and what calls it does not count
            if name.partition(".")[0] in _DELICATE:
                return True
            frame = frame.f_back
        return False


def _set_exception(thread: int, error: type[BaseException] | None) -> None:
    import ctypes  # late: most children never throw anything

    # ``None`` is passed as a null pointer, which takes back what is pending.
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error))
