"""Nodes come and are killed, again and again: what is left in the store is of living nodes and of tasks, and of nobody else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import redis

from celeriac import AsyncResult
from system.fleet import Fleet
from system.patience import eventually
from system.redis_server import RedisServer

AT_ONCE = 10
LEASE_S = 2.0
RESULTS = b"celery-task-meta-"
NAMES = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|-\d+-[0-9a-f]{8}|node\d+@here|heir-of-[^ ]*|/\d+\.\d+")
"""What differs from node to node and from task to task in the name of a key."""


def kinds_of_keys(client: redis.Redis) -> Counter[bytes]:
    """Return how many keys of each kind there are, but for the results of tasks."""
    return Counter(NAMES.sub(b"*", key) for key in client.scan_iter(count=1000) if not key.startswith(RESULTS))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("nodes", [20, pytest.param(1_000, marks=pytest.mark.long)])
def test_killed_nodes_leave_nothing_behind(fleets: Callable[..., Fleet], redis_server: RedisServer, nodes: int) -> None:
    fleet = fleets(redis_server.url, lease_s=LEASE_S)
    client = redis.Redis.from_url(redis_server.url)
    survivor = fleet.start("-c", "1")
    fleet.send("late", "first").get(timeout=10)
    before = eventually(lambda: kinds_of_keys(client), what="the keys of one node at rest")

    sent: list[AsyncResult[Any]] = []
    for _ in range(0, nodes, AT_ONCE):
        doomed = [fleet.start("-c", "1", wait=False) for _ in range(AT_ONCE)]
        sent += [fleet.send("late", f"{len(sent)}.{number}", 0.02) for number in range(AT_ONCE)]
        for node in doomed:
            node.wait_until_ready()
        for node in doomed:
            node.kill()
        fleet.nodes = [survivor]
    for result in sent:
        result.get(timeout=30)

    eventually(
        lambda: kinds_of_keys(client) == before,
        within_s=10 * LEASE_S,
        what=f"no more keys than {before} of a node at rest; now {kinds_of_keys(client)}",
    )
    assert len(list(client.scan_iter(RESULTS + b"*"))) == len(sent) + 1
    client.close()
