"""One look at a fleet: what the store knows, what nodes say, what events have told."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from celeriac import Celery
from celeriac.cli.screens.picture import Picture, take
from celeriac.cli.screens.top import rows_of
from celeriac.core.errors import BrokerUnreachable
from celeriac.events.state import State
from celeriac.events.workers import Worker
from unit.events.telling import received, told

_names = itertools.count()


class Present(Worker):
    """A node that is looked at in the second 10."""

    nowfun = staticmethod(lambda: 10.0)


class Quiet:
    """Remote control of a fleet that says of itself what a test wants."""

    def __init__(self, answers: Any) -> None:
        self._answers = answers

    def inspect(self, timeout: float) -> Quiet:
        return self

    def active(self, safe: bool) -> Any:
        return self._answers


@pytest.fixture
def app() -> Celery:
    return Celery("pictures", broker=f"memory://pictures-{next(_names)}", set_as_current=False)


def a_state() -> State:
    state = State()
    state.Worker = Present
    return state


def look(app: Celery, answers: Any = None, state: State | None = None) -> Picture:
    vars(app)["control"] = Quiet(answers)
    return take(app, state or a_state())


def test_queues_are_shown_with_what_waits_whether_they_are_paused_and_who_serves_them(app: Celery) -> None:
    app.store.keep(
        "n1-1", name="celery@n1", info={"queues": ["celery", "mail"], "pool": "prefork", "concurrency": 2}, queues=["q"]
    )
    app.send_task("shop.add", queue="mail")
    app.send_task("shop.add", queue="mail", countdown=60)
    app.store.pause(queues=["mail", "old"], tasks=["shop.mul"])

    picture = look(app)

    assert [(queue.name, queue.waiting, queue.paused, queue.nodes) for queue in picture.queues] == [
        ("celery", 0, False, 1),
        ("mail", 1, True, 1),
        ("old", 0, True, 0),
    ]
    assert (picture.scheduled, picture.paused_tasks, picture.trouble) == (1, ("shop.mul",), None)
    [node] = picture.nodes
    assert (node.name, node.pool, node.concurrency, node.queues) == ("celery@n1", "prefork", 2, ("celery", "mail"))
    assert [each.cells for each in rows_of(picture)["queues"]][-1] == ("tasks shop.mul", "", "", "paused")


def test_what_runs_is_what_the_nodes_say(app: Celery) -> None:
    run = {"id": "a", "name": "shop.add", "args": "(1,)", "kwargs": "{}", "time_start": 5.0, "worker_pid": 17}

    picture = look(app, {"celery@n1": [run, "nonsense"], "celery@n2": {"error": "?"}})

    [running] = picture.running
    assert (running.id, running.name, running.node, running.since, running.args, running.pid) == (
        "a", "shop.add", "celery@n1", 5.0, "(1,) {}", 17,
    )  # fmt: skip


def test_of_nodes_that_do_not_answer_events_tell_what_runs_and_that_they_live(app: Celery) -> None:
    state = a_state()
    state.event(told("worker-heartbeat", None, at=9, freq=2.0, active=1, processed=8, loadavg=[1, 2, 3], hostname="celery@far"))
    for id, node in (("a", "celery@far"), ("b", "celery@near")):
        state.event(received(id, at=9, hostname=node))
        state.event(told("task-started", id, at=9, hostname=node))

    picture = look(app, {"celery@near": []}, state)

    assert [(run.id, run.node, run.since) for run in picture.running] == [("a", "celery@far", 9)]
    [far] = [node for node in picture.nodes if node.name == "celery@far"]
    assert (far.active, far.processed, far.load) == (1, 8, (1.0, 2.0, 3.0))


def test_a_store_that_does_not_answer_makes_a_picture_of_that(app: Celery) -> None:
    class Away:
        def nodes(self) -> Any:
            raise BrokerUnreachable("the store is away")

    class Elsewhere:
        store, runtime = Away(), app.runtime

    picture = take(Elsewhere(), a_state())  # type: ignore[arg-type]

    assert (picture.trouble, picture.queues, picture.nodes) == ("the store is away", (), ())
