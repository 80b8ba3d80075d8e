"""Monitors that were written for Celery, by way of the shim."""

from __future__ import annotations

import io
import pickle
import threading
from collections import Counter
from typing import Any

from celeriac import Celery
from celery.events import Event, EventReceiver, event_exchange, get_exchange, group_from
from celery.events.dumper import Dumper, humanize_type
from celery.events.snapshot import Polaroid
from celery.events.state import State, heartbeat_expires
from system.patience import eventually


class Counting(State):
    """The state of a monitor with a page for browsers: counts events by node and type."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counter: dict[str, Counter[str]] = {}

    def event(self, event: dict[str, Any]) -> Any:
        found = super().event(event)
        self.counter.setdefault(event["hostname"], Counter())[event["type"]] += 1
        return found


def test_a_monitor_in_a_thread_hears_by_its_own_receiver_and_survives_pickling() -> None:
    app = Celery("watched", broker="memory://watched", set_as_current=False)
    state, listening = Counting(), threading.Event()

    class Watching(EventReceiver):
        def wakeup_workers(self, channel: Any = None) -> None:
            listening.set()

    def watch() -> None:
        with app.connection() as connection:
            receiver = Watching(connection, handlers={"*": state.event}, app=app)
            receivers.append(receiver)
            receiver.capture(limit=None, timeout=None, wakeup=True)

    receivers: list[EventReceiver] = []
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    assert listening.wait(10)
    with app.events.default_dispatcher(hostname="celery@one") as dispatcher:
        dispatcher.send("worker-online", freq=2.0, sw_ident="py-celery")
        dispatcher.send("task-received", uuid="a", name="shop.add", args="()", kwargs="{}")
    eventually(lambda: state.tasks.get("a"), what="the event")
    receivers[0].should_stop = True
    thread.join(10)

    assert state.counter == {"celery@one": Counter({"worker-online": 1, "task-received": 1})}
    worker = state.workers["celery@one"]
    assert {name: getattr(worker, name) for name in worker._fields}["sw_ident"] == "py-celery"
    assert [task.name for _, task in pickle.loads(pickle.dumps(State(tasks=state.tasks))).tasks_by_timestamp()] == ["shop.add"]


def test_small_works_of_events_mean_what_they_mean_in_celery() -> None:
    event = Event("task-sent", uuid="a", __now__=lambda: 5.0)

    assert event == {"type": "task-sent", "uuid": "a", "timestamp": 5.0}
    assert (group_from("task-sent"), humanize_type("worker-online"), heartbeat_expires(10, 2)) == ("task", "started", 14)
    assert (event_exchange.name, event_exchange.type) == ("celeryev", "topic")
    assert get_exchange(Celery("x", broker="redis://nowhere", set_as_current=False).connection(), "mine").type == "fanout"


def test_a_camera_is_shown_a_state() -> None:
    seen: list[Any] = []

    class Camera(Polaroid):
        def on_shutter(self, state: Any) -> None:
            seen.append(state)

    app = Celery("filmed", broker="memory://filmed", set_as_current=False)
    state = app.events.State()
    Camera(state, app=app).capture()

    assert seen == [state]


def test_a_dumper_writes_into_any_stream() -> None:
    out = io.StringIO()

    Dumper(out=out).on_event({"type": "worker-offline", "hostname": "celery@one", "timestamp": 0, "freq": 2.0})

    assert out.getvalue() == "celery@one [1970-01-01 00:00:00+00:00] shutdown: freq=2.0\n"
