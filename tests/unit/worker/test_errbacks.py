"""``link`` and ``link_error``: who hears of a run's end, through a real child on the memory store."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from celeriac import Celery
from celeriac.abc import Lessee
from celeriac.app import errbacks, signals
from celeriac.app.context import Context
from celeriac.core.message import Delivery, Message, Outgoing
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker import assembly
from celeriac.worker.child import Child
from celeriac.worker.instance import Worker
from celeriac.worker.lanes import Lane
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node
from celeriac.worker.reading import Reader
from celeriac.worker.recovery import Death, Ending, bury
from celeriac.worker.slots import Slots

_names = itertools.count()
NODE = "node"


_lanes: list[Lane] = []


@pytest.fixture
def app() -> Iterator[Celery]:
    url = f"memory://unit-errbacks-{next(_names)}"
    yield Celery("unit", broker=url, backend=url, runtime=VirtualRuntime(seed=7), set_as_current=False)
    while _lanes:
        _lanes.pop().close()


class Desk:
    """A child that serves ``app`` in the thread of the test, and what it has yet to do."""

    def __init__(self, app: Celery, *queues: str) -> None:
        self.app, self.queues = app, list(queues or ["celery"])
        options = WorkerOptions(hostname="w@here", pool="solo", queues=self.queues)
        self.plan = plan_node(app, options)
        app.store.keep(NODE, name=self.plan.hostname, info={}, queues=self.queues)
        lane = assembly.make_lane(self.plan, app.runtime, Slots(1)[0])
        _lanes.append(lane)
        self.child: Child = assembly.make_child(Worker(app, options), self.plan, Lessee(NODE, "0.1"), lane, store=app.store)

    def work(self) -> None:
        """Run until nothing waits."""
        while self.child.step():
            pass

    def take(self) -> Sequence[Delivery]:
        """Lease what waits, and do not run it."""
        return self.app.store.fetch(self.queues, lessee=Lessee(NODE, "0.2"), limit=100, wait_s=0).deliveries

    def read(self, delivery: Delivery) -> Message:
        message = Reader(self.app.tasks, accept=self.app.accept_content, hostname="w@here").message(delivery)
        assert isinstance(message, Message)
        return message


def fail(app: Celery, **options: Any) -> Any:
    @app.task(name="fail", **options)
    def fail(*args: Any) -> None:
        raise ValueError("the reason")

    return fail


def test_an_errback_with_three_arguments_is_called_where_the_task_ran(app: Celery) -> None:
    heard: list[Any] = []

    @app.task
    def told(request: Any, exc: Exception, traceback: str) -> None:
        heard.append((request.id, request.task, request.args, exc, "the reason" in traceback))

    result = fail(app).apply_async((1,), link_error=told.s())
    Desk(app).work()

    [(id, task, args, exc, shown)] = heard
    assert (id, task, [*args], shown) == (result.id, "fail", [1], True)
    assert isinstance(exc, ValueError)
    assert result.state == "FAILURE"


def test_an_errback_with_one_argument_is_sent_with_the_id_of_the_failed_task(app: Celery) -> None:
    heard: list[Any] = []

    @app.task(bind=True)
    def told(self: Any, failed: str) -> None:
        heard.append((failed, self.request.parent_id, self.request.root_id))

    result = fail(app).apply_async(link_error=told.s())
    desk = Desk(app)
    desk.work()

    assert heard == [(result.id, result.id, result.id)]


def test_several_errbacks_hear_each_in_its_way(app: Celery) -> None:
    heard: list[Any] = []
    called = app.task(name="called")(lambda request, exc, traceback: heard.append("called"))
    sent = app.task(name="sent")(lambda failed: heard.append("sent"))
    held = app.task(name="held")(lambda *args: heard.append(args[-1]))

    fail(app).apply_async(link_error=[called.s(), sent.s(), held.si("held")])
    Desk(app).work()

    assert heard == ["called", "held", "sent"]


def test_arguments_that_a_signature_holds_already_are_not_counted(app: Celery) -> None:
    heard: list[Any] = []

    @app.task
    def told(failed: str, tenant: str) -> None:
        heard.append((failed, tenant))

    result = fail(app).apply_async(link_error=told.s(tenant="acme"))
    Desk(app).work()

    assert heard == [(result.id, "acme")]


def test_an_errback_bound_to_its_task_is_sent(app: Celery) -> None:
    assert not errbacks.is_called(app.task(bind=True, name="bound")(lambda self, a, b, c: None).s(), app.tasks)
    assert not errbacks.is_called({"task": "unknown"}, app.tasks)
    assert errbacks.is_called(app.task(name="free")(lambda a, b, c: None).s(), app.tasks)


def test_an_errback_that_is_not_known_here_is_sent(app: Celery) -> None:
    result = fail(app).apply_async(link_error={"task": "elsewhere", "options": {"queue": "other"}})
    Desk(app).work()

    [delivery] = Desk(app, "other").take()
    message = Desk(app).read(delivery)
    assert (message.task, [*message.args]) == ("elsewhere", [result.id])


@pytest.mark.parametrize("error", [RuntimeError("worse"), SystemExit(3)])
def test_an_errback_that_fails_is_logged_and_harms_nothing(
    app: Celery, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    heard: list[str] = []

    @app.task
    def bad(request: Any, exc: Any, traceback: Any) -> None:
        raise error

    @app.task
    async def as_bad(request: Any, exc: Any, traceback: Any) -> None:
        raise error

    @app.task
    def good(request: Any, exc: Any, traceback: Any) -> None:
        heard.append("good")

    result = fail(app).apply_async(link_error=[bad.s(), as_bad.s(), good.s()])
    Desk(app).work()

    assert (heard, result.state) == (["good"], "FAILURE")
    assert isinstance(result.result, ValueError)
    assert sum("errback" in record.getMessage() and record.exc_info is not None for record in caplog.records) == 2


def test_an_errback_may_be_a_coroutine(app: Celery) -> None:
    heard: list[str] = []

    @app.task
    async def told(request: Any, exc: Any, traceback: Any) -> None:
        heard.append(str(exc))

    fail(app).apply_async(link_error=told.s())
    Desk(app).work()

    assert heard == ["the reason"]


@pytest.mark.parametrize("how", [{"args": ({1},)}, {"serializer": "no-such"}, {"queue": "no-such"}])
def test_a_retry_that_cannot_be_sent_fails_the_task_by_its_own_name_and_is_told_to_errbacks(
    app: Celery, how: dict[str, Any]
) -> None:
    app.conf.update(task_create_missing_queues=False, task_queues={"celery": {}})
    heard: list[str] = []

    @app.task
    def called(request: Any, exc: Exception, traceback: str) -> None:
        heard.append(f"called {type(exc).__name__}")

    @app.task(bind=True)
    def sent(self: Any, failed: str) -> None:
        heard.append("sent")

    @app.task(bind=True)
    def work(self: Any, x: int) -> None:
        raise self.retry(countdown=0, **how)

    result = work.apply_async((1,), link_error=[called.s(), sent.s()])
    desk = Desk(app)
    desk.work()
    desk.work()

    name = "ImproperlyConfigured" if "queue" in how else "EncodeError"
    assert (result.state, type(result.result).__name__) == ("FAILURE", name)
    assert sorted(heard) == [f"called {name}", "sent"]


def test_a_result_that_cannot_be_written_is_told_to_errbacks_too(app: Celery) -> None:
    heard: list[Any] = []

    @app.task
    def odd() -> object:
        return object()

    @app.task
    def told(request: Any, exc: Any, traceback: Any) -> None:
        heard.append((request.task, type(exc).__name__))

    odd.apply_async(link_error=told.s())
    Desk(app).work()

    assert heard == [(odd.name, "EncodeError")]


def test_a_failure_that_only_the_node_saw_is_told_by_way_of_a_message(app: Celery) -> None:
    heard: list[Any] = []

    @app.task
    def told(request: Any, exc: Any, traceback: Any) -> None:
        heard.append((request.id, request.headers, [*request.args], request.called_directly, type(exc).__name__, traceback))

    app.conf.task_routes = {told.name: {"queue": "errors"}}
    result = fail(app).apply_async((1,), headers={"tenant": "acme"}, link_error=told.s())
    desk = Desk(app)
    [delivery] = desk.take()

    terms = assembly.terms_of(app, desk.plan)
    reader = Reader(app.tasks, accept=app.accept_content, hostname="w@here")
    settlement = bury(
        delivery,
        started=True,
        death=Death("signal SIGKILL"),
        ending=Ending(hard_s=5),
        reader=reader,
        max_deliveries=5,
        now=app.runtime.now(),
        terms=terms,
    )
    app.store.settle([settlement], lessee=Lessee(NODE, "0.2"))
    before = list(heard)
    Desk(app, "errors").work()

    assert before == []
    assert heard == [(result.id, {"tenant": "acme"}, [1], False, "TimeLimitExceeded", None)]


def test_callbacks_hear_the_value_and_where_they_come_from(app: Celery) -> None:
    heard: list[Any] = []

    @app.task
    def make() -> int:
        return 5

    @app.task(bind=True)
    def told(self: Any, *args: Any) -> None:
        heard.append((args, self.request.parent_id, self.request.root_id))

    result = make.apply_async(link=[told.s(1), told.si(2)], root_id="root")
    Desk(app).work()

    assert heard == [((5, 1), result.id, "root"), ((2,), result.id, "root")]


def test_a_callback_goes_where_its_own_options_say_and_may_be_unknown_here(app: Celery) -> None:
    make = app.task(name="make")(lambda: 5)

    make.apply_async(link={"task": "elsewhere", "options": {"queue": "other", "priority": 3, "shadow": "shown"}})
    Desk(app).work()

    desk = Desk(app, "other")
    [message] = map(desk.read, desk.take())
    assert (message.task, [*message.args], message.priority, message.shadow) == ("elsewhere", [5], 3, "shown")


def test_a_task_sees_what_travelled_beside_its_message(app: Celery) -> None:
    seen: list[Any] = []

    @app.task(bind=True)
    def work(self: Any) -> None:
        request = self.request
        seen.append((request.lang, request.compression, request.properties["periodic_task_name"], request.origin))
        seen.append((request.delivery_info["routing_key"], request.delivery_info["priority"], request.hostname))

    further: dict[str, Any] = {"periodic_task_name": "nightly"}  # no option: a property of the message
    work.apply_async(compression="gzip", origin="me", priority=3, **further)
    Desk(app).work()

    assert seen == [("py", "application/x-gzip", "nightly", "me"), ("celery", 3, "w@here")]


def test_a_task_may_take_its_callbacks_back(app: Celery) -> None:
    heard: list[int] = []
    told = app.task(name="told")(heard.append)

    @app.task(bind=True)
    def make(self: Any) -> int:
        self.request.callbacks = None
        return 5

    make.apply_async(link=told.s())
    Desk(app).work()

    assert heard == []


def test_a_retry_goes_to_the_queue_that_it_names_in_the_form_that_it_names(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> str:
        if self.request.retries == 0:
            raise self.retry(countdown=0, queue="other", serializer="msgpack")
        return "done"

    app.conf.accept_content = ["json", "msgpack"]
    result = work.delay()
    Desk(app).work()
    between = result.state
    Desk(app, "other").work()

    assert (between, result.get(timeout=1)) == ("RETRY", "done")


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"task": None},
        {"task": ["told"]},
        {"task": "called", "args": 5},
        {"task": "called", "kwargs": [1]},
        {"task": "x", "args": 1},
    ],
)
def test_an_errback_that_no_program_wrote_harms_nothing(app: Celery, odd: dict[str, Any]) -> None:
    heard: list[str] = []
    told = app.task(name="told")(heard.append)
    app.task(name="called")(lambda request, exc, traceback: heard.append("called"))
    fail(app)
    message = Message(id="a", task="fail", errbacks=[odd, dict(told.s())])
    app.store.publish([app.producer.again(message, queue="celery")])

    Desk(app).work()

    assert heard == ["a"]
    assert app.AsyncResult("a").state == "FAILURE"


def test_what_a_run_sends_is_announced_as_every_message_is(app: Celery) -> None:
    heard: list[tuple[str, str]] = []

    def mark(sender: str, headers: dict[str, Any], **told: Any) -> None:
        heard.append(("before", sender))
        headers["traced"] = "yes"

    def see(sender: str, headers: dict[str, Any], **told: Any) -> None:
        heard.append(("after", sender))

    @app.task(bind=True, name="work")
    def work(self: Any) -> str:
        if self.request.retries == 0:
            raise self.retry(countdown=0)
        return str(self.request.traced)

    after = app.task(name="after")(lambda value: value)
    signals.before_task_publish.connect(mark)
    signals.after_task_publish.connect(see)
    try:
        result = work.apply_async(link=after.s())
        Desk(app).work()
    finally:
        signals.before_task_publish.disconnect(mark)
        signals.after_task_publish.disconnect(see)

    assert heard == [(when, task) for task in ("work", "work", "after") for when in ("before", "after")]
    assert result.get(timeout=1) == "yes"


def test_an_errback_that_cannot_be_sent_is_logged_and_the_others_are(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    told = app.task(name="told")(heard.append)

    result = fail(app).apply_async(link_error=[{"task": "unheard_of", "options": {"countdown": "soon"}}, told.s()])
    Desk(app).work()

    assert (heard, result.state) == ([result.id], "FAILURE")
    assert any("cannot be sent" in record.getMessage() for record in caplog.records)


def test_the_message_that_asks_for_the_call_leaves_out_arguments_that_it_cannot_write(app: Celery) -> None:
    told = app.task(name="told")(lambda request, exc, traceback: None)
    request = Context(Message(id="a", task="t", args=(object(),)))
    [outgoing] = errbacks.told(app, told.s(), request, ValueError("x"), None).messages

    assert isinstance(outgoing, Outgoing)
