"""What an app has: tasks, queues, bindings."""

from __future__ import annotations

from celeriac import Exchange, Queue
from cli.quick import Quick


def test_bindings_are_those_of_the_settings(quick: Quick) -> None:
    quick.app.conf.task_queues = [Queue("images", Exchange("media", "topic"), "image.#"), Queue("mails")]
    quick.app.conf.task_default_queue = "mails"

    as_json, as_text = quick.celeriac("list", "bindings", "--json"), quick.celeriac("list", "bindings")

    assert as_json.json == [
        {"queue": "images", "exchange": "media", "type": "topic", "routing_key": "image.#"},
        {"queue": "mails", "exchange": "mails", "type": "direct", "routing_key": "mails"},
    ]
    assert as_text.out.splitlines()[1].split() == ["images", "media", "topic", "image.#"]
