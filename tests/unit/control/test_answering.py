"""Whoever can be asked answers in order, and nothing that anybody sends makes it deaf."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery
from celeriac.control.answering import Answering, NoAnswer
from celeriac.control.commands import Command
from celeriac.core.message import Parcel
from celeriac.core.notice import Notice

LONG_S = 30.0
NodeMaker = Callable[..., Answering]


def ask(app: Celery, method: str, timeout: float = LONG_S, **arguments: Any) -> Any:
    answers = app.control.broadcast(method, arguments, reply=True, timeout=timeout, limit=1)
    return answers[0] if answers else None


def test_a_command_that_fails_is_answered_with_its_error_and_the_next_is_carried_out(app: Celery, node: NodeMaker) -> None:
    def carry_out(command: Command) -> Any:
        return {"x": 1}[command.method]

    node("celery@a", carry_out)

    assert ask(app, "nope") == {"celery@a": {"error": "KeyError('nope')"}}
    assert ask(app, "x") == {"celery@a": 1}


def test_an_answer_that_cannot_be_written_is_answered_as_an_error(app: Celery, node: NodeMaker) -> None:
    node("celery@a", lambda command: object())

    assert "EncodeError" in ask(app, "x")["celery@a"]["error"]


def test_a_slow_command_does_not_hold_up_the_next(app: Celery, node: NodeMaker) -> None:
    goes_on = threading.Event()

    def carry_out(command: Command) -> Any:
        if command.method == "slow":
            goes_on.wait(LONG_S)
        return command.method

    node("celery@a", carry_out)
    app.control.broadcast("slow")
    began = time.monotonic()

    assert ask(app, "quick") == {"celery@a": "quick"}

    assert time.monotonic() - began < LONG_S / 2
    goes_on.set()


def test_commands_are_carried_out_in_the_order_in_which_they_were_said(app: Celery, node: NodeMaker) -> None:
    seen: list[int] = []

    def carry_out(command: Command) -> Any:
        seen.append(command.arguments["n"])

    node("celery@a", carry_out)
    for number in range(200):
        app.control.broadcast("note", {"n": number})
    ask(app, "note", n=200)

    assert seen == list(range(201))


def test_what_is_not_to_be_answered_is_not(app: Celery, node: NodeMaker) -> None:
    def carry_out(command: Command) -> Any:
        raise NoAnswer

    node("celery@a", carry_out)

    assert ask(app, "shutdown", timeout=0.2) is None


def test_garbage_is_counted_and_told_once_in_a_while(app: Celery, node: NodeMaker, caplog: pytest.LogCaptureFixture) -> None:
    node("celery@a", lambda command: "fine")
    parcel = Parcel(body=b"{", content_type="application/json", content_encoding="utf-8", headers={})

    with caplog.at_level(logging.WARNING, "celeriac.control"):
        for _ in range(50):
            app.store.broadcast.say([Notice("celery.pidbox", "", parcel)])
        assert ask(app, "x") == {"celery@a": "fine"}

    assert [record.args[0] for record in caplog.records if isinstance(record.args, tuple)] == [1, 10]


def test_a_bad_pattern_is_dropped_and_the_next_command_is_heard(app: Celery, node: NodeMaker) -> None:
    node("celery@a", lambda command: "fine")

    assert app.control.broadcast("x", reply=True, timeout=0.1, pattern="(", matcher="pcre") == []
    assert ask(app, "x") == {"celery@a": "fine"}


def test_a_flood_is_slowed_down_and_loses_nothing(app: Celery, node: NodeMaker) -> None:
    seen: list[int] = []
    node("celery@a", lambda command: seen.append(1))
    began = time.monotonic()

    for _ in range(700):
        app.control.broadcast("note")
    ask(app, "note")

    assert len(seen) == 701
    assert time.monotonic() - began > 0.5


def test_who_was_closed_is_deaf(app: Celery, node: NodeMaker) -> None:
    one = node("celery@a", lambda command: "fine")
    assert ask(app, "x") == {"celery@a": "fine"}

    one.close()

    assert ask(app, "x", timeout=0.1) is None


def test_a_clock_goes_on_from_that_of_who_asks(app: Celery, node: NodeMaker) -> None:
    node("celery@a", lambda command: command.clock)
    app.clock.value = 10**15

    [asked] = ask(app, "x").values()

    assert asked > 10**15
    assert app.clock.value > asked
