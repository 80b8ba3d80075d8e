"""What a dispatcher says, keeps, and leaves unsaid. Source: Celery's reference of ``EventDispatcher``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from celeriac.core.errors import BrokerUnreachable
from celeriac.events.dispatcher import Dispatcher
from unit.events.hearing import Away, Ears
from unit.events.telling import NODE, here


@pytest.fixture
def broadcast() -> Away:
    return Away()


@pytest.fixture
def ears(broadcast: Away) -> Ears:
    return Ears(broadcast)


def a_dispatcher(broadcast: Away, **options: Any) -> Dispatcher:
    return Dispatcher(lambda: broadcast, here(), **options)


def bodies(ears: Ears) -> list[Any]:
    return [json.loads(notice.parcel.body) for notice in ears.notices]


def test_an_event_has_the_fields_of_all_and_its_own(broadcast: Away, ears: Ears) -> None:
    a_dispatcher(broadcast).send("shop-order-paid", order=7)

    [notice] = ears.notices
    assert (notice.exchange, notice.routing_key, dict(notice.parcel.headers)) == (
        "celeryev",
        "shop.order.paid",
        {"hostname": NODE},
    )
    assert bodies(ears) == [
        {"type": "shop-order-paid", "hostname": NODE, "utcoffset": 0.0, "pid": 17, "clock": 1, "timestamp": 0.0, "order": 7}
    ]


def test_each_event_has_the_next_number_unless_it_is_blind(broadcast: Away, ears: Ears) -> None:
    dispatcher = a_dispatcher(broadcast)

    for blind in (False, True, False):
        dispatcher.send("shop-tick", blind=blind)

    assert [body["clock"] for body in bodies(ears)] == [1, None, 2]


def test_groups_that_were_not_asked_for_are_not_said(broadcast: Away, ears: Ears) -> None:
    dispatcher = a_dispatcher(broadcast, groups=["worker"])

    dispatcher.send("task-started", uuid="a")
    dispatcher.groups.add("task")
    dispatcher.send("task-started", uuid="b")

    assert [body["uuid"] for body in bodies(ears)] == ["b"]


def test_a_disabled_dispatcher_is_silent_and_tells_when_that_changes(broadcast: Away, ears: Ears) -> None:
    dispatcher = a_dispatcher(broadcast, enabled=False)
    told: list[str] = []
    dispatcher.on_enabled.add(lambda: told.append("on"))
    dispatcher.on_disabled.add(lambda: told.append("off"))

    dispatcher.send("shop-tick", number=1)
    dispatcher.enable()
    dispatcher.send("shop-tick", number=2)
    dispatcher.disable()
    dispatcher.send("shop-tick", number=3)

    assert [body["number"] for body in bodies(ears)] == [2]
    assert told == ["on", "off"]


def test_what_the_broker_does_not_take_is_kept_until_it_is_flushed(broadcast: Away, ears: Ears) -> None:
    dispatcher, heir = a_dispatcher(broadcast), a_dispatcher(broadcast)
    broadcast.away = True
    for number in range(3):
        dispatcher.send("shop-tick", number=number)
    dispatcher.flush()
    heir.extend_buffer(dispatcher)

    broadcast.away = False
    heir.flush()

    assert [body["number"] for body in bodies(ears)] == [1, 2, 0]


def test_what_the_broker_does_not_take_is_an_error_where_nothing_is_to_be_kept(broadcast: Away) -> None:
    dispatcher = a_dispatcher(broadcast, buffer_while_offline=False)
    broadcast.away = True

    with pytest.raises(BrokerUnreachable):
        dispatcher.send("shop-tick")


def test_events_of_a_buffered_group_travel_together(broadcast: Away, ears: Ears) -> None:
    gathered: list[int] = []
    dispatcher = a_dispatcher(broadcast, buffer_group=["task"], buffer_limit=2, on_send_buffered=lambda: gathered.append(1))

    for uuid in "abc":
        dispatcher.send("task-started", uuid=uuid)
    dispatcher.flush()

    assert [[event["uuid"] for event in body] for body in bodies(ears)] == [["a", "b"], ["c"]]
    assert [notice.routing_key for notice in ears.notices] == ["task.multi", "task.multi"]
    assert len(gathered) == 2


def test_nothing_is_said_after_it_was_closed(broadcast: Away, ears: Ears) -> None:
    with a_dispatcher(broadcast) as dispatcher:
        dispatcher.send("shop-tick", number=1)
    dispatcher.send("shop-tick", number=2)

    assert [body["number"] for body in bodies(ears)] == [1]


def test_an_event_may_be_made_by_the_programs_own_function(broadcast: Away, ears: Ears) -> None:
    def loud(type: str, **fields: Any) -> dict[str, Any]:
        return {"type": type.upper(), "own": fields["own"]}

    a_dispatcher(broadcast).send("shop-tick", Event=loud, own=1)

    assert bodies(ears) == [{"type": "SHOP-TICK", "own": 1}]
