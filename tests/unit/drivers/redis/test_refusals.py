"""What a Redis server says no to: one question, one settlement, and nothing else. On the server of ``CELERIAC_TEST_REDIS``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from celeriac.abc import Lessee
from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import StoreRefused
from celeriac.core.settlement import DeadLetter, Done, Join, Opening, Part, Settled, Settlement
from celeriac.drivers.redis.store import RedisStore
from celeriac.testing.conformance.subject import a_result, alive, an_outgoing, back, done, id_of, take, take_ids
from system.patience import eventually

APPLIED, LEASE_LOST, REFUSED = Settled.APPLIED, Settled.LEASE_LOST, Settled.REFUSED
CHORD = "celery-taskset-meta-c"
URL = os.environ.get("CELERIAC_TEST_REDIS", "")

redis = pytest.importorskip("redis")
pytestmark = pytest.mark.skipif(not URL, reason="CELERIAC_TEST_REDIS names no server")


@pytest.fixture
def client() -> Iterator[Any]:
    """Give a client of an empty database."""
    with closing(redis.Redis.from_url(URL)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def store(client: Any) -> Iterator[RedisStore]:
    """Give a store on it."""
    del client
    with closing(RedisStore(URL, runtime=SystemRuntime())) as store:
        yield store


def test_after_a_refused_publish_the_next_answer_is_that_of_the_next_question(store: RedisStore, client: Any) -> None:
    client.set("q", "no list")
    store.store_results([a_result("A"), a_result("B")])

    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        store.publish([an_outgoing("a")])

    assert list(store.load(["A"])) == [a_result("A").body]
    assert list(store.load(["B"])) == [a_result("B").body]


def test_a_batch_of_which_one_queue_cannot_be_written_to_is_refused(store: RedisStore, client: Any) -> None:
    client.set("q", "no list")

    with pytest.raises(StoreRefused, match="WRONGTYPE") as refused:
        store.publish([an_outgoing("a", queue="other"), an_outgoing("b", queue="q")])

    assert refused.value.accepted == 0


def test_a_refusal_costs_no_connection(store: RedisStore, client: Any) -> None:
    client.set("q", "no list")
    store.depth(["other"])
    before = client.info("stats")["total_connections_received"]

    for _ in range(5):
        with pytest.raises(StoreRefused):
            store.publish([an_outgoing("a")])

    assert client.info("stats")["total_connections_received"] == before


def test_a_settlement_that_cannot_be_carried_out_is_refused_and_its_neighbours_are_not(store: RedisStore, client: Any) -> None:
    me = alive(store, "node-1")
    store.publish([an_outgoing(id) for id in "abcd"])
    a, b, c, d = take(store, me)
    client.set(CHORD + ".j", "no sorted set")
    followups, part = (an_outgoing("next", queue="after"),), Part("b", 0, b'[1, "b", "SUCCESS", 1]')
    bad = Settlement(tag=b.tag, fate=Done(), result=a_result("b"), followups=followups, join=Join("c", (part,)))

    answers = store.settle([back(a), bad, done(c, result=a_result("c")), back(d)], lessee=me)

    assert list(answers) == [APPLIED, REFUSED, APPLIED, APPLIED]
    assert list(store.load(["b", "c"])) == [None, a_result("c").body]
    assert list(store.depth(["after"])) == [0]
    assert take_ids(store, me) == ["a", "d"]
    assert not client.exists(CHORD + ".d")


@pytest.mark.parametrize(
    "key", ["after", "celery-task-meta-a", "celery-task-meta-later", CHORD + ".c", CHORD + ".d", CHORD + ".t"]
)
def test_whatever_it_is_that_cannot_be_written_nothing_of_the_settlement_is(store: RedisStore, client: Any, key: str) -> None:
    me = alive(store, "node-1")
    store.publish([an_outgoing("a")])
    [a] = take(store, me)
    client.hset(key, "a", "hash")
    settlement = Settlement(
        tag=a.tag,
        fate=DeadLetter("rejected"),
        result=a_result("a"),
        further=(a_result("later"),),
        followups=(an_outgoing("x", queue="before"), an_outgoing("y", queue="after")),
        opens=(Opening("inner", 1),),
        join=Join("c", (Part("a", 0, b"[]"),)),
    )
    before = set(client.keys())

    answers = store.settle([settlement], lessee=me)

    assert list(answers) == [REFUSED]
    assert set(client.keys()) == before
    assert [id_of(held) for held in store.adopt(me, by=Lessee(me.node, "heir"))] == ["a"]


def test_a_requeue_whose_queue_cannot_be_written_to_stays_leased(store: RedisStore, client: Any) -> None:
    me = alive(store, "node-1")
    store.publish([an_outgoing("a"), an_outgoing("b")])
    a, b = take(store, me)
    client.set("elsewhere", "no list")

    answers = store.settle([back(a, an_outgoing("a", queue="elsewhere")), back(b)], lessee=me)

    assert list(answers) == [REFUSED, APPLIED]
    assert take_ids(store, me) == ["b"]
    assert [id_of(held) for held in store.adopt(me, by=Lessee(me.node, "heir"))] == ["a", "b"]


def test_what_is_requeued_twice_in_one_batch_is_requeued_once(store: RedisStore) -> None:
    me = alive(store, "node-1")
    store.publish([an_outgoing("a")])
    [a] = take(store, me)

    answers = store.settle([back(a), back(a), done(a), done(a, result=a_result("a"))], lessee=me)

    assert list(answers) == [APPLIED, LEASE_LOST, LEASE_LOST, LEASE_LOST]
    assert list(store.depth(["q"])) == [1]


def test_a_queue_that_is_none_costs_no_message_of_the_others(store: RedisStore, client: Any) -> None:
    me = alive(store, "node-1")
    store.publish([an_outgoing(id) for id in "abc"])
    client.set("bad", "no list")

    taken = take_ids(store, me, queues=("q", "bad"), limit=2) + take_ids(store, me, queues=("q", "bad"))

    assert taken == ["a", "b", "c"]
    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        take(store, me, queues=("q", "bad"))
    assert [id_of(held) for held in store.adopt(me, by=Lessee(me.node, "heir"))] == ["a", "b", "c"]


def test_a_dead_letter_whose_queue_cannot_be_written_to_stays_one(store: RedisStore, client: Any) -> None:
    me = alive(store, "node-1")
    store.publish([an_outgoing("a")])
    [a] = take(store, me)
    store.settle([Settlement(tag=a.tag, fate=DeadLetter("rejected"))], lessee=me)
    [letter] = store.dead_letters()
    client.set("q", "no list")

    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        store.replay([letter.id])

    assert list(store.dead_letters()) == [letter]


def test_a_date_whose_queue_cannot_be_written_to_ends_as_a_dead_letter_and_stops_no_node(store: RedisStore, client: Any) -> None:
    now = SystemRuntime().now()
    store.publish([an_outgoing("a", queue="bad", eta=now + timedelta(milliseconds=50)), an_outgoing("b", eta=now)])
    client.set("bad", "no list")

    me = alive(store, "node-1")
    eventually(lambda: bool(alive(store, "node-1")) and store.scheduled() == 0, within_s=5, what="all dates have come")

    [letter] = store.dead_letters()
    assert (letter.queue, letter.reason, b'"a"' in letter.raw) == ("bad", "unqueued", True)
    assert take_ids(store, me) == ["b"]
