"""Workflows that keep parts of themselves elsewhere, on a real child and a memory store: each task is sent once, and all end."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from celeriac import Celery, chain, chord, group
from celeriac.abc import Lessee
from celeriac.app.flows.stored import ABANDON
from celeriac.core.message import Outgoing
from celeriac.core.settlement import Requeue, Settled, Settlement
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker import assembly
from celeriac.worker.child import Child
from celeriac.worker.instance import Worker
from celeriac.worker.leases import DeadChild, Leases
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node
from celeriac.worker.recovery import Death, bury
from celeriac.worker.slots import Slots

NODE = "node"
KILLED = Death("signal SIGKILL")
_names = itertools.count()


class Killed(BaseException):
    """The process is gone."""


class WatchedStore(MemoryStore):
    """Notes what is sent, and may kill who is told that his part was the last of a chord."""

    def __init__(self, *, runtime: VirtualRuntime) -> None:
        super().__init__(runtime=runtime)
        self.sent: Counter[str] = Counter()
        self.kills_with: set[str] = set()
        """Ids of members whose part, when it is the last, costs its process its life."""

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = 5.0) -> None:
        self.sent.update(one.id for one in messages)
        super().publish(messages, deadline_s=deadline_s)

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        answers = super().settle(settlements, lessee=lessee)
        for settlement, answer in zip(settlements, answers, strict=True):
            self.sent.update(one.id for one in settlement.followups)
            last = answer is Settled.JOINED and settlement.join is not None
            if last and self.kills_with & {part.id for part in settlement.join.parts}:  # type: ignore[union-attr]
                raise Killed
        return answers


class Shop(Celery):
    """An app on such a store."""

    def open_store(self) -> MemoryStore:
        return WatchedStore(runtime=self.runtime)  # type: ignore[arg-type]

    @property
    def watched(self) -> WatchedStore:
        store = self.store
        assert isinstance(store, WatchedStore)
        return store


@pytest.fixture
def app() -> Iterator[Shop]:
    url = f"memory://unit-kept-{next(_names)}"
    app = Shop("kept", broker=url, backend=url, runtime=VirtualRuntime(7), set_as_current=False, task_workflow_embed_limit=0)

    @app.task(name="add")
    def add(x: Any = 0, y: int = 0) -> int:
        return (sum(x) if isinstance(x, list) else x) + y

    @app.task(name="broken")
    def broken(*_args: Any) -> None:
        raise ValueError("it broke")

    yield app
    app.close()


class Desk:
    """A child and the node that buries it, in the thread of the test."""

    def __init__(self, app: Shop) -> None:
        self.app, self.me = app, Lessee(NODE, "0.1")
        options = WorkerOptions(hostname="w@here", pool="solo", queues=["celery"])
        plan = plan_node(app, options)
        app.store.keep(NODE, name=plan.hostname, info={}, queues=["celery"])
        lane = assembly.make_lane(plan, app.runtime, Slots(1)[0])
        self.child: Child = assembly.make_child(Worker(app, options), plan, self.me, lane, store=app.store)
        self.reader, self.terms = assembly.reader_of(app, plan), assembly.terms_of(app, plan)
        self.leases = Leases(
            app.store,
            node=NODE,
            name="w@here",
            queues=["celery"],
            reader=self.reader,
            terms=self.terms,
            runtime=app.runtime,
        )

    def work(self) -> None:
        """Run until nothing waits."""
        while self.child.step():
            pass


def add(app: Celery, number: int = 1, **options: Any) -> Any:
    return app.signature("add", (number,), **options)


def several(app: Celery, count: int = 6) -> list[Any]:
    return [add(app) for _ in range(count)]


def states(app: Celery, *ids: str) -> list[str]:
    return [app.AsyncResult(id).state for id in ids]


def test_a_kept_body_that_is_a_member_reports_to_the_chord_around_it(app: Shop) -> None:
    # The body is small until it has its place in a header: so a worker keeps it, and not the caller.
    app.conf.task_workflow_embed_limit = 200
    inner = chord([chord([add(app), add(app)], add(app), app=app), *several(app)], add(app, task_id="kept"), app=app)
    member = chord([add(app), add(app)], inner, app=app)
    chord([member, add(app)], add(app, task_id="end"), app=app).apply_async()

    Desk(app).work()

    assert states(app, "kept", "end") == ["SUCCESS", "SUCCESS"]
    assert app.AsyncResult("end").get() == app.AsyncResult("kept").get() + 1 + 1


def test_a_step_that_fails_before_a_kept_end_of_several_members_ends_its_chord(app: Shop) -> None:
    ends = group([add(app, task_id=f"end-{place}") for place in range(3)], app=app)
    member: Any = chain(app.signature("broken", ()), *several(app), ends, app=app)
    chord([member, add(app)], add(app, task_id="body"), app=app).apply_async()

    Desk(app).work()

    assert states(app, "end-0", "end-1", "end-2", "body") == ["FAILURE"] * 4
    assert app.AsyncResult("body").result.__class__.__name__ == "ChordError"


def test_what_ends_because_a_chord_has_failed_is_told_so_once(app: Shop) -> None:
    ends = group([add(app), add(app)], app=app)
    body: Any = chain(*several(app), ends, app=app)
    member = chord([app.signature("broken", ()), add(app)], body, app=app)
    chord([member, add(app)], add(app, task_id="end"), app=app).apply_async()

    Desk(app).work()

    assert states(app, "end") == ["FAILURE"]
    assert set(app.watched.sent.values()) == {1}


def test_the_errbacks_of_a_kept_body_are_those_of_what_would_have_been_called(app: Shop) -> None:
    heard: list[tuple[str, str]] = []

    @app.task(name="hear")
    def hear(failed: str, *, who: str) -> None:
        heard.append((failed, who))

    members = [add(app, task_id=f"member-{place}", link_error=hear.s(who="member")) for place in range(6)]
    ends = [add(app, task_id=f"end-{place}", link_error=hear.s(who=f"errback-{place}")) for place in range(2)]
    body = chord(members, group(ends, app=app), app=app)

    chord([app.signature("broken", ()), *several(app)], body, app=app).apply_async()
    Desk(app).work()

    assert sorted(heard) == [("end-0", "errback-0"), ("end-1", "errback-1")]


def test_the_body_of_a_chord_without_members_is_sent_itself_however_large_it_is(app: Shop) -> None:
    app.conf.task_workflow_embed_limit = 2048
    rest = [add(app, task_id=f"step-{place}") for place in range(7)]
    body: Any = chain(group(several(app, 35), app=app), *rest, app=app)

    chord([], body, app=app).apply_async()
    Desk(app).work()

    assert states(app, "step-6") == ["SUCCESS"]
    assert set(app.watched.sent.values()) == {1}


def test_who_calls_a_body_for_the_dead_finds_its_chord_in_what_was_kept(app: Shop) -> None:
    app.conf.task_workflow_embed_limit = 475
    rest: Any = chain(app.signature("broken", ()), *several(app), add(app, task_id="kept"), app=app)
    member = chord([add(app), add(app)], rest, app=app)
    chord([member, add(app)], add(app, task_id="end"), app=app).apply_async()
    app.watched.kills_with = {"kept"}
    desk = Desk(app)

    with pytest.raises(Killed):
        desk.work()
    app.watched.kills_with = set()
    desk.leases.child_died(DeadChild(desk.me, started=2**62, running=(), death=KILLED))
    desk.leases.bury_children()

    assert any(id.endswith("-abandoned") for id in app.watched.sent)
    assert states(app, "kept", "end") == ["FAILURE", "FAILURE"]
    assert app.store.dead_letters() == []


def test_what_ends_a_kept_part_is_done_again_when_its_process_has_died(app: Shop) -> None:
    app.conf.update(task_acks_late=False, task_reject_on_worker_lost=False, task_acks_on_failure_or_timeout=False)
    chain(app.signature("broken", ()), *several(app, 12), app=app).apply_async()
    desk = Desk(app)
    desk.child.step()
    [delivery] = app.store.fetch(["celery"], lessee=desk.me, limit=1, wait_s=0).deliveries

    settlement = bury(
        delivery,
        started=True,
        death=KILLED,
        reader=desk.reader,
        max_deliveries=5,
        now=app.runtime.now(),
        terms=desk.terms,
    )

    assert delivery.parcel.headers["task"] == ABANDON  # type: ignore[union-attr]
    assert isinstance(settlement.fate, Requeue)
