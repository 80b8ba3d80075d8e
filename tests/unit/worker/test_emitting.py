"""What a child tells monitors about its tasks, and that it tells nothing when nobody wants to know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celeriac.core import codecs
from celeriac.core.errors import Ignore, Reject, TimeLimitExceeded
from celeriac.core.message import Delivery, Parcel, Rejected
from celeriac.core.notice import Notice
from celeriac.events import wire
from celeriac.events.courier import Courier
from celeriac.events.types import Event, Here
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.appetite import Appetite
from celeriac.worker.child import Child
from celeriac.worker.emitting import Emission
from celeriac.worker.lanes.inline import InlineLane
from celeriac.worker.orders import Orders
from unit.worker.bench import ME, Bench, PlainTask, a_message, a_request, an_outgoing

NODE = "celery@test"


class Newsroom(Bench):
    """A bench whose child has monitors."""

    def __init__(self, *tasks: PlainTask, task_events: bool = True) -> None:
        super().__init__(*tasks)
        self.book.write(Orders(queues=("q",), task_events=task_events))
        self.notices: list[Notice] = []
        self.store.broadcast.listen("celeryev", ["#"], self.notices.append)
        self.numbers = 0
        self.courier = Courier(
            lambda: self.store.broadcast, VirtualRuntime(), exchange="celeryev", serializer="json", hostname=NODE
        )
        self.emission = Emission(self.courier, Here(NODE, 7, self.runtime.time, self._next, lambda: -1.0))
        self.working = Child(
            store=self.store,
            lessee=ME,
            book=self.book,
            lane=InlineLane(runtime=self.runtime, slot=self.slot),
            reader=self.reader,
            appetite=Appetite(),
            terms=self.terms,
            runtime=self.runtime,
            emission=self.emission,
        )

    def _next(self) -> int:
        self.numbers += 1
        return self.numbers

    def events(self) -> list[Event]:
        self.emission.close()
        read = [wire.read(notice, codecs.content_types(["json"])) for notice in self.notices]
        return [event for events in read if isinstance(events, list) for event in events]

    def told(self, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(event.get(name) for name in ("type", "uuid", *names)) for event in self.events()]


def run(function: Callable[..., Any], **attributes: Any) -> Newsroom:
    room = Newsroom(PlainTask(function, **attributes))
    room.send(a_message("a", args=(1,), argsrepr="(1,)", kwargsrepr="{}", root_id="r", parent_id="p"))
    room.working.step()
    return room


def test_a_run_is_told_from_its_arrival_to_its_end() -> None:
    room = run(lambda x: {"done": x})

    received, started, succeeded = room.events()
    assert received == {
        "type": "task-received", "hostname": NODE, "utcoffset": -1.0, "pid": 7, "clock": 1, "timestamp": room.runtime.time(),
        "uuid": "a", "name": "shop.charge", "args": "(1,)", "kwargs": "{}", "root_id": "r", "parent_id": "p", "retries": 0,
        "eta": None, "expires": None,
    }  # fmt: skip
    assert (started["type"], started["uuid"]) == ("task-started", "a")
    assert (succeeded["type"], succeeded["result"], succeeded["runtime"]) == ("task-succeeded", "{'done': 1}", 0.0)
    assert succeeded["clock"] > started["clock"]


def test_a_failure_is_told_with_its_traceback() -> None:
    def fail(x: int) -> None:
        raise ValueError(x)

    room = run(fail)

    *_, failed = room.events()
    assert (failed["type"], failed["exception"]) == ("task-failed", "ValueError(1)")
    assert "raise ValueError(x)" in failed["traceback"]


def test_a_message_that_a_task_rejects_is_told() -> None:
    def reject(x: int) -> None:
        raise Reject("no", requeue=False)

    assert run(reject).told("requeue")[-1] == ("task-rejected", "a", False)


def test_a_task_that_wants_nothing_stored_has_no_end_for_monitors() -> None:
    def ignore(x: int) -> None:
        raise Ignore

    assert [type for type, _ in run(ignore).told()] == ["task-received", "task-started"]


def test_what_was_revoked_or_is_too_late_is_told_and_was_never_received() -> None:
    room = Newsroom(PlainTask(lambda: None))
    room.store.revoke(["a"])
    room.send(a_message("a"), a_message("b", expires=room.runtime.now() - timedelta(seconds=1)))

    for _ in range(2):
        room.working.step()

    assert room.told("terminated", "signum", "expired") == [
        ("task-revoked", "a", False, None, False),
        ("task-revoked", "b", False, None, True),
    ]


def test_a_message_of_an_unknown_task_is_told_as_a_failure() -> None:
    room = Newsroom()
    room.send(a_message("a"))

    room.working.step()

    [(type, uuid, exception)] = room.told("exception")
    assert (type, uuid) == ("task-failed", "a")
    assert "NotRegistered" in exception


def test_what_cannot_be_read_has_nothing_to_tell_and_harms_nothing() -> None:
    room = Newsroom(PlainTask(lambda: None))
    parcel = Parcel(body=b"?", content_type="application/json", content_encoding="utf-8", headers={"task": "shop.charge"})
    room.store.publish([an_outgoing(a_message("b"))])
    room.working._refuse(Delivery(tag=99, queue="q", parcel=parcel, raw=b"?"), Rejected("malformed", "nonsense"), None)

    room.working.step()

    assert {uuid for _, uuid in room.told()} == {"b"}


def test_a_task_may_say_that_monitors_are_not_to_know_of_it() -> None:
    assert run(lambda x: x, send_events=False).told() == []


def test_nothing_is_told_unless_the_orders_say_so_and_they_may_change() -> None:
    room = Newsroom(PlainTask(lambda: None), task_events=False)

    for id, task_events in (("a", False), ("b", True), ("c", False)):
        room.book.write(Orders(queues=("q",), task_events=task_events))
        room.send(a_message(id))
        room.working.step()

    assert {uuid for _, uuid in room.told()} == {"b"}


def test_a_shadow_and_a_secret_are_shown_as_the_caller_wants() -> None:
    room = Newsroom(PlainTask(lambda secret: None))
    room.send(a_message("a", args=("hunter2",), argsrepr="(***,)", kwargsrepr="{}", shadow="shop.shown"))

    room.working.step()

    assert room.told("name", "args")[0] == ("task-received", "a", "shop.shown", "(***,)")


def test_a_result_is_told_in_so_many_characters_as_its_task_has_it() -> None:
    room = run(lambda x: "y" * 5000, resultrepr_maxsize=100)

    *_, succeeded = room.events()
    assert len(succeeded["result"]) <= 110


def test_the_supervisor_tells_what_became_of_tasks_whose_process_died() -> None:
    room = Newsroom()

    room.emission.failed(a_request(a_message("a")), TimeLimitExceeded(3.0))
    room.emission.terminated(a_request(a_message("b")), 15)
    room.emission.goes_back(a_request(a_message("c")), True)
    room.emission.goes_back(a_request(a_message("d")), False)

    assert room.told("exception", "terminated", "signum", "requeue") == [
        ("task-failed", "a", "TimeLimitExceeded(3.0)", None, None, None),
        ("task-revoked", "b", None, True, 15, None),
        ("task-cancelled", "c", None, None, None, None),
        ("task-rejected", "d", None, None, None, True),
    ]
