"""Hooks for users: who is called, and what a failing one costs."""

from __future__ import annotations

import gc
import logging
from typing import Any

import pytest

from celeriac import Celery, SoftTimeLimitExceeded, signals
from celeriac.app.dispatch import Signal
from celeriac.core.message import Parcel
from unit.app.serving import fetched, serve, understood, waiting


@pytest.fixture
def signal() -> Signal:
    return Signal(("value",), name="example")


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


def test_what_would_have_to_be_awaited_cannot_be_connected(signal: Signal) -> None:
    async def later(**kwargs: Any) -> None: ...

    with pytest.raises(TypeError, match="nobody would await it"):
        signal.connect(later)


def test_what_does_not_take_further_arguments_cannot_be_connected(signal: Signal) -> None:
    def narrow(sender: Any, value: int) -> None: ...

    with pytest.raises(ValueError, match=r"a receiver of example must take \*\*kwargs.*narrow"):
        signal.connect(narrow)


def test_a_task_may_be_given_by_its_name_and_a_name_by_the_task(signal: Signal, app: Celery) -> None:
    @app.task(name="shop.add")
    def add() -> None: ...

    @app.task(name="shop.other")
    def other() -> None: ...

    heard: list[str] = []
    signal.connect(lambda **kwargs: heard.append("by name"), sender="shop.add", weak=False)
    signal.connect(lambda **kwargs: heard.append("by task"), sender=add, weak=False)
    signal.send(add)
    signal.send("shop.add")
    signal.send(other)

    assert heard == ["by name", "by task"] * 2


def test_tasks_of_two_apps_with_one_name_are_two_senders(signal: Signal, app: Celery) -> None:
    second = Celery("second", broker="memory://second", set_as_current=False)
    mine, theirs = (each.task(name="shop.add")(lambda: None) for each in (app, second))
    heard: list[Any] = []

    signal.connect(lambda sender, **kwargs: heard.append(sender), sender=mine, weak=False)
    signal.send(theirs)
    signal.send(mine)

    assert heard == [mine]


def test_two_equal_names_are_one_sender(signal: Signal) -> None:
    def one(**kwargs: Any) -> None: ...

    name = "shop.add"
    signal.connect(one, sender=name)
    signal.connect(one, sender="".join(["shop", ".add"]))

    assert len(signal.receivers) == 1
    assert signal.disconnect(one, sender="".join(["shop.", "add"]))


def test_a_receiver_with_retry_is_called_until_it_returns_with_growing_pauses() -> None:
    pauses: list[float] = []
    signal = Signal(name="example", pause=pauses.append)
    calls: list[int] = []

    @signal.connect(retry=True)
    def stubborn(**kwargs: Any) -> str:
        calls.append(1)
        if len(calls) <= 17:
            raise ConnectionError("not yet")
        return "done"

    answers = signal.send(None)

    assert [answer for _, answer in answers] == ["done"]
    assert pauses[:4] == [2.0, 4.0, 6.0, 8.0]
    assert pauses[-1] == max(pauses) == 30.0


def test_a_receiver_with_retry_is_kept_alive_and_can_be_disconnected() -> None:
    signal = Signal(name="example")

    def connect() -> None:
        @signal.connect(retry=True)
        def one(**kwargs: Any) -> None: ...

    connect()
    gc.collect()

    [(one, _)] = signal.send(None)
    assert signal.disconnect(one)
    assert signal.receivers == ()


def test_a_receiver_with_retry_that_exits_is_not_called_again() -> None:
    pauses: list[float] = []
    signal = Signal(name="example", pause=pauses.append)

    @signal.connect(retry=True)
    def leaves(**kwargs: Any) -> None:
        if len(pauses) < 3:
            raise SystemExit("enough")

    [(_, answer)] = signal.send(None)

    assert isinstance(answer, SystemExit)
    assert pauses == []


def test_a_receiver_that_exits_harms_nobody_else(signal: Signal, caplog: pytest.LogCaptureFixture) -> None:
    @signal.connect
    def leaves(**kwargs: Any) -> None:
        raise SystemExit(3)

    @signal.connect
    def stays(**kwargs: Any) -> str:
        return "called"

    with caplog.at_level(logging.CRITICAL, "celeriac.signals"):
        answers = signal.send(None)

    assert [type(answer) for _, answer in answers] == [SystemExit, str]


@pytest.mark.parametrize("signal", [signals.celeryd_init, signals.worker_init, signals.celeryd_after_setup])
def test_a_receiver_may_end_a_program_that_starts(signal: Signal) -> None:
    def leaves(**kwargs: Any) -> None:
        raise SystemExit(3)

    signal.connect(leaves)
    try:
        with pytest.raises(SystemExit):
            signal.send(None)
    finally:
        signal.disconnect(leaves)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SoftTimeLimitExceeded])
def test_what_interrupts_the_sender_passes_through_a_receiver(signal: Signal, interruption: type[BaseException]) -> None:
    @signal.connect
    def interrupted(**kwargs: Any) -> None:
        raise interruption

    with pytest.raises(interruption):
        signal.send(None)


def test_a_soft_time_limit_that_strikes_in_a_receiver_ends_the_task(app: Celery) -> None:
    def slow(**kwargs: Any) -> None:
        raise SoftTimeLimitExceeded

    @app.task(name="limited")
    def limited() -> None: ...

    signals.task_prerun.connect(slow, sender=limited)
    result = limited.delay()
    try:
        serve(app)
    finally:
        signals.task_prerun.disconnect(slow, sender=limited)

    assert result.state == "FAILURE"


def test_a_receiver_whose_repr_fails_is_logged_too(signal: Signal, caplog: pytest.LogCaptureFixture) -> None:
    class Odd:
        def __call__(self, **kwargs: Any) -> None:
            raise ValueError("broken")

        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    odd = Odd()
    signal.connect(odd)
    with caplog.at_level(logging.ERROR, "celeriac.signals"):
        signal.send(None)

    assert "a receiver of example failed: Odd" in caplog.text


def test_send_robust_is_send(signal: Signal) -> None:
    @signal.connect
    def broken(**kwargs: Any) -> None:
        raise ValueError

    answers = signal.send_robust(None)

    assert [type(answer) for _, answer in answers] == [ValueError]


def test_a_thread_may_connect_while_another_sends(signal: Signal) -> None:
    def one(**kwargs: Any) -> None:
        signal.connect(lambda **kwargs: None, weak=False, dispatch_uid="late")

    signal.connect(one)

    assert (len(signal.send(None)), len(signal.send(None))) == (1, 2)


def test_a_receiver_that_cannot_import_tasks_is_heard_of(app: Celery) -> None:
    def broken(**kwargs: Any) -> None:
        raise ImportError("no such module")

    signals.import_modules.connect(broken, sender=app)
    try:
        with pytest.raises(ImportError, match="no such module"):
            app.import_tasks()
    finally:
        signals.import_modules.disconnect(broken, sender=app)


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


@pytest.mark.parametrize(
    "options", [{"compression": "gzip"}, {"serializer": "pickle"}, {"serializer": "pickle", "compression": "zlib"}]
)
def test_what_a_receiver_has_changed_travels_in_the_form_that_was_chosen(app: Celery, options: dict[str, Any]) -> None:
    app.conf.accept_content = ["json", "pickle"]

    def change(sender: Any, body: Any, **kwargs: Any) -> None:
        body[1]["y"] = "changed" * 100

    signals.before_task_publish.connect(change, sender="traced")
    try:
        app.send_task("traced", (1,), {"y": 2}, **options)
    finally:
        signals.before_task_publish.disconnect(change, sender="traced")

    [delivery] = fetched(app)
    message = understood(app, delivery)
    assert ([*message.args], message.kwargs) == ([1], {"y": "changed" * 100})
    assert isinstance(delivery.parcel, Parcel)
    assert delivery.parcel.content_type == f"application/{'x-python-serialize' if 'serializer' in options else 'json'}"
    assert len(delivery.parcel.body) < 700 or "compression" not in options
