"""``app.events``: what a program tells monitors, and what it hears."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import pytest

from celeriac import Celery, group
from celeriac.app.monitoring.dispatching import EventDispatcher
from celeriac.app.monitoring.receiving import EventReceiver
from celeriac.core.errors import ImproperlyConfigured
from celeriac.events.state import State
from celeriac.events.types import Event


class Ear:
    """Hears every event of an app, in the thread that says it."""

    def __init__(self, app: Celery) -> None:
        self.events: list[Event] = []
        receiver = app.events.Receiver(app.connection(), handlers={"*": self.events.append})
        self.listening = app.store.broadcast.listen(app.conf.event_exchange, ["#"], receiver.receive)

    def told(self, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(event.get(name) for name in ("type", *names)) for event in self.events]


@pytest.fixture
def telling(app: Celery) -> Celery:
    app.conf.task_send_sent_event = True
    return app


def test_a_dispatcher_says_whatever_a_program_wants_to_be_known(app: Celery) -> None:
    ear = Ear(app)

    with app.events.default_dispatcher(hostname="shop@here") as dispatcher:
        dispatcher.send("shop-order-paid", order=7)

    [event] = ear.events
    assert ear.told("hostname", "pid", "order") == [("shop-order-paid", "shop@here", os.getpid(), 7)]
    assert {"timestamp", "clock", "utcoffset", "local_received"} < event.keys()


def test_what_is_sent_is_told(telling: Celery) -> None:
    ear = Ear(telling)

    sent = telling.send_task("shop.add", (1, 2), {"k": "v"}, countdown=60, queue="q")
    telling.close()

    [event] = ear.events
    assert ear.told("uuid", "name", "args", "kwargs", "queue", "exchange", "routing_key", "retries", "root_id", "parent_id") == [
        ("task-sent", sent.id, "shop.add", "(1, 2)", "{'k': 'v'}", "q", "", "q", 0, sent.id, None)
    ]
    assert event["hostname"].startswith(f"gen{os.getpid()}")
    assert event["eta"] is not None


def test_nothing_is_told_of_what_is_sent_unless_it_was_asked_for(app: Celery) -> None:
    ear = Ear(app)

    app.send_task("shop.add")
    app.close()

    assert ear.events == []


def test_a_large_group_is_told_in_few_notices() -> None:
    telling = Celery("unit", broker="memory://told-in-few", set_as_current=False, task_send_sent_event=True)
    notices: list[Any] = []
    telling.store.broadcast.listen("celeryev", ["#"], notices.append)

    group(telling.signature("shop.add", (number,)) for number in range(250)).apply_async()
    telling.close()

    assert 3 <= len(notices) <= 6
    assert {notice.routing_key for notice in notices} == {"task.multi"}


async def _send(app: Celery) -> None:
    @app.task(name="shop.add")
    def add() -> None:
        return None

    await add.adelay()


def test_what_a_coroutine_sends_is_told_too(telling: Celery) -> None:
    ear = Ear(telling)

    asyncio.run(_send(telling))
    telling.close()

    assert ear.told("name") == [("task-sent", "shop.add")]


def test_a_dispatcher_of_the_callers_own_tells_it_instead(telling: Celery) -> None:
    ear = Ear(telling)

    with telling.events.default_dispatcher(hostname="shop@here") as dispatcher:
        sent = telling.send_task("shop.add", event_dispatcher=dispatcher)

    assert ear.told("hostname", "uuid", "name") == [("task-sent", "shop@here", sent.id, "shop.add")]


def test_what_is_secret_is_not_told(telling: Celery) -> None:
    ear = Ear(telling)

    telling.send_task("shop.login", ("ann", "hunter2"), argsrepr="('ann', ***)")
    telling.close()

    assert ear.told("args") == [("task-sent", "('ann', ***)")]


def test_a_receiver_captures_until_it_has_heard_enough(app: Celery) -> None:
    heard: list[str] = []
    receiver = app.events.Receiver(app.connection(), handlers={"*": lambda event: heard.append(event["type"])})
    speaker = threading.Thread(target=_say_when_heard, args=(app, heard))

    speaker.start()
    receiver.capture(limit=3, timeout=20, wakeup=False)

    speaker.join()
    assert heard == ["shop-tick"] * 3


def _say_when_heard(app: Celery, heard: list[str]) -> None:
    with app.events.default_dispatcher() as dispatcher:
        while len(heard) < 3:
            dispatcher.send("shop-tick")
            threading.Event().wait(0.01)


def test_a_receiver_that_hears_nothing_in_time_says_so(app: Celery) -> None:
    receiver = app.events.Receiver(app.connection())

    with pytest.raises(TimeoutError):
        receiver.capture(timeout=0.05, wakeup=False)


def test_a_handler_of_a_type_is_called_instead_of_that_of_all(app: Celery) -> None:
    heard: list[str] = []
    handlers = {"task-sent": lambda _: heard.append("sent"), "*": lambda event: heard.append(event["type"])}
    receiver = app.events.Receiver(app.connection(), handlers=handlers)

    for type in ("task-sent", "task-received"):
        receiver.process(type, {"type": type})

    assert heard == ["sent", "task-received"]


def test_a_clients_clock_of_celery_does_not_put_its_event_before_all_others(app: Celery) -> None:
    receiver = app.events.Receiver(app.connection())
    receiver.event_from_message({"type": "task-received", "clock": 500})

    _, event = receiver.event_from_message({"type": "task-sent", "clock": 3})

    assert event["clock"] == 500


def test_a_queue_of_a_monitor_cannot_be_exclusive_and_durable(app: Celery) -> None:
    with pytest.raises(ImproperlyConfigured, match="event_queue_exclusive"):
        app.events.Receiver(app.connection(), queue_exclusive=True, queue_durable=True)


def test_a_monitor_shows_what_the_settings_say_about_its_queue(app: Celery) -> None:
    app.conf.update(event_queue_prefix="watch", event_queue_ttl=9.0, event_queue_expires=8.0)

    receiver = app.events.Receiver(app.connection(), node_id="me")

    assert (receiver.queue.name, receiver.queue.message_ttl, receiver.queue.expires) == ("watch.me", 9.0, 8.0)


def test_apps_with_other_exchanges_do_not_hear_each_other(app: Celery) -> None:
    ear = Ear(app)
    app.conf.event_exchange = "elsewhere"

    with app.events.default_dispatcher() as dispatcher:
        dispatcher.send("shop-tick")

    assert ear.events == []


def test_classes_of_a_programs_own_stand_in_the_place_of_ours(app: Celery) -> None:
    class Mine(EventReceiver):
        pass

    app.events.receiver_cls = Mine

    receiver = app.events.Receiver(app.connection())

    assert isinstance(receiver, Mine)
    assert (receiver.app, app.events.State) == (app, State)
    assert issubclass(app.events.Dispatcher, EventDispatcher)


def test_a_task_tells_monitors_what_it_wants(app: Celery) -> None:
    ear = Ear(app)

    @app.task(bind=True)
    def work(self: Any) -> None:
        self.send_event("task-halfway", percent=50)

    result = work.apply()

    assert ear.told("uuid", "percent") == [("task-halfway", result.id, 50)]
