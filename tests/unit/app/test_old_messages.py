"""A call as a message of protocol version 1, which workers of old read."""

from __future__ import annotations

import json
from datetime import timedelta

from celeriac import Celery
from celeriac.core import protocol
from celeriac.core.codecs import content_types
from celeriac.core.message import Message, Parcel
from celeriac.testing.clock import VirtualRuntime


def test_a_message_of_version_1_has_all_of_the_call_in_its_body() -> None:
    app = Celery("old", broker="memory://old", set_as_current=False)

    message = app.amqp.as_task_v1(
        "tid", "n", (1,), {"a": 2}, expires=60, countdown=1, group_id="g", group_index=3, retries=2, reply_to="rt", time_limit=3
    )

    assert message.headers == {}
    assert message.properties == {"correlation_id": "tid", "reply_to": "rt"}
    body = message.body
    assert (body["task"], body["id"], list(body["args"]), body["kwargs"]) == ("n", "tid", [1], {"a": 2})
    assert (body["group"], body["taskset"], body["group_index"], body["retries"], body["utc"]) == ("g", "g", 3, 2, True)
    assert list(body["timelimit"]) == [3, None]
    assert app.amqp.task_protocols[1] == app.amqp.as_task_v1


def test_such_a_message_is_understood_by_our_own_workers() -> None:
    app = Celery("old", broker="memory://old", set_as_current=False, runtime=VirtualRuntime())
    message = app.amqp.as_task_v1("tid", "n", (1,), {"a": 2}, countdown=1, expires=60)
    body = json.dumps(message.body).encode()
    parcel = Parcel(
        body=body, content_type="application/json", content_encoding="utf-8", headers={}, properties=message.properties
    )

    read = protocol.decode(parcel, accept=content_types(["json"]))

    assert isinstance(read, Message)
    assert (read.id, read.task, list(read.args), dict(read.kwargs)) == ("tid", "n", [1], {"a": 2})
    assert read.eta is not None
    assert read.expires is not None
    assert read.expires - read.eta == timedelta(seconds=59)
