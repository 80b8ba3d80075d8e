"""Each of these settings reaches the part that it is for; the others are tested where that part is."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery
from celeriac.app.parts.assembly import driver_options, result_url
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.states import SUCCESS
from celeriac.core.taskmeta import TaskMeta
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node
from unit.app.serving import waiting


@pytest.mark.parametrize(
    ("setting", "attribute", "value"),
    [
        ("task_acks_late", "acks_late", True),
        ("task_acks_on_failure_or_timeout", "acks_on_failure_or_timeout", False),
        ("task_acks_on_failure", "acks_on_failure", False),
        ("task_acks_on_timeout", "acks_on_timeout", False),
        ("task_reject_on_worker_lost", "reject_on_worker_lost", False),
        ("task_retry_on_worker_lost", "retry_on_worker_lost", True),
        ("task_store_errors_even_if_ignored", "store_errors_even_if_ignored", True),
        ("task_store_eager_result", "store_eager_result", True),
        ("task_ignore_result", "ignore_result", True),
        ("task_track_started", "track_started", True),
        ("task_time_limit", "time_limit", 9),
        ("task_soft_time_limit", "soft_time_limit", 8),
        ("task_serializer", "serializer", "yaml"),
        ("task_compression", "compression", "gzip"),
        ("task_default_priority", "priority", 6),
    ],
)
def test_a_task_that_says_nothing_has_what_the_settings_say(app: Celery, setting: str, attribute: str, value: Any) -> None:
    @app.task(name="shop.said", **{attribute: getattr(app.task(name="shop.any")(lambda: None), attribute)})
    def said() -> None:
        return None

    @app.task(name="shop.silent")
    def silent() -> None:
        return None

    before = getattr(silent, attribute)
    app.conf[setting] = value

    assert before != value
    assert (getattr(silent, attribute), app.conf[setting]) == (value, value)
    if before is not None:
        assert getattr(said, attribute) == before


def test_messages_have_the_default_priority(app: Celery) -> None:
    app.conf.task_default_priority = 6

    app.send_task("shop.anything")

    assert [message.priority for message in waiting(app)] == [6]


def test_results_are_compressed(app: Celery) -> None:
    app.conf.result_compression = "gzip"

    app.results.keep(TaskMeta(task_id="id-1", status=SUCCESS, result="x" * 10_000))

    [body] = app.results.backend.load(["id-1"])
    assert body is not None
    assert len(body) < 1_000
    assert app.AsyncResult("id-1").get(timeout=1) == "x" * 10_000


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [
        ({"task_max_deliveries": 2}, "max_deliveries", 2),
        ({"worker_concurrency": 3}, "concurrency", 3),
        ({"worker_pool": "threads"}, "pool", "threads"),
        ({"worker_max_tasks_per_child": 7}, "max_tasks_per_child", 7),
        ({"worker_prefetch_multiplier": 2}, "prefetch_cap", 2),
        ({"broker_transport_options": {"visibility_timeout": 60}}, "lease_s", 60.0),
        ({"broker_connection_retry": False}, "retry_on_startup", False),
        ({"broker_connection_retry": False, "broker_connection_retry_on_startup": True}, "retry_on_startup", True),
        ({"broker_connection_max_retries": 4}, "max_retries", 4),
        ({"broker_connection_max_retries": 0}, "max_retries", None),
        ({"task_queues": {"mail": {}, "bulk": {}}, "task_default_queue": "bulk"}, "queues", ["mail", "bulk"]),
        ({"task_default_queue": "mail"}, "queues", ["mail"]),
    ],
)
def test_a_node_is_planned_as_the_settings_say(app: Celery, settings: dict[str, Any], field: str, value: Any) -> None:
    app.conf.update(settings)

    plan = plan_node(app, WorkerOptions())

    found = getattr(plan, field)
    assert (list(found) if field == "queues" else found) == value


def test_connections_are_opened_as_the_settings_say(app: Celery) -> None:
    app.conf.update(
        broker_connection_timeout=2.5,
        redis_username="me",
        redis_socket_connect_timeout=1.5,
        redis_client_name="shop",
        result_backend="redis",
        redis_port=6380,
    )

    options = driver_options(app.settings)

    assert options.broker["socket_connect_timeout"] == 2.5
    assert options.results == {"username": "me", "socket_connect_timeout": 1.5, "client_name": "shop"}
    assert result_url(app.settings) == "redis://localhost:6380/0"


def route_by_name(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """A router of a program."""
    return {"queue": f"by-{name}"}


class Routes:
    """A router of Celery's older kind."""

    def route_for_task(self, task: str, args: Any = None, kwargs: Any = None) -> str:
        return f"old-{task}"


@pytest.mark.parametrize(
    ("named", "queue"), [("route_by_name", "by-a"), ("Routes", "old-a"), (["route_by_name", {"a": "late"}], "by-a")]
)
def test_a_router_may_be_named_by_its_dotted_name(app: Celery, named: Any, queue: str) -> None:
    app.conf.task_routes = f"{__name__}:{named}" if isinstance(named, str) else [f"{__name__}.{named[0]}", *named[1:]]

    app.send_task("a")

    assert len(waiting(app, queue)) == 1


def test_a_router_that_cannot_be_imported_is_named(app: Celery) -> None:
    app.conf.task_routes = "no_such_module.router"

    with pytest.raises(ImproperlyConfigured, match="what task_routes names, 'no_such_module': No module named"):
        app.send_task("a")
