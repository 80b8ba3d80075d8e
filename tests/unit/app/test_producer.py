"""Publishing: deadlines, one call for many, retries to their queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from celeriac import Celery, OperationalError, group
from celeriac.app.assembly import make_producer
from celeriac.app.options import options_from
from celeriac.app.outbox import Outbox
from celeriac.app.plan import Call
from celeriac.app.producer import ONE_TRY_S, Producer
from celeriac.core.errors import BrokerUnreachable, ImproperlyConfigured
from celeriac.core.message import Outgoing
from celeriac.drivers.memory.store import MemoryStore


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


def a_producer(app: Celery, store: Noting) -> Producer:
    return make_producer(store, app.settings.task, Outbox(lambda messages, deadline_s: None), app.runtime, app.timezone)


@pytest.mark.parametrize(
    ("options", "deadline_s"),
    [
        ({}, 5.0),
        ({"retry": False}, ONE_TRY_S),
        ({"retry_policy": {"max_retries": None}}, 5.0),
        ({"retry_policy": {"max_retries": 20, "interval_start": 1, "interval_step": 0}}, 20.0),
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
