"""A program asks its nodes, and hears those that answer in time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery
from celeriac.control.answering import Answering
from celeriac.control.client import Control, Inspect, flatten_reply
from celeriac.control.commands import Command
from celeriac.core.errors import DuplicateNodenameWarning, ImproperlyConfigured

LONG_S = 30.0
NodeMaker = Callable[..., Answering]
SHORT_S = 0.3


def pong(_: Command) -> Any:
    return {"ok": "pong"}


def echo(command: Command) -> Any:
    return {"ok": [command.method, dict(command.arguments)]}


def test_every_node_answers_and_nobody_waits_longer_than_for_the_limit(app: Celery, node: NodeMaker) -> None:
    node("celery@a", pong)
    node("celery@b", pong)
    began = time.monotonic()

    heard = app.control.broadcast("ping", reply=True, timeout=LONG_S, limit=2)

    assert flatten_reply(heard or []) == {"celery@a": {"ok": "pong"}, "celery@b": {"ok": "pong"}}
    assert time.monotonic() - began < LONG_S / 2


def test_only_the_destination_answers_and_is_all_that_is_waited_for(app: Celery, node: NodeMaker) -> None:
    node("celery@a", pong)
    node("celery@b", pong)

    assert app.control.ping(destination=["celery@b"], timeout=LONG_S) == [{"celery@b": {"ok": "pong"}}]


@pytest.mark.parametrize(("pattern", "matcher"), [("celery@*", "glob"), (r"celery@.$", "pcre")])
def test_only_those_whose_name_fits_answer(app: Celery, node: NodeMaker, pattern: str, matcher: str) -> None:
    node("celery@a", pong)
    node("beat@b", pong)

    heard = app.control.broadcast("ping", reply=True, timeout=SHORT_S, pattern=pattern, matcher=matcher)

    assert heard == [{"celery@a": {"ok": "pong"}}]


def test_without_reply_nothing_is_waited_for(app: Celery, node: NodeMaker) -> None:
    heard: list[Command] = []
    node("celery@a", heard.append)

    assert app.control.broadcast("enable_events", {"a": 1}, b=2) is None

    deadline = time.monotonic() + LONG_S
    while not heard:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert (heard[0].method, heard[0].arguments, heard[0].reply_to) == ("enable_events", {"a": 1, "b": 2}, None)


def test_a_callback_hears_each_answer_when_it_comes(app: Celery, node: NodeMaker) -> None:
    node("celery@a", pong)
    told: list[Any] = []

    app.control.broadcast("ping", reply=True, timeout=LONG_S, limit=1, callback=told.append)

    assert told == [{"celery@a": {"ok": "pong"}}]


def test_who_asks_when_nobody_is_there_waits_for_his_time_and_hears_nothing(app: Celery) -> None:
    began = time.monotonic()

    assert app.control.ping(timeout=SHORT_S) == []
    assert app.control.inspect(timeout=0.01).stats() is None
    assert SHORT_S <= time.monotonic() - began < LONG_S


@pytest.mark.parametrize("wrong", [{"destination": "celery@a"}, {"pattern": 1, "matcher": "glob"}, {"matcher": 1}])
def test_what_no_node_could_understand_is_refused_at_once(app: Celery, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        app.control.broadcast("ping", **wrong)


def test_inspect_answers_by_node_and_bare_for_a_single_one(app: Celery, node: NodeMaker) -> None:
    node("celery@a", echo)

    assert app.control.inspect(limit=1, timeout=LONG_S).active(safe=True) == {"celery@a": {"ok": ["active", {"safe": True}]}}
    assert app.control.inspect("celery@a", timeout=LONG_S).clock() == {"ok": ["clock", {}]}
    assert app.control.inspect(["celery@a"], timeout=LONG_S).query_task("x", "y") == {
        "celery@a": {"ok": ["query_task", {"ids": ["x", "y"]}]}
    }
    assert app.control.inspect(["celery@a"], timeout=LONG_S).query_task(["x"])["celery@a"]["ok"][1] == {"ids": ["x"]}


def test_two_nodes_of_one_name_are_told_of(app: Celery, node: NodeMaker) -> None:
    node("celery@a", pong)
    node("celery@a", pong)

    with pytest.warns(DuplicateNodenameWarning, match="celery@a"):
        app.control.inspect(limit=2, timeout=LONG_S).ping()


def test_answers_of_different_nodes_are_no_reason_to_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert flatten_reply([{"a": 1}, {"b": 2}]) == {"a": 1, "b": 2}


def test_apps_with_different_exchanges_do_not_hear_each_other(app: Celery, node: NodeMaker) -> None:
    node("celery@theirs", pong, exchange="theirs")
    node("celery@ours", pong, exchange="ours")
    app.conf.control_exchange = "ours"

    assert app.control.ping(timeout=SHORT_S) == [{"celery@ours": {"ok": "pong"}}]


def test_a_queue_of_one_connection_cannot_survive_it() -> None:
    app = Celery("both", broker="memory://both", control_queue_durable=True, set_as_current=False)

    with pytest.raises(ImproperlyConfigured, match="control_queue_durable"):
        Control(app)


def test_inspect_may_be_made_for_any_app(app: Celery, node: NodeMaker) -> None:
    node("celery@a", pong)

    assert Inspect(app=app, limit=1, timeout=LONG_S).ping() == {"celery@a": {"ok": "pong"}}
    assert issubclass(app.control.inspect, Inspect)


def test_a_command_may_go_by_way_of_another_broker(app: Celery) -> None:
    other = Celery("other", broker="memory://elsewhere-control", set_as_current=False)
    heard: list[Any] = []
    other.store.broadcast.listen("celery.pidbox", ["#"], heard.append)

    app.control.enable_events(connection=app.connection("memory://elsewhere-control"))

    assert len(heard) == 1


def test_purge_empties_the_queues_of_the_app(app: Celery) -> None:
    app.send_task("shop.add")
    app.send_task("shop.add")

    assert app.control.purge() == 2
    assert app.control.discard_all() == 0
