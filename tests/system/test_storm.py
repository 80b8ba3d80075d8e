"""Everything at once: children are killed, time limits fire and the pool is resized each second, while tasks are to be done."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from celeriac import states
from system.fleet import Fleet, Node
from system.killer import Killer
from system.patience import eventually

FINAL = {states.SUCCESS, states.FAILURE, states.REVOKED}
SIZES = (2, 6)
LONGEST_PAUSE_S = 5.0
SLOW_EACH = 100
"""One task in so many meets its time limit."""


@dataclass
class Resizer:
    """Makes the pool larger and smaller each second, in the order of a seed."""

    fleet: Fleet
    node: Node
    size: int
    seed: int
    resized: int = 0
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._resize, name="resizer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._end.set()
        self._thread.join()

    def _resize(self) -> None:
        chance = random.Random(self.seed)
        control = self.fleet.client.control
        while not self._end.wait(1.0):
            wanted = chance.randint(*SIZES)
            if wanted > self.size:
                control.pool_grow(wanted - self.size)
            elif wanted < self.size:
                control.pool_shrink(self.size - wanted)
            self.size = wanted
            self.resized += 1


def longest_pause(times: list[float]) -> float:
    """Return the longest time in which nothing ended."""
    return max((later - earlier for earlier, later in itertools.pairwise(times)), default=0.0)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(1_500, marks=pytest.mark.timeout(120)),
        pytest.param(20_000, marks=[pytest.mark.long, pytest.mark.timeout(900)]),
    ],
)
def test_in_a_storm_work_goes_on_every_task_ends_and_the_pool_gets_its_size(
    fleet: Fleet, count: int, record_property: Callable[[str, object], None]
) -> None:
    sent = [
        *fleet.send_many("late", [(str(number), 0.01) for number in range(count) if number % SLOW_EACH]),
        *fleet.send_many("over_the_limit_soon", [(f"slow-{number}",) for number in range(count // SLOW_EACH)]),
    ]
    ids = [result.id for result in sent]
    node = fleet.start("-c", "4")
    killer, resizer = Killer(node, seed=count), Resizer(fleet, node, 4, seed=count)
    killer.start()
    resizer.start()

    moments: list[float] = []
    before, deadline = 0, time.monotonic() + 0.04 * count + 60
    while (ended := sum(fleet.states(ids)[state] for state in FINAL)) < count:
        assert time.monotonic() < deadline, f"{ended} of {count} have ended"
        if ended > before or not moments:
            moments.append(time.monotonic())
            before = ended
        assert time.monotonic() - moments[-1] < LONGEST_PAUSE_S, f"since {LONGEST_PAUSE_S} s {ended} of {count} have ended"
        time.sleep(0.1)
    resizer.stop()
    killer.stop()

    eventually(lambda: len(node.children()) == resizer.size, within_s=5, what=f"{resizer.size} children; {node.children()}")
    assert fleet.times("end").keys() >= {str(number) for number in range(count) if number % SLOW_EACH}
    for name, value in (("kills", killer.kills), ("resized", resizer.resized), ("longest pause", longest_pause(moments))):
        record_property(name, value)
        print(f"{name}: {value}")
