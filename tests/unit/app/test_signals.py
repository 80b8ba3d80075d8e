"""Hooks for users: who is called, and what a failing one costs."""

from __future__ import annotations

import gc
import logging
from typing import Any

import pytest

from celeriac import Celery, signals
from celeriac.app.signals import Signal
from unit.app.serving import waiting


@pytest.fixture
def signal() -> Signal:
    return Signal("example", ("value",))


def test_connect_is_a_decorator_with_and_without_arguments(signal: Signal) -> None:
    heard: list[tuple[str, Any, int]] = []

    @signal.connect
    def all_of_them(sender: Any, value: int, **kwargs: Any) -> None:
        heard.append(("all", sender, value))

    @signal.connect(sender="mine")
    def only_mine(sender: Any, value: int, **kwargs: Any) -> None:
        heard.append(("mine", sender, value))

    signal.send("mine", value=1)
    signal.send("other", value=2)

    assert heard == [("all", "mine", 1), ("mine", "mine", 1), ("all", "other", 2)]


def test_a_receiver_that_fails_is_logged_and_the_others_are_called(signal: Signal, caplog: pytest.LogCaptureFixture) -> None:
    @signal.connect
    def broken(**kwargs: Any) -> None:
        raise ValueError("broken")

    @signal.connect
    def whole(**kwargs: Any) -> str:
        return "called"

    with caplog.at_level(logging.ERROR, "celeriac.signals"):
        answers = signal.send(None)

    assert [type(answer) for _, answer in answers] == [ValueError, str]
    assert "a receiver of example failed" in caplog.text


def test_a_receiver_is_not_kept_alive_unless_asked(signal: Signal) -> None:
    def weakly(**kwargs: Any) -> None: ...
    def strongly(**kwargs: Any) -> None: ...

    signal.connect(weakly)
    signal.connect(strongly, weak=False)
    del weakly, strongly
    gc.collect()

    assert len(signal.receivers) == 1
    assert len(signal.send(None)) == 1


def test_a_method_may_be_connected_and_goes_with_its_object(signal: Signal) -> None:
    class Listener:
        def hear(self, **kwargs: Any) -> str:
            return "heard"

    listener = Listener()
    signal.connect(listener.hear)
    answers = signal.send(None)
    del listener, answers[:]
    gc.collect()

    assert signal.receivers == ()


def test_connecting_twice_calls_once_and_a_dispatch_uid_says_who_is_the_same(signal: Signal) -> None:
    def one(**kwargs: Any) -> None: ...
    def other(**kwargs: Any) -> None: ...

    signal.connect(one)
    signal.connect(one)
    signal.connect(other, dispatch_uid="uid")
    signal.connect(one, dispatch_uid="uid")

    assert len(signal.receivers) == 2


def test_disconnect_says_whether_there_was_anything_to_undo(signal: Signal) -> None:
    def one(**kwargs: Any) -> None: ...

    signal.connect(one)

    assert (signal.disconnect(one), signal.disconnect(one), signal.has_listeners()) == (True, False, False)


def test_what_is_not_callable_cannot_be_connected(signal: Signal) -> None:
    with pytest.raises(TypeError, match="must be callable"):
        signal.connect("print")  # type: ignore[call-overload]


def test_before_publish_may_change_headers_and_after_publish_sees_them(app: Celery) -> None:
    seen: list[tuple[str, Any]] = []

    def mark(sender: Any, headers: dict[str, Any], **kwargs: Any) -> None:
        headers["trace"] = "abc"

    def see(sender: Any, headers: dict[str, Any], routing_key: str, **kwargs: Any) -> None:
        seen.append((routing_key, headers["trace"]))

    signals.before_task_publish.connect(mark, sender="traced")
    signals.after_task_publish.connect(see, sender="traced")
    try:
        app.send_task("traced")
    finally:
        signals.before_task_publish.disconnect(mark, sender="traced")
        signals.after_task_publish.disconnect(see, sender="traced")

    [message] = waiting(app)
    assert message.headers == {"trace": "abc"}
    assert seen == [("celery", "abc")]
