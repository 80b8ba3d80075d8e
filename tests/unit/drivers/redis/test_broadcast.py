"""Notices on a server: kombu's traces and no others, and an ear that outlives its connection."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from queue import SimpleQueue
from typing import Any

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import BrokerUnreachable, StoreRefused
from celeriac.core.notice import Notice
from celeriac.drivers.redis.store import RedisStore
from celeriac.testing.conformance.notices import Heard, a_notice
from celeriac.testing.conformance.subject import PATIENCE_S

URL = os.environ.get("CELERIAC_TEST_REDIS", "")
REPLIES = "reply.celery.pidbox"

redis = pytest.importorskip("redis")
needs_redis = pytest.mark.skipif(not URL, reason="CELERIAC_TEST_REDIS names no server")


@pytest.fixture
def client() -> Iterator[Any]:
    with closing(redis.Redis.from_url(URL)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def store(client: Any) -> Iterator[RedisStore]:
    with closing(RedisStore(URL, runtime=SystemRuntime())) as store:
        yield store


@needs_redis
def test_a_mailbox_is_bound_while_it_is_open_and_leaves_nothing(store: RedisStore, client: Any) -> None:
    mailbox = store.broadcast.open_mailbox(REPLIES, "oid", Heard())

    bound = client.smembers(f"_kombu.binding.{REPLIES}")
    [(name, deadline)] = client.zrange("_kombu.binding_deadlines", 0, -1, withscores=True)
    mailbox.close()

    assert bound == {b"oid\x06\x16\x06\x16oid.reply.celery.pidbox"}
    assert name == REPLIES.encode()
    assert deadline / 1000 - time.time() == pytest.approx(3600, abs=60)
    assert client.keys() == []


@needs_redis
def test_bindings_of_the_dead_are_swept_when_their_deadline_has_passed(store: RedisStore, client: Any) -> None:
    client.sadd(f"_kombu.binding.{REPLIES}", "dead\x06\x16\x06\x16dead.reply.celery.pidbox")
    client.zadd("_kombu.binding_deadlines", {REPLIES: (time.time() - 1) * 1000})

    store.broadcast.open_mailbox(REPLIES, "oid", Heard())

    assert client.smembers(f"_kombu.binding.{REPLIES}") == {b"oid\x06\x16\x06\x16oid.reply.celery.pidbox"}


@needs_redis
def test_bindings_of_the_living_are_not_swept(store: RedisStore, client: Any) -> None:
    living = b"alive\x06\x16\x06\x16alive.reply.celery.pidbox"
    client.sadd(f"_kombu.binding.{REPLIES}", living)
    client.zadd("_kombu.binding_deadlines", {REPLIES: (time.time() + 9000) * 1000})

    store.broadcast.open_mailbox(REPLIES, "oid", Heard()).close()

    assert client.smembers(f"_kombu.binding.{REPLIES}") == {living}
    assert client.zscore("_kombu.binding_deadlines", REPLIES) / 1000 - time.time() == pytest.approx(9000, abs=60)


@needs_redis
def test_an_answer_that_nobody_takes_away_has_an_end(store: RedisStore, client: Any) -> None:
    client.sadd(f"_kombu.binding.{REPLIES}", "dead\x06\x16\x06\x16dead.reply.celery.pidbox")

    store.broadcast.answer(a_notice("{}", exchange=REPLIES, key="dead"))

    assert client.llen("dead.reply.celery.pidbox") == 1
    assert 0 < client.pttl("dead.reply.celery.pidbox") <= 10_000


@needs_redis
def test_an_ear_and_a_mailbox_hear_again_when_their_connections_were_cut(store: RedisStore, client: Any) -> None:
    heard: SimpleQueue[Notice] = SimpleQueue()
    store.broadcast.listen("news", ["#"], heard.put)
    store.broadcast.open_mailbox("replies", "me", heard.put)

    client.client_kill_filter(skipme=True, _type="pubsub")
    client.client_kill_filter(skipme=True, _type="normal")

    for speak in (say, answer):
        deadline = time.monotonic() + PATIENCE_S
        while heard.empty():
            assert time.monotonic() < deadline
            speak(store)
            time.sleep(0.01)
        while not heard.empty():
            heard.get()


def say(store: RedisStore) -> None:
    store.broadcast.say([a_notice("a")])


def answer(store: RedisStore) -> None:
    store.broadcast.answer(a_notice("b", exchange="replies", key="me"))


@needs_redis
def test_garbage_on_a_channel_is_dropped_and_the_next_notice_is_heard(
    store: RedisStore, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    store.broadcast.listen("news", ["#"], heard)
    prefix = f"/{client.connection_pool.connection_kwargs['db']}.news"

    for garbage in (b"", b"\xff\xfe", b"[]", b"{}", b'{"body": 1}', b'{"body": "!", "properties": []}', b"[" * 100_000):
        client.publish(prefix, garbage)
    store.broadcast.say([a_notice("good")])

    assert heard.until("good") == []


def test_a_server_that_is_away_is_an_error_in_time() -> None:
    with closing(RedisStore("redis://127.0.0.1:1/0", runtime=SystemRuntime())) as store:
        began = time.monotonic()
        with pytest.raises(BrokerUnreachable, match=r"redis://127\.0\.0\.1:1 does not answer"):
            store.broadcast.listen("news", ["#"], Heard())

        assert time.monotonic() - began < 10


@needs_redis
def test_a_server_that_refuses_is_told_at_once() -> None:
    host = URL.partition("://")[2].rpartition("@")[2]
    with closing(RedisStore(f"redis://nobody:wrong@{host}", runtime=SystemRuntime())) as store, pytest.raises(StoreRefused):
        store.broadcast.listen("news", ["#"], Heard())
