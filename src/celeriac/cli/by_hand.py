"""Messages in a person's hands: taken from a queue to be looked at, given up or put back.

In a message's life: between two fetches of workers. Whoever holds it says every second that he is alive; when he is not, it goes
back to its queue, as if nobody had touched it. Does not know: what a message says.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from celeriac.abc import HANDS, Broker, Lessee, Runtime
from celeriac.core.errors import OperationalError
from celeriac.core.message import Delivery
from celeriac.core.settlement import Done, Requeue, Settled, Settlement

SIGN_S: Final = 1.0


class ByHand:
    """One person at a store. Nothing is asked of it before something is taken."""

    def __init__(self, store: Broker, runtime: Runtime) -> None:
        self._store = store
        self._me = Lessee(f"celeriac@shell/{runtime.new_id()}", HANDS)
        self._over = threading.Event()
        self._signs: threading.Thread | None = None
        self._held: list[int] = []

    def take(self, queue: str) -> Delivery | None:
        """Take the first message of ``queue``; ``None``: there is none."""
        self._be_alive()
        found = self._store.fetch([queue], lessee=self._me, limit=1, wait_s=0).deliveries
        if not found:
            return None
        self._held.append(found[0].tag)
        return found[0]

    def give_up(self, tag: int) -> bool:
        """Delete a message that was taken; say whether it was."""
        if tag not in self._held:
            return False
        self._held.remove(tag)
        return self._settle([Settlement(tag=tag, fate=Done())]) == [Settled.APPLIED]

    def close(self) -> None:
        """Put back what is still held."""
        if self._signs is None:
            return
        with suppress(OperationalError):  # then it goes back by itself
            self._settle([Settlement(tag=tag, fate=Requeue()) for tag in self._held])
        self._over.set()
        self._signs.join()
        with suppress(OperationalError):
            self._store.leave(self._me.node)

    def _settle(self, settlements: Sequence[Settlement]) -> list[Settled]:
        return list(self._store.settle(settlements, lessee=self._me))

    def _be_alive(self) -> None:
        self._store.keep(self._me.node, name="celeriac@shell", info={}, queues=[])
        if self._signs is None:
            self._signs = threading.Thread(target=self._give_signs, name="signs", daemon=True)
            self._signs.start()

    def _give_signs(self) -> None:
        while not self._over.wait(SIGN_S):
            with suppress(OperationalError):  # the next one may arrive
                self._store.keep(self._me.node, name="celeriac@shell", info={}, queues=[])
