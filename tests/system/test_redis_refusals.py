"""A Redis server that takes nothing for a while, and one whose results are in another database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import StoreRefused
from celeriac.core.settlement import Settled
from celeriac.testing.conformance.subject import a_result, alive, an_outgoing, back, done, take, take_ids
from system.redis_server import RedisServer

redis = pytest.importorskip("redis")

from celeriac.drivers.redis.store import RedisStore  # noqa: E402 - redis may be absent


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Any]:
    """Give a client of a server of one's own."""
    with closing(redis.Redis(port=redis_server.port)) as client:
        yield client


def test_a_full_server_refuses_all_settlements_and_carries_them_out_when_there_is_room(
    redis_server: RedisServer, client: Any
) -> None:
    with closing(RedisStore(redis_server.url, runtime=SystemRuntime())) as store:
        me = alive(store, "node-1")
        store.publish([an_outgoing("a"), an_outgoing("b")])
        a, b = take(store, me)
        settlements = [done(a, result=a_result("a")), back(b)]
        client.config_set("maxmemory", "1mb")

        with pytest.raises(StoreRefused, match="maxmemory"):
            store.settle(settlements, lessee=me)
        client.config_set("maxmemory", "0")

        assert list(store.settle(settlements, lessee=me)) == [Settled.APPLIED, Settled.APPLIED]
        assert take_ids(store, me) == ["b"]


def test_after_a_publish_that_a_full_server_refused_each_question_has_its_own_answer(
    redis_server: RedisServer, client: Any
) -> None:
    with closing(RedisStore(redis_server.url, runtime=SystemRuntime())) as store:
        store.store_results([a_result("A"), a_result("B")])
        client.config_set("maxmemory", "1mb")

        with pytest.raises(StoreRefused, match="maxmemory"):
            store.publish([an_outgoing("a")])

        assert list(store.load(["A"])) == [a_result("A").body]
        assert list(store.load(["B"])) == [a_result("B").body]


def test_a_result_that_is_refused_in_another_database_leads_its_neighbours_not_astray(
    redis_server: RedisServer, client: Any
) -> None:
    results = redis_server.url.removesuffix("/0") + "/1"
    with closing(RedisStore(redis_server.url, runtime=SystemRuntime(), result_url=results)) as store:
        me = alive(store, "node-1")
        store.publish([an_outgoing(id) for id in "abc"])
        a, b, c = take(store, me)
        with closing(redis.Redis(port=redis_server.port, db=1)) as other:
            other.lpush("celery-task-meta-a", "a list")

        answers = store.settle([done(a, result=a_result("a")), done(b, result=a_result("b")), back(c)], lessee=me)

        assert list(answers) == [Settled.REFUSED, Settled.APPLIED, Settled.APPLIED]
        assert take_ids(store, me) == ["c"]
        assert not client.exists("celery-task-meta-b")
