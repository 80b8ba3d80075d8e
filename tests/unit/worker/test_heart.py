"""The signs of life that a node gives to monitors, and what it hears of other nodes."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from celeriac.core import codecs
from celeriac.core.lamport import LamportClock
from celeriac.core.notice import Notice
from celeriac.events import wire
from celeriac.events.dispatcher import Dispatcher
from celeriac.events.types import Event
from celeriac.worker.gossip import Gossip
from celeriac.worker.heart import Heart
from unit.events.hearing import Away
from unit.events.telling import NODE, here

PATIENCE_S = 10.0
SOFTWARE = {"sw_ident": "celeriac", "sw_ver": "1", "sw_sys": "Linux"}


class Monitor:
    """Hears what a node says, and can wait for it."""

    def __init__(self, broadcast: Away) -> None:
        self.events: list[Event] = []
        self.heard = threading.Semaphore(0)
        broadcast.listen("celeryev", ["#"], self._hear)

    def _hear(self, notice: Notice) -> None:
        events = wire.read(notice, codecs.content_types(["json"]))
        assert isinstance(events, list)
        self.events += events
        self.heard.release()

    def wait(self, count: int) -> None:
        for _ in range(count):
            assert self.heard.acquire(timeout=PATIENCE_S)


def a_heart(broadcast: Away, *, interval: float = 0.001) -> Heart:
    dispatcher = Dispatcher(lambda: broadcast, here(), buffer_while_offline=False)
    return Heart(dispatcher, software=SOFTWARE, business=lambda: (2, 7), interval=interval)


def test_a_node_comes_beats_and_goes() -> None:
    broadcast = Away()
    monitor = Monitor(broadcast)
    heart = a_heart(broadcast)

    heart.start()
    monitor.wait(3)
    heart.stop()

    types = [event["type"] for event in monitor.events]
    assert (types[0], types[-1], set(types[1:-1])) == ("worker-online", "worker-offline", {"worker-heartbeat"})
    beat = monitor.events[1]
    assert {**beat, **SOFTWARE} == beat
    assert (beat["hostname"], beat["freq"], beat["active"], beat["processed"]) == (NODE, 0.001, 2, 7)
    assert [type(load) for load in beat["loadavg"]] == [float] * 3


def test_it_goes_on_beating_when_the_broker_is_back() -> None:
    broadcast = Away()
    monitor = Monitor(broadcast)
    broadcast.away = True
    heart = a_heart(broadcast)
    heart.start()
    while broadcast.calls < 3:
        threading.Event().wait(0.001)

    broadcast.away = False
    monitor.wait(1)
    heart.stop()

    assert monitor.events[0]["type"] == "worker-heartbeat"


def test_gossip_tells_the_log_which_other_nodes_come_and_go(caplog: pytest.LogCaptureFixture) -> None:
    broadcast, clock = Away(), LamportClock(lambda: 0.0)
    gossip = Gossip(lambda: broadcast, exchange="celeryev", me=NODE, clock=clock, accept=["json"])
    gossip.start()
    other, me = (Dispatcher(lambda: broadcast, here(name, start=100)) for name in ("celery@two\n", NODE))

    with caplog.at_level(logging.INFO, logger="celeriac.worker"):
        for dispatcher in (other, me):
            for type in ("worker-online", "worker-heartbeat", "worker-offline"):
                dispatcher.send(type)
        gossip.stop()
        other.send("worker-online")

    assert [record.getMessage() for record in caplog.records] == [r"node 'celery@two\n' joined", r"node 'celery@two\n' left"]
    assert clock.value > 100


def test_gossip_begins_without_a_broker_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    class Deaf(Away):
        def listen(self, *_: Any) -> Any:
            self.away = True
            self.say([])

    gossip = Gossip(Deaf, exchange="celeryev", me=NODE, clock=LamportClock(lambda: 0.0), accept=["json"])

    gossip.start()
    gossip.stop()

    assert "does not hear which others come and go" in caplog.text
