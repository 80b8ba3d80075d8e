"""The thread that says events: in order, many at a time, and at nobody's cost."""

from __future__ import annotations

import logging
import os
import threading

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core import codecs
from celeriac.core.errors import BrokerUnreachable
from celeriac.events import courier as module
from celeriac.events import wire
from celeriac.events.courier import Courier
from celeriac.events.types import Event, Started
from celeriac.testing.clock import VirtualRuntime
from unit.events.hearing import Away, Ears


def a_courier(broadcast: Away) -> Courier:
    return Courier(lambda: broadcast, VirtualRuntime(), exchange="celeryev", serializer="json", hostname="n")


def started(uuid: str) -> Started:
    return Started(hostname="n", utcoffset=0, pid=1, clock=1, timestamp=1, uuid=uuid)


def heard(ears: Ears) -> list[Event]:
    read = [wire.read(notice, codecs.content_types(["json"])) for notice in ears.notices]
    return [event for events in read if isinstance(events, list) for event in events]


def test_what_is_put_down_is_said_in_its_order_by_the_time_it_closes() -> None:
    broadcast = Away()
    ears, courier = Ears(broadcast), a_courier(broadcast)

    for number in range(1000):
        courier.put(started(str(number)))
    courier.close()

    assert [event["uuid"] for event in heard(ears)] == [str(number) for number in range(1000)]
    assert max(len(wire.read(notice, codecs.content_types(["json"]))) for notice in ears.notices) <= module.A_NOTICE  # type: ignore[arg-type]


def test_a_single_event_goes_under_its_own_key_and_several_under_that_of_lists() -> None:
    broadcast = Away()
    ears, courier = Ears(broadcast), a_courier(broadcast)
    courier._waiting.append(started("a"))

    courier.say_all()
    courier._waiting.extend([started("b"), started("c")])
    courier.say_all()

    assert [notice.routing_key for notice in ears.notices] == ["task.started", "task.multi"]


def test_events_are_kept_while_the_broker_is_away_and_said_when_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    broadcast = Away()
    ears, courier = Ears(broadcast), a_courier(broadcast)
    broadcast.away = True

    with caplog.at_level(logging.INFO, logger="celeriac.events"):
        courier.put(started("a"))
        while broadcast.calls < 3:
            threading.Event().wait(0.001)
        broadcast.away = False
        courier.put(started("b"))
        courier.close()

    assert [event["uuid"] for event in heard(ears)] == ["a", "b"]
    assert [record.__dict__["event"] for record in caplog.records] == ["events-kept", "events-said"]


def test_only_the_newest_events_are_kept() -> None:
    broadcast = Away()
    ears, courier = Ears(broadcast), a_courier(broadcast)
    broadcast.away = True
    courier._waiting.extend(started(str(number)) for number in range(module.MOST + 500))
    with pytest.raises(BrokerUnreachable):
        courier.say_all()

    broadcast.away = False
    courier.say_all()

    told = heard(ears)
    assert (len(told), told[0]["uuid"], told[-1]["uuid"]) == (module.MOST, "500", str(module.MOST + 499))


def test_closing_does_not_wait_for_ever_for_a_broker_that_is_away() -> None:
    broadcast = Away()
    courier = Courier(lambda: broadcast, SystemRuntime(), exchange="celeryev", serializer="json", hostname="n")
    broadcast.away = True
    courier.put(started("a"))

    courier.close(patience_s=0.2)

    assert courier._thread is None


def test_after_it_was_closed_it_begins_anew() -> None:
    broadcast = Away()
    ears, courier = Ears(broadcast), a_courier(broadcast)

    for uuid in "ab":
        courier.put(started(uuid))
        courier.close()

    assert [event["uuid"] for event in heard(ears)] == ["a", "b"]


def test_a_forked_process_says_nothing_that_its_parent_has_put_down() -> None:
    broadcast = Away()
    broadcast.away = True
    courier = a_courier(broadcast)
    courier._waiting.append(started("parents"))

    pid = os.fork()
    if pid == 0:
        courier.abandon()
        os._exit(len(courier._waiting))

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(courier._waiting) == 1
