"""What a monitor knows after it has heard some events."""

from __future__ import annotations

import pickle
import random
import threading
from itertools import permutations

import pytest

from celeriac.events.state import State
from celeriac.events.types import Event
from celeriac.events.workers import Worker, heartbeat_expires
from unit.events.telling import NODE, received, told


class Frozen(Worker):
    """A node that is looked at in the second 100."""

    nowfun = staticmethod(lambda: 100.0)


def a_state(*events: Event, **options: int) -> State:
    state = State(**options)  # type: ignore[arg-type]
    state.Worker = Frozen
    for event in events:
        state.event(event)
    return state


def test_a_task_goes_from_sent_to_its_end() -> None:
    state = a_state(
        told("task-sent", hostname="gen1@here", at=1, name="shop.add", queue="q"),
        received(at=2),
        told("task-started", at=3),
        told("task-succeeded", at=4, result="3", runtime=0.5),
    )

    task = state.tasks["a"]
    assert (task.state, task.name, task.result, task.runtime, task.timestamp) == ("SUCCESS", "shop.add", "3", 0.5, 4)
    assert (task.sent, task.received, task.started, task.succeeded) == (1, 2, 3, 4)
    assert (task.client, task.worker.hostname, task.ready) == ("gen1@here", NODE, True)  # type: ignore[union-attr]
    assert (state.event_count, state.task_count) == (4, 1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_events_that_come_in_another_order_come_to_the_same(order: tuple[int, ...]) -> None:
    events = [received(at=1), told("task-started", at=2), told("task-failed", at=3, exception="Oops()", traceback="…")]

    state = a_state(*(events[place] for place in order))

    task = state.tasks["a"]
    assert (task.state, task.name, task.args, task.exception, task.timestamp) == ("FAILURE", "shop.add", "(1,)", "Oops()", 3)


def test_after_a_retry_a_task_begins_anew() -> None:
    state = a_state(received(at=1), told("task-retried", at=2, exception="Oops()", traceback=None), received(at=3, retries=1))

    assert (state.tasks["a"].state, state.tasks["a"].retries) == ("RECEIVED", 1)


def test_an_event_of_a_programs_own_is_a_state_of_its_own() -> None:
    state = a_state(received(at=1), told("task-halfway", at=2, percent=50))

    assert state.tasks["a"].state == "HALFWAY"
    assert vars(state.tasks["a"])["percent"] == 50


def test_an_event_cannot_replace_what_monitors_themselves_know() -> None:
    state = a_state(received(at=1, children=1, cluster_state=2, worker="x", client=3, root=4, parent=5, state="SUCCESS"))

    task = state.tasks["a"]
    assert (task.state, task.worker.hostname, task.client, task.root) == ("RECEIVED", NODE, None, None)  # type: ignore[union-attr]
    assert set(task.children) == set()


def test_the_latest_tasks_come_first_by_the_clocks_of_those_who_told() -> None:
    state = a_state(received("b", at=5, clock=20), received("a", at=9, clock=10), received("c", at=1, clock=30))

    assert [id for id, _ in state.tasks_by_time()] == ["c", "b", "a"]
    assert [id for id, _ in state.tasks_by_timestamp(limit=1, reverse=False)] == ["a"]


def test_tasks_are_found_by_name_and_by_node() -> None:
    state = a_state(
        received("a", "shop.add", at=1), received("b", "shop.mul", at=2), received("c", "shop.add", at=3, hostname="n2")
    )

    assert {task.uuid for task in state.tasks_by_type["shop.add"]} == {"a", "c"}
    assert [id for id, _ in state.tasks_by_type("shop.add")] == ["c", "a"]
    assert [id for id, _ in state.tasks_by_worker(NODE, limit=1)] == ["b"]
    assert {task.uuid for task in state.tasks_by_worker["n2"]} == {"c"}
    assert state.task_types() == ["shop.add", "shop.mul"]


def test_a_task_that_goes_on_at_another_node_is_found_there_alone() -> None:
    state = a_state(received("a", at=1), told("task-retried", "a", at=2), received("a", at=3, hostname="n2"))

    assert NODE not in state.tasks_by_worker
    assert {task.uuid for task in state.tasks_by_worker["n2"]} == {"a"}


def test_the_tree_of_a_workflow_is_known_in_whatever_order_it_is_told() -> None:
    state = a_state(
        received("b", at=2, parent_id="a", root_id="a"), received("a", at=1, root_id="a"), received("c", at=3, parent_id="a")
    )

    a, b = state.tasks["a"], state.tasks["b"]
    assert {child.uuid for child in a.children} == {"b", "c"}
    assert (b.parent, b.root, a.parent) == (a, a, None)


def test_a_state_is_bounded_whatever_is_heard() -> None:
    state = State(max_tasks_in_memory=100, max_workers_in_memory=10)
    chance = random.Random(1)

    for number in range(5000):
        node = f"n{number % 50}"
        state.event(received(f"id{number}", f"name{number}", at=number + 1, hostname=node, parent_id=f"nobody{number}"))
        state.event(told(chance.choice(["task-started", "task-failed"]), f"id{number}", at=number + 2, hostname=node))

    assert (len(state.tasks), len(state.workers)) == (100, 10)
    assert len(state._taskheap) <= 400
    assert max(map(len, (state.tasks_by_type, state.tasks_by_worker, state._orphans, state.task_types()))) <= 100
    assert [id for id, _ in state.tasks_by_time(limit=2)] == ["id4999", "id4998"]


def test_a_node_is_alive_for_twice_the_time_between_two_signs_of_life() -> None:
    state = a_state(
        told("worker-heartbeat", None, at=97, freq=2.0, active=1, processed=5, hostname="young"),
        told("worker-heartbeat", None, at=95, freq=2.0, hostname="old"),
    )

    assert [worker.hostname for worker in state.alive_workers()] == ["young"]
    young, old = state.workers["young"], state.workers["old"]
    assert (young.status_string, old.status_string, young.active, young.processed) == ("ONLINE", "OFFLINE", 1, 5)
    assert heartbeat_expires(10, 2) == 14


def test_nodes_that_come_and_go_are_told() -> None:
    came: list[str | None] = []
    went: list[str | None] = []
    state = State(on_node_join=lambda node: came.append(node.hostname), on_node_leave=lambda node: went.append(node.hostname))

    for type in ("worker-online", "worker-heartbeat", "worker-offline", "worker-offline"):
        state.event(told(type, None, freq=2.0))

    assert (came, went, list(state.workers)) == ([NODE], [NODE, NODE], [])


@pytest.mark.parametrize(
    "event",
    [
        {"type": "worker-heartbeat"},
        {"type": "task-received"},
        {"type": "task-received", "uuid": "a"},
        {"type": "task-"},
        {"type": "", "hostname": "x"},
        {"type": "worker-heartbeat", "hostname": "x", "freq": "often", "loadavg": {}, "heartbeats": 7},
        {"type": "task-started", "uuid": "a", "hostname": "x", "timestamp": None, "clock": None},
    ],
)
def test_an_event_without_its_fields_harms_nothing(event: Event) -> None:
    state = a_state(dict(event), received("b", at=3))

    assert [id for id, _ in state.tasks_by_time(limit=1)] == ["b"]
    assert all(isinstance(worker.alive, bool) for worker in state.workers.values())


def test_groups_of_a_programs_own_have_handlers_of_their_own() -> None:
    heard: list[tuple[str, Event]] = []
    state = State()
    state.handlers["shop"] = lambda subject, event: heard.append((subject, event))
    event = told("shop-order-paid", None)

    state.event(event)

    assert heard == [("order-paid", event)]


def test_what_has_ended_is_cleared_and_what_goes_on_is_kept() -> None:
    state = a_state(received("a", at=1), received("b", at=2), told("task-succeeded", "a", at=3, result="1", runtime=0.1))

    state.freeze_while(lambda: None, clear_after=True)

    assert [id for id, _ in state.tasks_by_time()] == ["b"]
    assert ([id for id, _ in state.tasks_by_type("shop.add")], len(state.workers), state.event_count) == (["b"], 0, 0)


def test_nothing_changes_while_a_state_is_frozen() -> None:
    state = a_state(received("a", at=1))
    teller = threading.Thread(target=lambda: state.event(received("b", at=2)))

    def look() -> int:
        teller.start()
        teller.join(0.05)
        return len(state.tasks)

    seen = state.freeze_while(look)
    teller.join()
    assert (seen, len(state.tasks)) == (1, 2)


def test_a_state_survives_pickling() -> None:
    state = a_state(received("a", at=1), received("b", at=2, parent_id="a"))
    state.Worker = Worker
    for worker in state.workers.values():
        worker.__class__ = Worker

    again = pickle.loads(pickle.dumps(state))

    assert [id for id, _ in again.tasks_by_time()] == ["b", "a"]
    assert {task.uuid for task in again.tasks_by_type["shop.add"]} == {"a", "b"}
    assert again.tasks["b"].parent == again.tasks["a"]
    assert again.tasks["a"].worker == state.tasks["a"].worker


def test_a_task_tells_what_is_fit_for_a_screen() -> None:
    state = a_state(received("a", at=1))

    task = state.tasks["a"]
    assert task.info() == {"args": "(1,)", "kwargs": "{}"}
    assert task.info(["name"], extra=["state"]) == {"name": "shop.add", "state": "RECEIVED"}
    assert (task.as_dict()["uuid"], task.as_dict()["children"]) == ("a", [])
