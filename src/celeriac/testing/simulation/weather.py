"""Which faults strike, and when: chosen by the seed, while there is to be weather at all.

In a world's life: asked at each call to the store. Pure but for chance. Does not know: how a fault is carried out.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from celeriac.testing.simulation.chance import Chance


class Fault(Enum):
    """What happens to one call to the store, and to who made it."""

    REQUEST_LOST = "the request is lost"
    REPLY_LOST = "the reply is lost"
    SLOW = "the call is slow"
    DIES_BEFORE = "the caller dies before it"
    DIES_AFTER = "the caller dies after it"
    NODE_DIES_BEFORE = "the caller's node dies before it"
    NODE_DIES_AFTER = "the caller's node dies after it"
    FREEZES_BEFORE = "the caller's node freezes before it"
    FREEZES_AFTER = "the caller's node freezes after it"


ON_THE_WAY: Final[tuple[Fault, ...]] = (Fault.REQUEST_LOST, Fault.REPLY_LOST, Fault.SLOW)
ANY: Final[tuple[Fault, ...]] = (*ON_THE_WAY, *ON_THE_WAY, *Fault)
"""What is lost on the way is lost more often than lives are."""


class Weather:
    """Faults at the rate ``rate`` until the virtual second ``until``."""

    def __init__(self, chance: Chance, *, rate: float, until: float) -> None:
        self._chance, self._rate, self._until = chance, rate, until
        self.outage_until = 0.0
        """Until this virtual second the store answers nobody."""
        self.faults = 0

    def strike(self, now: float, *, mortal: bool) -> Fault | None:
        """Say what happens to this call; ``mortal``: the caller may die or freeze of it."""
        if now >= self._until or not self._chance.happens(self._rate):
            return None
        self.faults += 1
        return self._chance.pick(ANY if mortal else ON_THE_WAY)
