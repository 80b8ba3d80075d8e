"""Children die while chords are joined: every body is called once, with all values, and nothing stays behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from celeriac import AsyncResult, ChordError, WorkerLostError, chain, chord, states
from system.fleet import Fleet
from system.killer import Killer
from system.patience import eventually

CONCURRENCY = 3
FINAL = {states.SUCCESS, states.FAILURE}
STORES_OWN = ["celeriac:pulse", "celeriac:tags"]
"""Two keys of a Redis store that stay, however much went through it."""


def publish(fleet: Fleet, chords: int, size: int, task: str = "member") -> list[AsyncResult[Any]]:
    """Send so many chords of so many members each; return what their bodies will have."""
    client, sent = fleet.client, []
    for number in range(chords):
        header = [client.signature(f"chord_jobs.{task}", args=(number, place)) for place in range(size)]
        body = client.signature("chord_jobs.body", args=(number,))
        body.link_error(client.signature("chord_jobs.hear"))
        sent.append(chord(header, body, app=client).apply_async())
    return sent


def unfinished(fleet: Fleet, ids: Sequence[str]) -> Counter[str]:
    """Return how many of these tasks are in which state that is not final."""
    return Counter({state: number for state, number in fleet.states(ids).items() if state not in FINAL})


def keys_for_ever(url: str) -> list[str]:
    """Return the keys of a Redis database that no time and nobody ends."""
    redis = pytest.importorskip("redis")
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return sorted(key for key in client.scan_iter(count=10_000) if client.ttl(key) == -1)


@pytest.mark.parametrize(
    ("chords", "size"),
    [
        pytest.param(20, 20, marks=pytest.mark.timeout(90)),
        pytest.param(1_000, 100, marks=[pytest.mark.long, pytest.mark.timeout(900)]),
    ],
)
def test_every_body_is_called_once_with_all_values_while_children_are_killed(
    fleet: Fleet, chords: int, size: int, record_property: Callable[[str, object], None]
) -> None:
    node = fleet.start("-c", str(CONCURRENCY), "-I", "chord_jobs")
    killer = Killer(node, seed=chords, every_s=1.0 if chords > 100 else 0.1)
    killer.start()

    sent = publish(fleet, chords, size)
    ids = [result.id for result in sent]
    eventually(lambda: not unfinished(fleet, ids), within_s=800, what="every body in a final state")
    killer.stop()
    code = node.stop()

    called, again = fleet.times("body"), fleet.times("body-again")
    for name, value in (("kills", killer.kills), ("bodies again", again.total())):
        record_property(name, value)
        print(f"{name}: {value}")
    assert killer.kills > 0
    assert code == 0
    assert [result.result for result in sent] == [f"{number}: {size}" for number in range(chords)]
    assert {number: called[str(number)] for number in range(chords)} == dict.fromkeys(range(chords), 1)
    assert again.total() <= killer.kills
    assert fleet.times("heard") == {}
    assert fleet.dead_letters() == []
    if fleet.url.startswith("redis"):
        assert keys_for_ever(fleet.url) == STORES_OWN


def test_a_chord_ends_when_a_member_that_acks_early_dies(fleet: Fleet) -> None:
    fleet.start("-c", "2", "-I", "chord_jobs")
    client = fleet.client
    header = [client.signature("chord_jobs.early", args=(0, place)) for place in range(5)]
    header.insert(2, client.signature("chord_jobs.dies"))
    body = client.signature("chord_jobs.body", args=(0,))
    body.link_error(client.signature("chord_jobs.hear"))

    result: AsyncResult[Any] = chord(header, body, app=client).apply_async()

    with pytest.raises(ChordError, match="WorkerLostError"):
        result.get(timeout=20, follow_parents=False)
    eventually(lambda: fleet.times("heard") == {result.id: 1}, what="the errback has heard once")
    assert fleet.times("body") == {}


def test_a_chain_ends_when_a_step_that_acks_early_dies(fleet: Fleet) -> None:
    fleet.start("-c", "2", "-I", "chord_jobs")
    client = fleet.client
    names = ("early", "dies", "early", "hear")

    result: AsyncResult[Any] = chain(
        [client.signature(f"chord_jobs.{name}", args=(0, 0)[: 2 if name == "early" else 0]) for name in names]
    ).delay()

    with pytest.raises(WorkerLostError):
        result.get(timeout=20)
    assert [result.state, result.parent.state] == ["FAILURE", "FAILURE"]
