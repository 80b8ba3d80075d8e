"""``task.request``: what a running task may know, set, and hand on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from celeriac.app.context import Context
from celeriac.core.message import Message, Parcel

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MESSAGE = Message(
    id="one",
    task="shop.charge",
    args=(1,),
    kwargs={"x": 2},
    eta=NOON,
    retries=1,
    time_limit=30,
    soft_time_limit=20,
    group="g",
    stamps={"who": "me"},
    stamped_headers=["who"],
    headers={"tenant": "acme", "x-death": "much"},
    callbacks=[{"task": "after"}],
)


def test_without_a_call_everything_has_the_default_that_programs_expect() -> None:
    empty = Context()

    assert (empty.id, empty.args, empty.retries, empty.headers, empty.stamps, empty.hostname) == (None, None, 0, None, None, None)
    assert (empty.called_directly, empty.is_eager, empty.ignore_result, empty.children) == (True, False, False, [])
    assert Context.retries == 0


def test_a_request_tells_of_its_message() -> None:
    request = Context(MESSAGE, hostname="node@here", delivery_info={"routing_key": "q"})

    assert (request.id, request.task, request.retries, request.called_directly) == ("one", "shop.charge", 1, False)
    assert (request.eta, request.expires) == ("2030-01-01T12:00:00+00:00", None)
    assert (request.timelimit, request.time_limit, request.soft_time_limit) == ([30, 20], 30, 20)
    assert (request.group, request.taskset) == ("g", "g")
    assert (request.hostname, request.delivery_info) == ("node@here", {"routing_key": "q"})


def test_a_header_of_the_callers_is_an_attribute_too() -> None:
    request = Context(MESSAGE)

    assert (request.headers or {})["tenant"] == "acme"
    assert request.tenant == request.get("tenant") == "acme"


def test_what_travelled_beside_the_message_can_be_read() -> None:
    parcel = Parcel(
        body=b"",
        content_type="application/json",
        content_encoding="utf-8",
        headers={"lang": "py", "compression": "application/x-gzip"},
        properties={"delivery_mode": 1},
    )

    request = Context(MESSAGE, parcel=parcel)

    assert (request.lang, request.compression, request.properties) == ("py", "application/x-gzip", {"delivery_mode": 1})


def test_an_attribute_that_is_none_and_no_header_is_named() -> None:
    with pytest.raises(AttributeError, match="nope"):
        Context(MESSAGE).nope  # noqa: B018

    assert Context(MESSAGE).get("nope", 3) == 3


@pytest.mark.parametrize(
    "request_",
    [
        Context({"id": "x", "retries": 2, "timelimit": [3, 2], "tenant": "acme"}),
        Context([("id", "x"), ("retries", 2)], timelimit=(3, 2), tenant="acme"),
        Context(id="x", retries=2, timelimit=(3, 2), tenant="acme"),
    ],
)
def test_a_request_can_be_made_of_names_and_values(request_: Context) -> None:
    assert (request_.id, request_.retries, request_.time_limit, request_.soft_time_limit) == ("x", 2, 3, 2)
    assert request_.headers == {"tenant": "acme"}
    assert request_.called_directly


def test_what_a_task_sets_stays_and_is_the_message_from_then_on() -> None:
    request = Context(MESSAGE)

    request.mine = 1
    request.callbacks = None
    request.retries = 5

    assert (request.mine, request.callbacks, request.retries) == (1, None, 5)
    message = request.as_message()
    assert (message.callbacks, message.retries, message.id) == (None, 5, "one")


def test_a_request_that_nobody_touched_is_its_message() -> None:
    assert Context(MESSAGE).as_message() is MESSAGE


def test_a_request_of_names_and_values_can_become_a_message() -> None:
    message = Context(id="x", task="t", args=[1], kwargs=None, eta=NOON.isoformat(), headers=None).as_message()

    assert (message.id, message.args, message.kwargs, message.eta, message.headers) == ("x", [1], {}, NOON, {})


def test_clear_forgets_everything() -> None:
    request = Context(MESSAGE, hostname="node@here", is_eager=True)
    request.mine = 1

    request.clear()

    assert (request.id, request.hostname, request.is_eager, request.called_directly) == (None, None, False, True)
    assert not hasattr(request, "mine")


def test_the_options_to_send_it_again_leave_out_what_rabbitmq_counts_by() -> None:
    options = Context(MESSAGE).as_execution_options()

    assert options["headers"] == {"tenant": "acme"}
    assert (options["task_id"], options["link"], options["retries"]) == ("one", [{"task": "after"}], 1)
    assert (options["time_limit"], options["soft_time_limit"]) == (30, 20)
    assert (options["stamped_headers"], options["who"]) == (["who"], "me")


def test_updating_the_time_limit_sets_both() -> None:
    request = Context(MESSAGE)

    request.update({"timelimit": None})

    assert (request.time_limit, request.soft_time_limit) == (None, None)
