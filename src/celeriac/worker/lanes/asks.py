"""What the supervisor asks of the runs of a child, from the seat where it is written to the run that hears it.

In a job's life: beside it, when its soft limit is over or an operator wants its end. The supervisor writes into a seat and sends
a signal; the handler of that signal calls ``heed``, which only wakes a thread; the thread reads the seats and has the lane
throw. A run that cannot hear at the moment, since it has not quite begun or is in the middle of a call to the store, is asked
again soon. Does not know: how something is thrown into a thread, a coroutine or a greenlet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Final

from celeriac.app.ended import RunEnded
from celeriac.core.errors import SoftTimeLimitExceeded
from celeriac.worker.slots import Seat, Slot

_PAUSE_S: Final = 0.02


class Ask:
    """One thing that one run is to hear."""

    __slots__ = ("ends", "heard", "seat", "tag", "times")

    def __init__(self, seat: Seat, tag: int, *, ends: bool) -> None:
        self.seat, self.tag = seat, tag
        self.ends = ends
        """Whether the run is to end; otherwise its soft limit is over."""
        self.times = 0
        """How often it was tried."""
        self.heard = False

    def claim(self) -> bool:
        """Have it count as heard; ``False``: it does already. Of two ways to throw it only one may be gone."""
        claimed, self.heard = not self.heard, True
        return claimed

    @property
    def error(self) -> type[BaseException]:
        """What to throw."""
        return RunEnded if self.ends else SoftTimeLimitExceeded

    @property
    def is_moot(self) -> bool:
        """Whether it was heard, or the run is over."""
        return self.heard or self.seat.tag != self.tag


class Asking:
    """Finds what is asked of the seats of one slot, each thing once."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._known: set[tuple[int, bool]] = set()

    def new(self) -> list[Ask]:
        """Return what was asked since the last call; what ends a run comes first."""
        found = sorted((ask for seat in self._slot.asked() for ask in asked(seat)), key=lambda ask: not ask.ends)
        asks = [ask for ask in found if (ask.tag, ask.ends) not in self._known]
        # What is asked of a run stands in its seat as long as it runs: no more need be known.
        self._known = {(ask.tag, ask.ends) for ask in found}
        return asks


def asked(seat: Seat) -> Iterator[Ask]:
    """Yield what is asked of the run in a seat, heard or not."""
    tag = seat.tag
    if tag and seat.soft_asked == tag:
        yield Ask(seat, tag, ends=False)
    if tag and seat.end_asked == tag:
        yield Ask(seat, tag, ends=True)


class Asker:
    """The thread of a lane that passes on what is asked."""

    def __init__(self, slot: Slot, throw: Callable[[Ask], None]) -> None:
        """Pass each thing to ``throw``, again and again, until that has claimed it or the run is over."""
        self._asking, self._throw = Asking(slot), throw
        self._calls: SimpleQueue[bool] = SimpleQueue()
        # From the beginning: a signal handler must not start a thread, since it may have interrupted somebody who does.
        threading.Thread(target=self._pass_on, name="celeriac-asker", daemon=True).start()

    def heed(self) -> None:
        """Look at the seats. Safe in a signal handler: this kind of queue may be entered while it is entered."""
        self._calls.put(True)

    def close(self) -> None:
        """End the thread."""
        self._calls.put(False)

    def _pass_on(self) -> None:
        waiting: list[Ask] = []
        while True:
            try:
                if not self._calls.get(timeout=_PAUSE_S if waiting else None):
                    return
                # One look is enough for all the signals that have come until now.
                while not self._calls.empty():
                    if not self._calls.get():
                        return
                waiting += self._asking.new()
            except Empty:
                pass
            for ask in waiting:
                if not ask.is_moot:
                    self._throw(ask)
                    ask.times += 1
            waiting = [ask for ask in waiting if not ask.is_moot]
