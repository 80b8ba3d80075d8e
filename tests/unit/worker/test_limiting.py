"""Limited tasks on one node: what may begin, what is put aside, what comes back when."""

from __future__ import annotations

import logging

import pytest

from celeriac.worker.child import Child
from celeriac.worker.leases import Leases
from celeriac.worker.limiting import Limits, Releaser, limit_of
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.throttle import Throttle
from unit.worker.bench import Bench, PlainTask, a_message, hungry


class LimitedBench(Bench):
    """A bench whose clock goes where it is told; ``charge`` has a limit, ``greet`` has none."""

    def __init__(self, limit: str | float | None = "10/s", *, default: bool = True) -> None:
        super().__init__(PlainTask(lambda: None, rate_limit=limit), PlainTask(lambda: None, "shop.greet"))
        self.limits = Limits(Throttle(), self.runtime) if default else None

    def a_child(self) -> Child:
        child = self.child(appetite=hungry())
        child._limits = self.limits
        return child

    def a_node(self) -> Leases:
        leases = self.leases()
        leases._release = Releaser(
            self.store,
            limits=self.limits,
            limit_of=lambda task: limit_of(task, self.book.read()[1], self.reader.tasks),
            queues=lambda: self.book.read()[1].queues,
            runtime=self.runtime,
        ).release
        return leases

    def ended(self, count: int) -> int:
        return sum(state == "SUCCESS" for state in self.states(*map(str, range(count))))

    def work(self, child: Child, leases: Leases, seconds: float) -> None:
        """Let child and supervisor work side by side for so long."""
        end = self.runtime.monotonic() + seconds
        while self.runtime.monotonic() < end:
            doze_s = leases.tick()
            for _ in range(3):
                child.step()
            self.runtime.advance(min(doze_s, 0.1))


def test_the_rate_is_kept_and_the_order_too() -> None:
    bench = LimitedBench("10/s")
    bench.send(*(a_message(str(number)) for number in range(500)))

    bench.work(bench.a_child(), bench.a_node(), 10.0)

    states = bench.states(*map(str, range(500)))
    done = states.count("SUCCESS")
    assert done == pytest.approx(100, abs=5)
    assert states == ["SUCCESS"] * done + ["PENDING"] * (500 - done)


def test_what_waits_for_its_turn_is_held_by_nobody_and_counts_no_delivery() -> None:
    bench = LimitedBench("1/m")
    bench.send(*(a_message(str(number)) for number in range(100)))
    child = bench.a_child()

    while bench.waiting():
        child.step()

    assert bench.store.parked() == {"shop.charge": 99}
    assert not child.has_loose_ends
    bench.store.resume(tasks=["shop.charge"])
    assert {bench.reader.message(delivery).deliveries for delivery in bench.take()} == {0}  # type: ignore[union-attr]


def test_other_tasks_of_the_queue_go_on() -> None:
    bench = LimitedBench("1/h")
    bench.send(*(a_message(f"limited-{number}") for number in range(2000)))
    bench.send(*(a_message(str(number), task="shop.greet") for number in range(50)))
    child = bench.a_child()
    fetches = 0

    while bench.ended(50) < 50:
        child.step()
        fetches += 1

    assert fetches < 12


def test_what_was_put_aside_is_not_fetched_again_before_its_turn() -> None:
    bench = LimitedBench("1/m")
    bench.send(*(a_message(str(number)) for number in range(50)))
    child, node = bench.a_child(), bench.a_node()
    bench.work(child, node, 5.0)

    came = [(node.tick(), child.step())[1] for _ in range(100)]

    assert sum(came) == 0


def test_a_limit_that_is_raised_or_taken_away_is_felt_at_once() -> None:
    bench = LimitedBench("1/h")
    bench.send(*(a_message(str(number)) for number in range(200)))
    child, node = bench.a_child(), bench.a_node()
    bench.work(child, node, 2.0)
    before = bench.ended(200)

    bench.book.write(Orders(queues=("q",), rate_limits={"shop.charge": "50/s"}))
    bench.work(child, node, 2.0)
    raised = bench.ended(200)
    bench.book.write(Orders(queues=("q",), rate_limits={"shop.charge": None}))
    bench.work(child, node, 2.0)

    assert (before, bench.ended(200)) == (1, 200)
    assert raised == pytest.approx(101, abs=15)


def test_a_type_without_a_limit_gets_one_while_the_node_runs() -> None:
    bench = LimitedBench(None)
    bench.book.write(Orders(queues=("q",), rate_limits={"shop.greet": "5/s"}))
    bench.send(*(a_message(str(number), task="shop.greet") for number in range(100)))

    bench.work(bench.a_child(), bench.a_node(), 4.0)

    assert bench.ended(100) == pytest.approx(21, abs=2)


def test_where_limits_are_disabled_there_are_none() -> None:
    bench = LimitedBench("1/h", default=False)
    bench.send(*(a_message(str(number)) for number in range(20)))

    bench.work(bench.a_child(), bench.a_node(), 1.0)

    assert bench.ended(20) == 20


def test_a_limit_of_two_children_is_one() -> None:
    bench = LimitedBench("10/s")
    bench.send(*(a_message(str(number)) for number in range(200)))
    one, other, node = bench.a_child(), bench.a_child(), bench.a_node()

    for _ in range(100):
        node.tick()
        for child in (one, other, one, other):
            child.step()
        bench.runtime.advance(0.1)

    assert bench.ended(200) == pytest.approx(100, abs=5)


def test_nothing_is_brought_back_for_queues_that_others_serve() -> None:
    bench = LimitedBench("100/s")
    bench.send(*(a_message(str(number)) for number in range(100)))
    child = bench.a_child()
    while bench.waiting():
        child.step()
    node = bench.a_node()
    bench.book = OrderBook(Orders(queues=("elsewhere",)))
    bench.runtime.advance(1.0)

    dozes = {node.tick() for _ in range(5)}

    assert (bench.waiting(), dozes) == (0, {1.0})


def test_a_limit_that_says_nothing_is_told_once_and_is_none(caplog: pytest.LogCaptureFixture) -> None:
    bench = LimitedBench("lots")
    bench.send(*(a_message(str(number)) for number in range(20)))

    with caplog.at_level(logging.ERROR):
        bench.work(bench.a_child(), bench.a_node(), 1.0)

    assert bench.ended(20) == 20
    assert caplog.text.count("'lots' is no rate limit") == 1


def test_a_revoked_task_does_not_use_up_a_turn() -> None:
    bench = LimitedBench("1/h")
    bench.send(*(a_message(str(number)) for number in range(3)))
    bench.store.revoke(["0", "1"])

    bench.work(bench.a_child(), bench.a_node(), 1.0)

    assert bench.states("0", "1", "2") == ["REVOKED", "REVOKED", "SUCCESS"]
