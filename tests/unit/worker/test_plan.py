"""What a node will be: options first, then settings, then defaults."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from celeriac import Celery
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import Plan, node_name, plan_node

HOST = socket.gethostname()


def plan(options: WorkerOptions | None = None, **settings: Any) -> Plan:
    app = Celery("plan", broker="memory://", backend="memory://", set_as_current=False, **settings)
    return plan_node(app, options or WorkerOptions())


def test_by_default_there_is_one_child_for_each_core() -> None:
    made = plan()

    cores = len(os.sched_getaffinity(0))
    assert (made.pool, made.concurrency, made.children, made.slots_per_child) == ("prefork", cores, cores, 1)
    assert (made.queues, made.prefetch_cap, made.max_deliveries, made.lease_s) == (["celery"], None, 5, None)


def test_options_win_over_settings() -> None:
    made = plan(WorkerOptions(concurrency=3, pool="threads"), worker_concurrency=5, worker_pool="prefork")

    assert (made.pool, made.concurrency) == ("threads", 3)


def test_settings_win_over_defaults() -> None:
    made = plan(worker_concurrency=5, worker_pool="asyncio", worker_max_tasks_per_child=9)

    assert (made.pool, made.concurrency, made.max_tasks_per_child) == ("asyncio", 5, 9)


@pytest.mark.parametrize(
    ("pool", "children", "slots"), [("prefork", 4, 1), ("processes", 4, 1), ("threads", 1, 4), ("asyncio", 1, 4), ("solo", 1, 1)]
)
def test_a_pool_says_how_many_children_there_are_and_how_many_slots(pool: str, children: int, slots: int) -> None:
    made = plan(WorkerOptions(concurrency=4, pool=pool))

    assert (made.children, made.slots_per_child) == (children, slots)


def test_a_pool_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"-P gevnt: .*prefork"):
        plan(WorkerOptions(pool="gevnt"))


def test_a_negative_concurrency_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="-c -1"):
        plan(WorkerOptions(concurrency=-1))


def test_queues_are_served_in_the_order_given_and_once() -> None:
    made = plan(WorkerOptions(queues=["b", "a", "b", "c"], exclude_queues=["a"]))

    assert made.queues == ["b", "c"]


def test_a_node_without_queues_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="-X"):
        plan(WorkerOptions(queues=["a"], exclude_queues=["a"]))


def test_a_queue_that_may_not_be_made_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match="-Q b"):
        plan(WorkerOptions(queues=["b"]), task_create_missing_queues=False)


@pytest.mark.parametrize(
    ("given", "cap"), [({}, None), ({"worker_prefetch_multiplier": 2}, 2), ({"worker_prefetch_multiplier": 0}, None)]
)
def test_prefetch_is_a_cap_only_when_somebody_asked_for_one(given: dict[str, Any], cap: int | None) -> None:
    made = plan(**given)

    assert made.prefetch_cap == cap


def test_the_visibility_timeout_is_the_lease_of_a_silent_node() -> None:
    made = plan(broker_transport_options={"visibility_timeout": 90})

    assert made.lease_s == 90.0


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (None, f"celery@{HOST}"),
        ("w1@%h", f"w1@{HOST}"),
        ("w1", "celery@w1"),
        ("w1@%n", f"w1@{HOST.partition('.')[0]}"),
        ("w1@x.%d", f"w1@x.{HOST.partition('.')[2]}"),
        ("a%%h@x", "a%h@x"),
    ],
)
def test_the_name_of_a_node_is_expanded(given: str | None, name: str) -> None:
    assert node_name(given) == name
