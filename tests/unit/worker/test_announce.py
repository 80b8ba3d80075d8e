"""What hooks of users are told of messages and nodes, and that it costs nothing where nobody listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from celeriac import Celery, Reject, signals
from celeriac.app.dispatch import Signal
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Delivery, Rejected
from celeriac.core.outcome import Ignored, Refused, Revoked, Success
from celeriac.worker import announce
from celeriac.worker.arrival import ReceivedRequest, raw
from celeriac.worker.instance import Worker
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node
from unit.worker.bench import Bench, PlainTask, a_delivery, a_message, a_request

SENDER = object()
Heard = list[dict[str, Any]]


@pytest.fixture
def hear() -> Iterator[Callable[[Signal], Heard]]:
    """Give a function that listens to a signal until the test ends, and returns a list of what it hears."""
    listening: list[tuple[Signal, Callable[..., None]]] = []

    def listen(signal: Signal) -> Heard:
        heard: Heard = []

        def receiver(**named: Any) -> None:
            del named["signal"]
            heard.append(named)

        signal.connect(receiver)
        listening.append((signal, receiver))
        return heard

    yield listen
    for signal, receiver in listening:
        signal.disconnect(receiver)


def test_a_message_that_arrives_is_a_request_with_the_names_that_programs_know(hear: Callable[[Signal], Heard]) -> None:
    heard = hear(signals.task_received)
    message = a_message("id-1", args=(1,), kwargs={"x": 2}, root_id="root", headers={"mine": 1})

    announce.received(SENDER, a_request(message))

    [told] = heard
    request = told["request"]
    assert (told["sender"], type(request)) == (SENDER, ReceivedRequest)
    assert (request.id, request.task_id, request.name, request.task_name, request.type) == ("id-1", "id-1", *[message.task] * 3)
    assert (list(request.args), request.kwargs, request.root_id) == ([1], {"x": 2}, "root")
    assert (request.argsrepr, request.kwargsrepr) == ("(1,)", "{'x': 2}")
    assert (request.content_type, request.body, request.request_dict["id"]) == ("application/json", request.message.body, "id-1")
    assert request.info(safe=True)["kwargs"] == "{'x': 2}"
    assert (request.humaninfo(), str(request)) == (f"{message.task}[id-1]", f"{message.task}[id-1]")
    assert request.time_limits == (None, None)


def test_arguments_of_a_request_are_shown_as_the_caller_wants_them_shown() -> None:
    request = a_request(a_message("id-1", args=("secret",), argsrepr="(***)"))

    shown = ReceivedRequest(request).argsrepr

    assert shown == "(***)"


@pytest.mark.parametrize(("why", "expired"), [("expired", True), ("revoked", False)])
def test_a_task_that_is_not_to_run_is_told_as_revoked(hear: Callable[[Signal], Heard], why: str, expired: bool) -> None:
    heard = hear(signals.task_revoked)
    request = a_request()

    announce.ended(request, Revoked(why))

    facts = {"terminated": False, "signum": None, "expired": expired}
    assert heard == [{"sender": request.task, "request": request.context, **facts}]


def test_only_a_message_that_is_rejected_for_good_has_failed(hear: Callable[[Signal], Heard]) -> None:
    heard = hear(signals.task_failure)
    request = a_request()

    for outcome in (Refused("bad", requeue=True), Refused("worse", requeue=False), Success(1), Ignored()):
        announce.ended(request, outcome)

    [told] = heard
    assert (told["sender"], told["task_id"]) == (request.task, request.message.id)
    assert (type(told["exception"]), told["exception"].reason) == (Reject, "worse")
    assert "worse" in str(told["einfo"])


def test_a_message_for_nobody_is_told_as_unknown_and_not_as_rejected(hear: Callable[[Signal], Heard]) -> None:
    unknown, rejected = hear(signals.task_unknown), hear(signals.task_rejected)
    message = a_message("id-1")
    delivery = a_delivery(message)

    announce.refused(SENDER, delivery, Rejected("unknown-task", "no such task"), message)

    [told] = unknown
    assert (told["sender"], told["name"], told["id"], told["message"]) == (SENDER, message.task, "id-1", raw(delivery))
    assert message.task in str(told["exc"])
    assert rejected == []


def test_a_message_that_is_no_message_is_told_as_rejected_with_what_lay_there(hear: Callable[[Signal], Heard]) -> None:
    heard = hear(signals.task_rejected)
    delivery = Delivery(tag=1, queue="q", parcel=Rejected("malformed", "no envelope"), raw=b"\xff\xfe")

    announce.refused(SENDER, delivery, Rejected("malformed", "no envelope"), None)

    [told] = heard
    assert told["sender"] is SENDER
    assert (told["message"].body, told["message"].headers) == (b"\xff\xfe", {})
    assert "no envelope" in str(told["exc"])


def test_a_message_that_costs_too_many_processes_has_failed(hear: Callable[[Signal], Heard]) -> None:
    failed, rejected = hear(signals.task_failure), hear(signals.task_rejected)
    task, message = PlainTask(lambda: None), a_message()

    announce.refused(SENDER, a_delivery(message), Rejected("deliveries", "five times"), message, task)

    assert [(told["sender"], type(told["exception"]).__name__) for told in failed] == [(task, "WorkerLostError")]
    assert rejected == []


@pytest.mark.parametrize("signal", [signals.task_received, signals.task_revoked, signals.task_unknown, signals.task_rejected])
def test_a_receiver_that_exits_costs_a_child_nothing(signal: Signal) -> None:
    def leaves(**named: Any) -> None:
        raise SystemExit

    bench = Bench(PlainTask(lambda: None))
    bench.send(a_message("a"), a_message("b", task="unknown"))
    signal.connect(leaves)
    try:
        child = bench.child()
        came = child.step() + child.step()
    finally:
        signal.disconnect(leaves)

    assert came == 2
    assert bench.meta("a").status == "SUCCESS"


def a_worker(**options: Any) -> Worker:
    queues = {"task_queues": {"a": {}, "b": {}}, "task_default_queue": "a"}
    app = Celery("announced", broker="memory://announced", set_as_current=False, **queues)  # type: ignore[arg-type]
    return Worker(app, WorkerOptions(hostname="w@h", **options))


def test_a_node_is_told_by_its_name_with_itself_its_settings_and_its_options(hear: Callable[[Signal], Heard]) -> None:
    init, begins = hear(signals.celeryd_init), hear(signals.worker_init)
    worker = a_worker(concurrency=3)

    announce.node_is_named(worker)

    [told] = init
    assert (told["sender"], told["instance"], told["conf"]) == ("w@h", worker, worker.app.conf)
    assert (told["options"]["concurrency"], told["options"]["hostname"]) == (3, "w@h")
    assert (worker.hostname, worker.concurrency, worker.app.main) == ("w@h", 3, "announced")
    assert begins == [{"sender": worker}]


@pytest.mark.parametrize(
    ("options", "served"),
    [({}, ["a", "b", "w@h.dq"]), ({"queues": ["b"]}, ["b", "w@h.dq"]), ({"exclude_queues": ["a"]}, ["b", "w@h.dq"])],
)
def test_a_queue_can_be_added_when_a_node_is_set_up(options: dict[str, Any], served: list[str]) -> None:
    def add_direct_queue(sender: str, instance: Worker, **named: Any) -> None:
        instance.app.amqp.queues.select_add(f"{sender}.dq")

    worker = a_worker(**options)
    signals.celeryd_after_setup.connect(add_direct_queue)
    try:
        announce.node_is_set_up(worker)
    finally:
        signals.celeryd_after_setup.disconnect(add_direct_queue)

    assert sorted(plan_node(worker.app, worker.options).queues) == served


def test_a_queue_that_may_not_be_made_is_refused_before_anything_is_set_up(hear: Callable[[Signal], Heard]) -> None:
    heard = hear(signals.celeryd_after_setup)
    worker = a_worker(queues=["c"])
    worker.app.conf.task_create_missing_queues = False

    with pytest.raises(ImproperlyConfigured, match="-Q c: task_queues names no such queue"):
        announce.node_is_set_up(worker)

    assert heard == []
