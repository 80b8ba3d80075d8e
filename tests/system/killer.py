"""Who kills the children of a node while it works.

Does not know: what they do.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from signal import SIGKILL

from system.fleet import Node
from system.processes import send


@dataclass
class Killer:
    """Kills a child of a node again and again, in the order of a seed."""

    node: Node
    seed: int
    every_s: float = 0.5
    kills: int = 0
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._kill, name="killer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._end.set()
        self._thread.join()

    def _kill(self) -> None:
        chance = random.Random(self.seed)
        while not self._end.wait(self.every_s):
            children = self.node.children()
            if children:
                send(chance.choice(children), SIGKILL)
                self.kills += 1
