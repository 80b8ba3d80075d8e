"""Publishing: deadlines, one call for many, retries to their queue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from celeriac import Celery, OperationalError, group
from celeriac.app import signals
from celeriac.app.options import options_from
from celeriac.app.outbox import Outbox
from celeriac.app.parts.assembly import make_producer
from celeriac.app.plan import Call
from celeriac.app.producer import ONE_TRY_S, Producer
from celeriac.core.errors import BrokerUnreachable, ImproperlyConfigured, StoreRefused
from celeriac.core.message import Outgoing, Parcel
from celeriac.drivers.memory.store import MemoryStore
from unit.app.serving import fetched, understood


class Noting(MemoryStore):
    """A memory store that notes how it was asked to publish."""

    asked: list[tuple[int, float]]

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = 0) -> None:
        self.asked.append((len(messages), deadline_s))


@pytest.fixture
def store(app: Celery) -> Noting:
    store = Noting(runtime=app.runtime)
    store.asked = []
    return store


def a_producer(app: Celery, store: MemoryStore) -> Producer:
    return make_producer(store, app.settings.task, Outbox(lambda messages, deadline_s: None), app.runtime, app.here)


@pytest.mark.parametrize(
    ("options", "deadline_s"),
    [
        ({}, 5.0),
        ({"retry": False}, ONE_TRY_S),
        ({"retry_policy": {"max_retries": None}}, 5.0),
        ({"retry_policy": {"max_retries": 20, "interval_start": 1, "interval_step": 0}}, 20.0),
        ({"timeout": 0.5}, 0.5),
        ({"timeout": 9, "confirm_timeout": 7.5}, 7.5),
    ],
)
def test_a_publish_has_a_deadline_that_its_retry_policy_may_lengthen(
    app: Celery, store: Noting, options: dict[str, Any], deadline_s: float
) -> None:
    a_producer(app, store).submit(Call(app.recipe_of("a"), options=options_from(options)))

    assert store.asked == [(1, deadline_s)]


def test_without_retries_in_the_settings_a_publish_is_tried_once(app: Celery, store: Noting) -> None:
    app.conf.task_publish_retry = False

    a_producer(app, store).submit(Call(app.recipe_of("a")))

    assert store.asked == [(1, ONE_TRY_S)]


def test_a_retry_policy_with_a_misspelt_key_is_refused(app: Celery, store: Noting) -> None:
    with pytest.raises(ImproperlyConfigured, match="did you mean 'max_retries'"):
        a_producer(app, store).submit(Call(app.recipe_of("a"), options=options_from({"retry_policy": {"max_retry": 1}})))


def test_ten_thousand_calls_are_one_publish(app: Celery, store: Noting) -> None:
    calls = [Call(app.recipe_of("a"), (number,)) for number in range(10_000)]

    messages = a_producer(app, store).submit_group(calls, "group-id")

    assert store.asked == [(10_000, 5.0)]
    assert len({message.id for message in messages}) == 10_000


def test_a_publish_that_failed_is_the_callers_to_see(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_args: object, **_named: object) -> None:
        raise BrokerUnreachable("no answer")

    monkeypatch.setattr(app.store, "publish", unreachable)

    with pytest.raises(OperationalError, match="no answer"):
        app.send_task("a")
    with pytest.raises(OperationalError, match="no answer"):
        group(app.signature("a") for _ in range(3)).apply_async()


def test_routes_that_are_functions_are_asked_each_time(app: Celery, store: Noting) -> None:
    asked: list[Any] = []

    def route(name: str, args: Any, kwargs: Any, options: Any, task: object = None) -> dict[str, str]:
        asked.append(tuple(args))
        return {"queue": f"q{args[0]}"}

    app.conf.task_routes = (route,)
    producer = a_producer(app, store)
    for number in (1, 2, 2):
        producer.submit(Call(app.recipe_of("a"), (number,)))

    assert asked == [(1,), (2,), (2,)]


class Flaky(MemoryStore):
    """A memory store that refuses the first publishes."""

    refusals = 2
    calls = 0

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = 0) -> None:
        self.calls += 1
        if self.calls <= self.refusals:
            raise StoreRefused("full")
        super().publish(messages, deadline_s=deadline_s)


def test_what_the_policy_names_is_tried_again_as_often_as_it_says(app: Celery) -> None:
    store = Flaky(runtime=app.runtime)
    options = options_from({"retry_policy": {"retry_errors": (StoreRefused,), "max_retries": 2, "interval_start": 0.5}})

    began = app.runtime.monotonic()
    a_producer(app, store).submit(Call(app.recipe_of("a"), options=options))

    assert (store.calls, store.depth(["celery"])) == (3, [1])
    assert app.runtime.monotonic() - began == pytest.approx(0.5 + 0.7)


def test_retries_of_a_publish_end_with_its_deadline(app: Celery) -> None:
    store = Flaky(runtime=app.runtime)
    store.refusals = 1000
    policy = {"retry_errors": StoreRefused, "max_retries": None, "interval_start": 1, "interval_step": 0}

    began = app.runtime.monotonic()
    with pytest.raises(StoreRefused):
        a_producer(app, store).submit(Call(app.recipe_of("a"), options=options_from({"retry_policy": policy, "timeout": 3})))

    assert (store.calls, app.runtime.monotonic() - began) == (3, 2)


def test_classes_to_retry_after_must_be_exceptions(app: Celery, store: Noting) -> None:
    with pytest.raises(ImproperlyConfigured, match="retry_errors"):
        a_producer(app, store).submit(Call(app.recipe_of("a"), options=options_from({"retry_policy": {"retry_errors": "no"}})))


@pytest.fixture
def listened() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Note what the signals of publishing tell."""
    heard: list[tuple[str, dict[str, Any]]] = []
    before = signals.before_task_publish.connect(lambda **told: heard.append(("before", told)), weak=False)
    after = signals.after_task_publish.connect(lambda **told: heard.append(("after", told)), weak=False)
    yield heard
    signals.before_task_publish.disconnect(before)
    signals.after_task_publish.disconnect(after)


def test_signals_tell_of_a_message_before_and_after_it_is_sent(app: Celery, listened: list[Any]) -> None:
    app.send_task("work", (1,), {"x": 2}, headers={"tenant": "acme"}, retry_policy={"max_retries": 7})

    (first, before), (second, after) = listened
    assert (first, second, before["sender"], before["routing_key"], before["exchange"]) == (
        "before",
        "after",
        "work",
        "celery",
        "",
    )
    assert (list(before["body"][0]), before["body"][1], before["body"][2]["callbacks"]) == ([1], {"x": 2}, None)
    assert (before["headers"]["tenant"], before["declare"], before["retry_policy"]["max_retries"]) == ("acme", [], 7)
    assert after["headers"]["id"] == before["headers"]["id"]


def test_receivers_may_change_what_travels_and_how_often_it_is_tried(app: Celery) -> None:
    def change(body: Any, headers: Any, properties: Any, retry_policy: Any, **told: Any) -> None:
        body[1]["x"] = 3
        headers["traced"] = "yes"
        properties["mine"] = 1
        retry_policy.update(max_retries=20, interval_start=1, interval_step=0)

    store = Noting(runtime=app.runtime)
    store.asked = []
    kwargs = {"x": 2}
    signals.before_task_publish.connect(change, sender="work")
    try:
        a_producer(app, store).submit(Call(app.recipe_of("work"), (), kwargs))
        app.send_task("work", kwargs=kwargs)
    finally:
        signals.before_task_publish.disconnect(change, sender="work")

    [delivery] = fetched(app)
    message = understood(app, delivery)
    assert isinstance(delivery.parcel, Parcel)
    assert (message.kwargs, message.headers["traced"], delivery.parcel.properties["mine"]) == ({"x": 3}, "yes", 1)
    assert (store.asked, kwargs) == ([(1, 20.0)], {"x": 2})


def test_a_receiver_that_fails_does_not_keep_the_message(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    def fail(**told: Any) -> None:
        raise RuntimeError("no")

    signals.before_task_publish.connect(fail, sender="work")
    try:
        app.send_task("work")
    finally:
        signals.before_task_publish.disconnect(fail, sender="work")

    assert len(fetched(app)) == 1
    assert "before_task_publish failed" in caplog.text


def test_the_old_form_of_the_signal_is_sent_to_who_listens(app: Celery) -> None:
    heard: list[Any] = []

    def hear(task_id: str, task: str, args: Any, kwargs: Any, eta: Any, taskset: Any, **told: Any) -> None:
        heard.append((task, list(args), kwargs, eta, taskset))

    signals.task_sent.connect(hear, sender="work")
    try:
        app.send_task("work", (1,), group_id="g")
    finally:
        signals.task_sent.disconnect(hear, sender="work")

    assert heard == [("work", [1], {}, None, "g")]


def test_coroutines_are_heard_of_as_well(app: Celery, listened: list[Any]) -> None:
    work = app.task(name="work")(lambda: None)

    asyncio.run(work.aapply_async(timeout=2))

    assert [each[0] for each in listened] == ["before", "after"]
    assert len(fetched(app)) == 1


def test_a_coroutine_may_send_over_another_connection(app: Celery) -> None:
    other = Celery("other", broker="memory://unit-other-async", set_as_current=False)
    work = app.task(name="work")(lambda: None)

    with other.connection_for_write() as connection:
        asyncio.run(work.aapply_async(connection=connection))

    assert (len(fetched(app)), len(fetched(other))) == (0, 1)
