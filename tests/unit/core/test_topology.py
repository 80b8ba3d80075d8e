"""Queues are plain data, ours or made from kombu's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from celeriac.core.topology import Binding, Exchange, Queue, queue_of


def test_a_bare_queue_hangs_on_the_direct_exchange_of_its_name() -> None:
    queue = Queue("videos")

    assert (queue.source, queue.key) == (Exchange("videos", "direct"), "videos")


def test_an_object_with_kombus_attributes_is_taken() -> None:
    exchange = SimpleNamespace(name="feeds", type="topic", durable=True, auto_delete=False, delivery_mode=2, arguments=None)
    theirs = SimpleNamespace(
        name="feeds",
        exchange=exchange,
        routing_key="feed.#",
        bindings=[SimpleNamespace(exchange=exchange, routing_key="x", arguments=None)],
        durable=True,
        queue_arguments={"x-queue-type": "quorum"},
    )

    queue = queue_of(theirs)

    feeds = Exchange("feeds", "topic", delivery_mode=2)
    assert queue == Queue("feeds", feeds, "feed.#", (Binding(feeds, "x"),), queue_arguments={"x-queue-type": "quorum"})


def test_an_exchange_of_kombu_without_a_name_is_the_queues_own() -> None:
    assert queue_of(SimpleNamespace(name="q", exchange=SimpleNamespace(name="", type="direct"))).source == Exchange("q")


def test_what_has_no_name_is_no_queue() -> None:
    with pytest.raises(TypeError, match="5 is no queue"):
        queue_of(5)
