"""What happens when: the events of a world, in the order of the virtual clock; of one moment, in the order of chance.

Does not know: what the events are.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.simulation.chance import Chance


class Timeline:
    """Events to come."""

    def __init__(self, runtime: VirtualRuntime, chance: Chance) -> None:
        self._runtime, self._chance = runtime, chance
        self._events: list[tuple[float, float, int, Callable[[], None]]] = []
        self._numbers = count()
        self.trace: list[str] = []

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self._runtime.monotonic()

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Let ``event`` happen so much later."""
        heappush(self._events, (self.now + seconds, self._chance.random(), next(self._numbers), event))

    def run_next(self, until: float) -> None:
        """Let the next event happen, or, if there is none before ``until``, let time pass to then.

        Events may be late: whoever calls this inside of an event has let time pass there.
        """
        if self._events and self._events[0][0] <= until:
            when, _, _, event = heappop(self._events)
            self._runtime.advance(max(0.0, when - self.now))
            event()
        else:
            self._runtime.advance(max(0.0, until - self.now))

    def note(self, text: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{self.now:10.3f}  {text}")
