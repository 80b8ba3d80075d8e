"""The loop of a beat: it ends when told, outlives an outage, notices a clock that was set back, answers pings while it looks."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from celeriac.beat.pinging import LEAST_AGE_S, Pinging
from celeriac.beat.service import Beat
from celeriac.control.answering import NoAnswer
from celeriac.control.commands import Command
from celeriac.core.errors import BrokerUnreachable, ImproperlyConfigured, StoreRefused
from system.patience import eventually
from unit.beat.conftest import Office

REPORT: dict[str, Any] = {"task": "shop.report", "schedule": 10}


class Interrupted:
    """A timetable that does not answer for a while."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.error: Exception | None = None

    def attend(self, *args: Any, **kwargs: Any) -> Any:
        if self.error is not None:
            raise self.error
        return self._inner.attend(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def begin(beat: Beat) -> threading.Thread:
    thread = threading.Thread(target=beat.run)
    thread.start()
    return thread


def test_an_outage_is_told_once_and_outlived(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    office.schedule(a=REPORT)
    beat = Beat(office.app, max_interval_s=0.01)
    beat.timetable = away = Interrupted(beat.timetable)
    thread = begin(beat)
    eventually(lambda: beat.looked, what="it has looked")
    away.error = BrokerUnreachable("gone")
    eventually(lambda: "trying again" in caplog.text, what="it tells")
    away.error = None
    eventually(lambda: "the store answers after" in caplog.text, what="it goes on")
    office.runtime.advance(11)
    eventually(lambda: office.state("a").runs == 1, what="a tick")
    beat.stop()
    thread.join(10)

    assert not thread.is_alive()
    assert caplog.text.count("trying again") == 1
    assert office.timetable.attend("next", lease_s=1, limit=0).leader == "next"


@pytest.mark.parametrize("error", [StoreRefused("wrong password"), ImproperlyConfigured("no such folder")])
def test_a_store_that_refuses_from_the_first_ends_it(office: Office, error: Exception) -> None:
    beat = Beat(office.app)
    beat.timetable = refusing = Interrupted(beat.timetable)
    refusing.error = error

    with pytest.raises(type(error)):
        beat.run()


def test_when_the_clock_is_set_back_an_hour_the_next_tick_comes_within_its_interval(office: Office) -> None:
    office.schedule(a=REPORT)
    beat = Beat(office.app, max_interval_s=0.01)
    thread = begin(beat)
    eventually(lambda: beat.looked, what="it has looked")
    office.runtime.advance(11)
    eventually(lambda: office.state("a").runs == 1, what="a tick")
    office.runtime.step(-3600)
    eventually(lambda: (office.record("a").due or 0) < office.runtime.time() + 11, what="it counts from now")
    office.runtime.advance(10.5)
    eventually(lambda: office.state("a").runs == 2, what="another tick")
    beat.stop()
    thread.join(10)


def test_settings_that_change_are_brought_in_while_it_runs(office: Office) -> None:
    office.schedule(a=REPORT)
    beat = Beat(office.app, max_interval_s=0.01)
    thread = begin(beat)
    eventually(lambda: office.timetable.count() == 1, what="the first entry")
    office.schedule(a=REPORT, b=REPORT)
    eventually(lambda: office.timetable.count() == 2, what="the second entry")
    beat.stop()
    thread.join(10)


def test_a_ping_is_answered_as_long_as_it_looks(office: Office) -> None:
    beat = Beat(office.app)
    pinging = Pinging(office.app, beat, name="celerybeat@here")
    ping = Command(method="ping", arguments={})

    assert pinging.carry_out(ping) == {"ok": "pong"}
    with pytest.raises(NoAnswer):
        pinging.carry_out(Command(method="shutdown", arguments={}))
    office.runtime.advance(LEAST_AGE_S + 1)
    with pytest.raises(NoAnswer):
        pinging.carry_out(ping)
    beat.last_look = office.runtime.monotonic()
    assert pinging.carry_out(ping) == {"ok": "pong"}
    office.app.conf.beat_remote_control_max_tick_age = 0
    office.runtime.advance(10_000)
    assert Pinging(office.app, beat, name="x").carry_out(ping) == {"ok": "pong"}
