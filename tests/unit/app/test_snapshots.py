"""Cameras take pictures when they are due, no more than they may, while nothing changes; what is dumped is one line each."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest

from celeriac import Celery
from celeriac.app.monitoring.dumper import Dumper
from celeriac.app.monitoring.snapshot import Polaroid, camera_of, evcam
from celeriac.app.monitoring.ticking import Timer
from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import ImproperlyConfigured
from celeriac.testing.clock import VirtualRuntime
from unit.events.telling import received, told


class Album(Polaroid):
    """Counts what it is asked."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.pictures: list[int] = []
        self.cleaned = 0

    def on_shutter(self, state: Any) -> None:
        self.pictures.append(len(state.tasks))

    def on_cleanup(self) -> None:
        self.cleaned += 1


class Wound:
    """A timer that is wound by hand."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def call_repeatedly(self, secs: float, fun: Any) -> Any:
        entry = Entry(secs, fun)
        self.entries.append(entry)
        return entry


class Entry:
    """One of its functions."""

    def __init__(self, secs: float, fun: Any) -> None:
        self.secs, self.fun, self.cancelled = secs, fun, False

    def __call__(self) -> None:
        self.fun()

    def cancel(self) -> None:
        self.cancelled = True


def test_a_camera_is_called_as_often_as_it_says_and_takes_a_last_picture(app: Celery) -> None:
    timer = Wound()
    album = Album(app.events.State(), freq=2.5, cleanup_freq=60, timer=timer, app=app)

    with album:
        shooting, cleaning = timer.entries
        shooting()
        cleaning()

    assert (shooting.secs, cleaning.secs, album.cleaned) == (2.5, 60, 1)
    assert len(album.pictures) == 2
    assert shooting.cancelled
    assert cleaning.cancelled


def test_a_camera_takes_no_more_pictures_than_it_may(app: Celery, clock: VirtualRuntime) -> None:
    album = Album(app.events.State(), maxrate="2/m", timer=Wound(), app=app)

    for _ in range(4):
        album.capture()
        clock.advance(20)

    assert len(album.pictures) == 2


@pytest.mark.parametrize("maxrate", ["often", "1/week", "0/s"])
def test_a_rate_that_is_none_is_named(app: Celery, maxrate: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=maxrate):
        Album(app.events.State(), maxrate=maxrate, timer=Wound(), app=app)


def test_what_is_no_class_is_no_camera() -> None:
    with pytest.raises(ImproperlyConfigured, match="is no class"):
        camera_of("math.floor")


def test_after_a_picture_what_has_ended_may_be_forgotten(app: Celery) -> None:
    class Forgetful(Album):
        clear_after = True

    state = app.events.State()
    state.event(received("a", at=1))
    state.event(told("task-succeeded", "a", at=2, result="1", runtime=0.1))
    album = Forgetful(state, timer=Wound(), app=app)

    for _ in range(2):
        album.capture()

    assert album.pictures == [1, 0]


def test_signals_tell_of_pictures(app: Celery) -> None:
    senders: list[Any] = []
    album = Album(app.events.State(), timer=Wound(), app=app)

    def hear(sender: Any, **named: Any) -> None:
        senders.append(sender)

    for signal in (Polaroid.shutter_signal, Polaroid.cleanup_signal):
        signal.connect(hear)
    album.capture()
    album.cleanup()
    for signal in (Polaroid.shutter_signal, Polaroid.cleanup_signal):
        signal.disconnect(hear)

    assert senders == [album.state] * 2


def test_a_timer_goes_on_when_what_it_calls_fails_and_ends_with_its_last_entry() -> None:
    timer, called = Timer(SystemRuntime()), threading.Semaphore(0)

    def fail() -> None:
        called.release()
        raise ValueError("no film")

    entry = timer.call_repeatedly(0.001, fail)
    came = [called.acquire(timeout=10) for _ in range(3)]
    thread = timer._thread
    entry.cancel()
    assert thread is not None
    thread.join(10)

    assert came == [True] * 3
    assert not thread.is_alive()
    with pytest.raises(ValueError, match="more than none"):
        timer.call_repeatedly(0, fail)


def test_a_camera_without_a_command_writes_no_pid_file(app: Celery) -> None:
    with pytest.raises(ImproperlyConfigured, match="celeriac events --camera"):
        evcam(Album, app=app, pidfile="/nowhere")


def test_a_task_is_introduced_once_and_known_by_its_id_later() -> None:
    out = io.StringIO()
    dumper = Dumper(out)

    dumper.on_event(received("a", at=0))
    dumper.on_event(told("task-started", "a", at=0))

    first, second = out.getvalue().splitlines()
    assert first.startswith("celery@one [1970-01-01 00:00:00+00:00] task received: shop.add(a) args=(1,) kwargs={} clock=0")
    assert second.startswith("celery@one [1970-01-01 00:00:00+00:00] task started: shop.add(a) args=(1,) kwargs={} clock=0")


def test_what_an_event_says_writes_no_lines_of_its_own_and_commands_no_terminal() -> None:
    out = io.StringIO()

    Dumper(out).on_event(told("task-fa\x1biled", "a\nb", hostname="\x1b[2J", exception="one\ntwo"))

    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()


def test_events_are_printed_as_json_one_on_a_line() -> None:
    out = io.StringIO()
    event = received("a", at=1)

    Dumper(out, as_json=True).on_event(event)

    assert json.loads(out.getvalue()) == event


@pytest.mark.parametrize(
    "event", [{"type": "a-b"}, {"type": "task-x"}, {"type": "task-sent", "hostname": None, "timestamp": None}]
)
def test_an_event_without_its_fields_is_printed_nevertheless(event: dict[str, Any]) -> None:
    out = io.StringIO()

    Dumper(out).on_event(event)

    assert out.getvalue().count("\n") == 1
