"""What a Redis server says no to: one question, one settlement, and nothing else. On the server of ``CELERIAC_TEST_REDIS``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import StoreRefused
from celeriac.drivers.redis.store import RedisStore
from celeriac.testing.conformance.subject import a_result, an_outgoing

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
