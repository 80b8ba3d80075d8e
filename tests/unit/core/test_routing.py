"""Where a call goes: the caller's word, then task_routes, then the default queue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.routing import Route, Router
from celeriac.core.topology import Exchange, Queue

TOPIC = Queue("feeds", Exchange("feeds", "topic"), "feed.#")


def test_without_routes_everything_goes_to_the_default_queue() -> None:
    assert Router().route("shop.add") == Route("celery", "", "celery")
    assert Router(default_queue="mine").route("shop.add").queue == "mine"


@pytest.mark.parametrize(
    "routes",
    [
        {"shop.add": {"queue": "math"}},
        {"shop.add": "math"},
        {"shop.*": "math"},
        {re.compile(r"(shop|bank)\.add"): {"queue": "math"}},
        [{"other": "x"}, {"shop.add": "math"}],
        ({"shop.add": "math"},),
        [("shop.a*", {"queue": "math"}), ("shop.*", {"queue": "late"})],
        ([("shop.a*", {"queue": "math"})],),
        lambda name, args, kwargs, options, task=None: "math" if name == "shop.add" else None,
        [lambda *call, **task: None, {"shop.add": {"queue": "math"}}],
        {"shop.*": "late", "shop.add": "math"},
    ],
)
def test_every_form_of_task_routes_finds_the_queue(routes: object) -> None:
    router = Router(routes)

    assert router.route("shop.add").queue == "math"
    assert router.route("bakery.bake").queue == "celery"


def test_a_router_object_of_the_old_kind_is_asked() -> None:
    class Old:
        def route_for_task(self, task: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> str:
            return f"{task}-{len(args)}"

    assert Router(Old()).route("shop.add", (1, 2)).queue == "shop.add-2"


def test_a_function_is_asked_each_time_and_told_everything() -> None:
    calls: list[object] = []

    def ask(name: str, args: object, kwargs: object, options: object, task: object = None) -> str:
        calls.append((name, args, kwargs, options, task))
        return "q"

    router = Router(ask)
    for n in range(2):
        router.route("t", (n,), {"k": 1}, {"countdown": 3}, task="the task")

    assert calls == [("t", (n,), {"k": 1}, {"countdown": 3}, "the task") for n in range(2)]


def test_the_caller_wins_over_the_routes() -> None:
    router = Router({"shop.add": {"queue": "math", "priority": 3, "serializer": "yaml"}})

    route = router.route("shop.add", options={"queue": "mine", "priority": None})

    assert route == Route("mine", "", "mine", 3, {"serializer": "yaml"})


def test_an_exchange_and_a_key_that_the_caller_names_need_no_queue() -> None:
    route = Router().route("shop.add", options={"exchange": "media", "routing_key": "media.video"})

    assert route == Route("", "media", "media.video")


def test_a_topic_queue_is_reached_through_its_exchange() -> None:
    router = Router({"feed.*": {"queue": "feeds", "routing_key": "feed.import"}}, queues=[TOPIC])

    assert router.route("feed.load") == Route("feeds", "feeds", "feed.import")
    assert router.route("other", options={"queue": "feeds"}) == Route("feeds", "feeds", "feed.#")


def test_queues_may_be_a_dict_as_in_celerys_settings() -> None:
    router = Router(queues={"feeds": {"exchange": "feeds", "exchange_type": "topic", "binding_key": "feed.#"}})

    assert router.queues["feeds"] == TOPIC


def test_a_queue_object_may_be_named_by_the_caller() -> None:
    assert Router().route("t", options={"queue": TOPIC}) == Route("feeds", "feeds", "feed.#")


def test_an_unknown_queue_is_refused_where_queues_must_be_configured() -> None:
    router = Router(queues=["celery", "videos"], create_missing=False)

    with pytest.raises(ImproperlyConfigured, match="did you mean 'videos'"):
        router.route("t", options={"queue": "video"})


@pytest.mark.parametrize("routes", [5, [5], "my.module.router"])
def test_what_is_no_route_is_refused(routes: object) -> None:
    with pytest.raises(ImproperlyConfigured, match="task_routes"):
        Router(routes)


def test_what_is_no_queue_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="task_queues"):
        Router(queues=[5])


def test_a_regular_expression_that_meets_no_name_leaves_the_default() -> None:
    assert Router({re.compile("x"): "q"}).route("shop.add").queue == "celery"


def test_the_queues_that_tables_name_are_known_before_anything_is_sent() -> None:
    router = Router([{"a": {"queue": "x"}, "b*": "y", "c": {"priority": 3}}, lambda *_args, **_kwargs: {"queue": "unknowable"}])

    assert sorted(router.targets()) == ["celery", "x", "y"]


def test_a_table_that_names_a_queue_that_must_not_be_made_up_is_no_target() -> None:
    router = Router({"a": "x", "b": "y"}, queues=["x", "celery"], create_missing=False)

    assert router.targets() == ["x"]
