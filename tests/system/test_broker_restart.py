"""The Redis server goes away and comes back while everybody is at work: it is a pause, and nothing else."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from celeriac import OperationalError, states
from system.fleet import Fleet
from system.patience import eventually
from system.redis_server import RedisServer

AWAY_S = 3.0
BACK_TO_WORK_S = 10.0


@dataclass
class Publisher:
    """Publishes one task after the other, in a thread; remembers what was acknowledged and what was not."""

    fleet: Fleet
    name: str
    accepted: dict[str, str] = field(default_factory=dict)
    """Key -> id."""
    refused: int = 0
    others: list[BaseException] = field(default_factory=list)
    """Any other error than the one that is promised."""
    longest_s: float = 0.0

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._publish, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that."""
        self._end.set()
        self._thread.join()

    def _publish(self) -> None:
        number = 0
        while not self._end.wait(0.005):
            key, number, began = f"{self.name}-{number}", number + 1, time.monotonic()
            try:
                self.accepted[key] = self.fleet.send("late" if number % 2 else "early", key, 0.005).id
            except OperationalError:
                self.refused += 1
            except BaseException as error:
                self.others.append(error)
            self.longest_s = max(self.longest_s, time.monotonic() - began)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("end", [RedisServer.kill, RedisServer.stop])
def test_a_restart_under_load_loses_nothing_and_every_node_works_again(
    fleets: Callable[..., Fleet], redis_server: RedisServer, end: Callable[[RedisServer], None]
) -> None:
    fleet = fleets(redis_server.url, lease_s=30.0)
    nodes = [fleet.start("-c", "2"), fleet.start("-c", "2")]
    sleeper = fleet.send("late", "sleeper", AWAY_S + 3)
    eventually(partial(fleet.has_begun, "sleeper"), what="the long task runs")
    publishers = [Publisher(fleet, f"publisher{i}") for i in range(2)]
    eventually(lambda: len(fleet.times("end")) > 200, what="work is done")

    end(redis_server)
    time.sleep(AWAY_S)
    redis_server.start()
    back = time.monotonic()
    done_before = len(fleet.entries())
    busy = {pid for what, key, pid in fleet.entries() if key == "sleeper"}
    workers = {pid for node in nodes for pid in node.children()} - busy
    eventually(
        lambda: {pid for what, _, pid in fleet.entries()[done_before:] if what == "end"} >= workers,
        within_s=BACK_TO_WORK_S,
        what="every child works again",
    )
    took = time.monotonic() - back
    slept = sleeper.get(timeout=15)
    for publisher in publishers:
        publisher.stop()
    ids = [id for publisher in publishers for id in publisher.accepted.values()]
    eventually(lambda: fleet.states(ids)[states.SUCCESS] == len(ids), within_s=30, what=f"{len(ids)} results")

    print(f"back to work after {took:.1f} s; {len(ids)} accepted, {sum(p.refused for p in publishers)} refused")
    assert slept == "sleeper"
    assert [error for publisher in publishers for error in publisher.others] == []
    assert max(publisher.longest_s for publisher in publishers) < 5.5
    ended = fleet.times("end")
    assert ended["sleeper"] == 1
    assert [key for publisher in publishers for key in publisher.accepted if not ended[key]] == []
    # A publish whose answer was lost with the server is made again: each publisher had one on its way.
    assert sum(times - 1 for times in ended.values()) <= len(publishers)
    assert fleet.dead_letters() == []
    assert [node.stop() for node in nodes] == [0, 0]


@pytest.mark.timeout(120)
def test_a_server_that_comes_back_without_its_memory_has_its_nodes_at_work_again(
    fleets: Callable[..., Fleet], redis_server: RedisServer
) -> None:
    fleet = fleets(redis_server.url, lease_s=30.0)
    fleet.start("-c", "2")
    fleet.send("add", 1, 1).get(timeout=5)

    redis_server.kill()
    redis_server.forget()
    redis_server.start()

    assert fleet.send("add", 2, 2).get(timeout=BACK_TO_WORK_S) == 4


@pytest.mark.timeout(120)
def test_results_wait_for_a_store_that_is_away(fleets: Callable[..., Fleet], redis_server: RedisServer) -> None:
    fleet = fleets(redis_server.url, lease_s=30.0)
    fleet.start("-c", "4")
    results = [fleet.send("late", f"task-{i}", 1.5) for i in range(4)]
    eventually(lambda: len(fleet.times("begin")) == 4, what="all run")

    redis_server.stop()
    eventually(lambda: len(fleet.times("end")) == 4, what="all have ended without a store")
    redis_server.start()

    assert [result.get(timeout=BACK_TO_WORK_S) for result in results] == [f"task-{i}" for i in range(4)]
    assert fleet.times("begin") == Counter({f"task-{i}": 1 for i in range(4)})
