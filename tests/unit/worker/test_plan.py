"""What a node will be: options first, then settings, then defaults."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from celeriac import Celery
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.memory import MemoryLimit
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


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        (WorkerOptions(pool="prefork", processes=3), (3, 1, 3)),
        (WorkerOptions(pool="threads", processes=3, concurrency=10), (3, 10, 30)),
        (WorkerOptions(pool="asyncio", concurrency=10), (1, 10, 10)),
        (WorkerOptions(pool="gevent", concurrency=10), (1, 10, 10)),
        (WorkerOptions(pool="prefork", autoscale=(10, 3)), (3, 1, 3)),
        (WorkerOptions(pool="prefork", autoscale=(10, 0)), (1, 1, 1)),
        (WorkerOptions(pool="prefork", autoscale=(10, 3), processes=5), (5, 1, 5)),
    ],
    ids=str,
)
def test_processes_and_tasks_at_a_time_are_told_apart(options: WorkerOptions, shape: tuple[int, int, int]) -> None:
    made = plan(options)

    assert (made.children, made.slots_per_child, made.concurrency) == shape


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (WorkerOptions(pool="shop:Nothing"), "there is no such class"),
        (WorkerOptions(pool="threads", autoscale=(8, 2)), "--autoscale is for prefork"),
        (WorkerOptions(pool="prefork", autoscale=(2, 8)), "at most comes first"),
        (WorkerOptions(pool="prefork", autoscale=(8, 2), processes=9), "is not within"),
        (WorkerOptions(pool="prefork", processes=0), "at least one"),
        (WorkerOptions(pool="solo", processes=2), "-P solo has no process but its own"),
        (WorkerOptions(pool="solo", autoscale=(2, 1)), "-P solo has no process but its own"),
        (WorkerOptions(pool="prefork", concurrency=2, processes=3), "contradicts -c 2"),
        (WorkerOptions(pool="gevent", start_method="fork"), "only spawn"),
    ],
    ids=str,
)
def test_what_cannot_be_honoured_is_refused_by_name(options: WorkerOptions, why: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=why):
        plan(options)


@pytest.mark.parametrize(("said", "made"), [("fork", "fork"), ("forkserver", "fork"), ("spawn", "spawn")])
def test_how_children_begin_may_be_said(said: str, made: str) -> None:
    assert plan(worker_pool_start_method=said).start_method == made
    assert plan(WorkerOptions(start_method=said), worker_pool_start_method="fork").start_method == made


def test_children_that_are_patched_begin_in_fresh_interpreters() -> None:
    assert plan(WorkerOptions(pool="gevent")).start_method == "spawn"


def test_a_fresh_interpreter_has_longer_to_be_ready_unless_it_was_said() -> None:
    spawned = WorkerOptions(start_method="spawn")

    patience = [plan().alive_s, plan(spawned).alive_s, plan(spawned, worker_proc_alive_timeout=7).alive_s]

    assert patience == [4.0, 60.0, 7.0]


@pytest.mark.parametrize(
    ("option", "setting", "limit"),
    [
        (None, None, None),
        (None, 1000, MemoryLimit(1000)),
        (None, "+1000", MemoryLimit(1000, grown=True)),
        ("+7", 1000, MemoryLimit(7, grown=True)),
    ],
)
def test_memory_is_bounded_as_a_whole_or_in_its_growth(option: Any, setting: Any, limit: MemoryLimit | None) -> None:
    made = plan(WorkerOptions(max_memory_per_child=option), worker_max_memory_per_child=setting)

    assert made.max_memory == limit


@pytest.mark.parametrize(
    "options", [WorkerOptions(disable_prefetch=True), WorkerOptions(disable_prefetch=True, prefetch_multiplier=9)]
)
def test_without_prefetching_one_message_is_taken_for_each_slot(options: WorkerOptions) -> None:
    assert plan(options).prefetch_cap == plan(worker_disable_prefetch=True).prefetch_cap == 1


def test_a_node_may_serve_a_queue_of_its_own() -> None:
    made = plan(WorkerOptions(hostname="a@b", queues=("x",)), worker_direct=True)

    assert list(made.queues) == ["x", "a@b.dq2"]
