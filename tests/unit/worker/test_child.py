"""One child, step by step: what becomes of every kind of message."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from celeriac.abc import Fetched, Lessee
from celeriac.app.task import Task
from celeriac.core import codecs
from celeriac.core.errors import BrokerUnreachable, LeaseExpired
from celeriac.core.message import Delivery, Message
from celeriac.core.rules import Rules
from celeriac.core.settlement import Settled, Settlement, StoredResult
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.reading import Reader
from celeriac.worker.request import Request
from unit.worker.bench import ME, Bench, PlainTask, a_message, hungry

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "celeriac")


class Recorder:
    """A task that notes its arguments."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, value: Any = None) -> Any:
        self.seen.append(value)
        return value


class Unreliable(MemoryStore):
    """Does not answer the calls named in ``silent``."""

    def __init__(self, *, runtime: VirtualRuntime) -> None:
        super().__init__(runtime=runtime)
        self.silent: set[str] = set()
        self.flushes: list[int] = []

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        self._speak("fetch")
        return super().fetch(queues, lessee=lessee, limit=limit, wait_s=wait_s)

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        self._speak("settle")
        self.flushes.append(len(settlements))
        return super().settle(settlements, lessee=lessee)

    def rules(self) -> Rules:
        self._speak("rules")
        return super().rules()

    def store_results(self, results: Sequence[StoredResult]) -> None:
        self._speak("store_results")
        super().store_results(results)

    def _speak(self, name: str) -> None:
        if name in self.silent:
            raise BrokerUnreachable("it does not answer")


def an_unreliable_bench(*tasks: PlainTask) -> tuple[Bench, Unreliable]:
    bench = Bench(*tasks)
    store = Unreliable(runtime=bench.runtime)
    bench.store = store
    bench.keep()
    return bench, store


def test_a_step_runs_a_task_and_stores_what_it_returned() -> None:
    bench = Bench(PlainTask(lambda x, y: x + y))
    bench.send(a_message("a", args=(2,), kwargs={"y": 3}))

    came = bench.child().step()

    assert came == 1
    assert (bench.meta("a").status, bench.meta("a").result) == ("SUCCESS", 5)
    assert bench.take() == []


def test_before_it_has_seen_a_run_it_takes_one_message() -> None:
    bench = Bench(PlainTask(lambda: None))
    bench.send(a_message("a"), a_message("b"))

    came = bench.child().step()

    assert (came, bench.waiting()) == (1, 1)


def test_before_a_task_that_may_kill_its_process_everything_that_has_ended_is_settled() -> None:
    # Of no name that is new here, and of no message that comes again, it is known that the process survives it.
    bench, store = an_unreliable_bench(PlainTask(lambda: None), PlainTask(lambda: None, "shop.new"))
    bench.send(a_message("1"), a_message("2"), a_message("3", "shop.new"), a_message("4", "shop.new"), a_message("5"))
    bench.send(a_message("6", redelivered=True), a_message("7"))

    bench.child(appetite=hungry()).step()

    assert store.flushes == [2, 3, 2]


def test_a_batch_of_short_runs_is_run_in_order_and_settled_at_once() -> None:
    record = Recorder()
    bench, store = an_unreliable_bench(PlainTask(record))
    bench.send(*(a_message(str(number), args=(number,)) for number in range(20)))

    came = bench.child(appetite=hungry()).step()

    assert came == 20
    assert record.seen == list(range(20))
    assert store.flushes == [20]


def test_what_ended_before_a_long_run_is_settled_when_that_ends() -> None:
    bench, store = an_unreliable_bench(PlainTask(lambda seconds: bench.runtime.advance(seconds)))
    bench.send(*(a_message(str(number), args=(seconds,)) for number, seconds in enumerate((0.001, 0.05, 0.001))))

    bench.child(appetite=hungry()).step()

    assert store.flushes == [2, 1]


def test_a_run_that_takes_long_gives_back_what_waits_behind_it() -> None:
    bench = Bench(PlainTask(lambda value: tend() if value == "long" else value))
    bench.send(a_message("a", args=("short",)), a_message("b", args=("long",)), a_message("c"), a_message("d"))
    child = bench.child(appetite=hungry())
    seen: list[Any] = []

    def tend() -> None:
        assert child.begun_at is not None
        assert child.has_loose_ends
        child.give_back()
        child.flush()
        seen.extend((bench.states("a", "b"), bench.waiting()))

    child.step()

    assert seen == [["SUCCESS", "PENDING"], 2]
    assert bench.states("b", "c", "d") == ["SUCCESS", "PENDING", "PENDING"]
    assert [delivery.parcel.headers["id"] for delivery in bench.take()] == ["c", "d"]  # type: ignore[union-attr]


def test_a_task_that_raises_ends_as_failure() -> None:
    bench = Bench(PlainTask(lambda: 1 / 0))
    bench.send(a_message("a"))

    bench.child().step()

    assert bench.meta("a").status == "FAILURE"
    assert isinstance(bench.meta("a").result, ZeroDivisionError)
    assert bench.reasons() == []


def test_a_revoked_task_never_starts() -> None:
    record = Recorder()
    bench = Bench(PlainTask(record))
    bench.send(a_message("a"), a_message("b"))
    bench.store.revoke(["a"])

    bench.child(appetite=hungry()).step()

    assert bench.states("a", "b") == ["REVOKED", "SUCCESS"]
    assert len(record.seen) == 1


def test_an_expired_task_never_starts() -> None:
    record = Recorder()
    bench = Bench(PlainTask(record))
    bench.send(a_message("a", expires=bench.later(10)))
    bench.runtime.advance(11)

    bench.child().step()

    assert bench.states("a") == ["REVOKED"]
    assert record.seen == []


def test_a_date_in_the_headers_alone_puts_a_message_into_the_schedule() -> None:
    bench = Bench(PlainTask(lambda: None))
    bench.send(a_message("a", eta=bench.later(10)))
    child = bench.child()

    child.step()

    assert (bench.states("a"), bench.store.scheduled(), bench.waiting()) == (["PENDING"], 1, 0)
    bench.runtime.advance(11)
    bench.keep()
    child.step()
    assert bench.states("a") == ["SUCCESS"]


def test_an_unknown_task_becomes_a_dead_letter_and_a_failure() -> None:
    bench = Bench()
    bench.send(a_message("a", task="nobody.knows"))

    bench.child().step()

    assert bench.reasons() == ["unknown-task"]
    assert bench.states("a") == ["FAILURE"]


def test_arguments_that_do_not_fit_make_a_dead_letter_and_a_failure() -> None:
    bench = Bench(PlainTask(lambda x: x))
    bench.send(a_message("a", args=(1, 2, 3)))

    bench.child().step()

    assert bench.reasons() == ["arguments"]
    assert isinstance(bench.meta("a").result, TypeError)


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"{", b"[]", b'{"body": 1}', b"[" * 10_000, b"null"])
def test_garbage_becomes_a_dead_letter_and_the_next_task_runs(raw: bytes) -> None:
    bench = Bench(PlainTask(lambda: None))
    bench.store.inject("q", raw)
    bench.send(a_message("a"))

    bench.child(appetite=hungry()).step()

    assert len(bench.reasons()) == 1
    assert bench.store.dead_letters()[0].raw == raw
    assert bench.states("a") == ["SUCCESS"]


def test_a_tracked_task_is_said_to_have_started_before_it_runs() -> None:
    bench = Bench(PlainTask(lambda: bench.meta("a").status, track_started=True))
    bench.send(a_message("a"))

    bench.child().step()

    assert bench.meta("a").result == "STARTED"


def test_a_child_takes_no_more_than_the_tasks_it_may_still_run_and_then_ends() -> None:
    record = Recorder()
    bench = Bench(PlainTask(record))
    bench.send(*(a_message(str(number), args=(number,)) for number in range(10)))

    bench.child(appetite=hungry(), max_tasks=3).work()

    assert record.seen == [0, 1, 2]
    assert bench.waiting() == 7


def test_a_child_that_is_told_to_stop_gives_back_what_has_not_begun() -> None:
    bench = Bench(PlainTask(lambda stop: child.stop() if stop else None))
    bench.send(a_message("a", args=(False,)), a_message("b", args=(True,)), a_message("c", args=(False,)))
    child = bench.child(appetite=hungry())

    child.work()

    assert bench.states("a", "b", "c") == ["SUCCESS", "SUCCESS", "PENDING"]
    assert bench.waiting() == 1


def test_a_settlement_that_the_store_did_not_take_is_made_with_the_next_step() -> None:
    bench, store = an_unreliable_bench(PlainTask(lambda: None))
    bench.send(a_message("a"))
    child = bench.child()
    store.silent = {"settle"}

    with pytest.raises(BrokerUnreachable):
        child.step()

    store.silent = set()
    child.step()
    assert bench.states("a") == ["SUCCESS"]


def test_what_was_fetched_goes_back_when_the_rules_cannot_be_read() -> None:
    bench, store = an_unreliable_bench(PlainTask(lambda: None))
    bench.send(a_message("a"), a_message("b"))
    store.revoke(["c"])
    child = bench.child(appetite=hungry())
    store.silent = {"rules"}

    with pytest.raises(BrokerUnreachable):
        child.step()

    store.silent = set()
    child.step()
    assert bench.states("a", "b") == ["SUCCESS", "SUCCESS"]


def test_what_was_revoked_while_the_rules_could_not_be_read_never_starts() -> None:
    bench, store = an_unreliable_bench(PlainTask(lambda: None))
    bench.send(a_message("a"))
    store.revoke(["b"])
    child = bench.child()
    store.silent = {"rules"}
    with pytest.raises(BrokerUnreachable):
        child.step()

    store.revoke(["a"])
    store.silent = set()
    child.step()

    assert bench.states("a") == ["REVOKED"]


def test_a_batch_goes_back_in_order_when_started_cannot_be_stored() -> None:
    record = Recorder()
    bench, store = an_unreliable_bench(PlainTask(record, track_started=True))
    bench.send(*(a_message(str(number), args=(number,)) for number in range(3)))
    child = bench.child(appetite=hungry())
    store.silent = {"store_results"}

    with pytest.raises(BrokerUnreachable):
        child.step()

    store.silent = set()
    child.step()
    assert record.seen == [0, 1, 2]
    assert bench.states("0", "1", "2") == ["SUCCESS"] * 3


def test_a_child_whose_node_is_taken_for_dead_may_not_fetch() -> None:
    bench = Bench(PlainTask(lambda: None))
    bench.send(a_message("a"))
    bench.runtime.advance(31)

    with pytest.raises(LeaseExpired):
        bench.child().step()

    assert bench.waiting() == 1


def test_a_result_that_comes_after_the_lease_was_lost_is_refused() -> None:
    heir = Lessee(ME.node, "heir")
    bench = Bench(PlainTask(lambda: bench.store.adopt(ME, by=heir)))
    bench.send(a_message("a"))

    bench.child().step()

    assert bench.states("a") == ["PENDING"]
    [held] = bench.store.adopt(ME, by=heir)
    assert held.parcel.headers["id"] == "a"  # type: ignore[union-attr]


def test_a_mistake_of_ours_costs_neither_the_worker_nor_the_message() -> None:
    class Mistaken(Reader):
        def request(self, delivery: Delivery, message: Message, task: Task[..., Any]) -> Request:
            raise RuntimeError("our mistake")

    task = PlainTask(lambda: None)
    bench = Bench(task)
    bench.reader = Mistaken({task.name: task}, accept=codecs.content_types(["json"]), hostname="celery@test")
    bench.send(a_message("a", chain=[{"task": "next", "args": [], "kwargs": {}, "options": {"task_id": "b"}}]))

    bench.child().step()

    assert bench.reasons() == ["internal"]
    assert bench.states("a", "b") == ["FAILURE", "FAILURE"]


def test_a_child_goes_on_when_the_store_answers_again() -> None:
    bench, store = an_unreliable_bench(PlainTask(lambda: child.stop()))
    sleeps: list[float] = []

    class Impatient(VirtualRuntime):
        def sleep(self, seconds: float) -> None:
            sleeps.append(seconds)
            if len(sleeps) == 3:
                store.silent = set()

    bench.send(a_message("a"))
    store.silent = {"fetch"}
    child = bench.child(runtime=Impatient())

    child.work()

    assert sleeps == [0.1, 0.2, 0.5]
    assert bench.states("a") == ["SUCCESS"]
