"""What other threads may ask of a node, and what its next rounds make of it."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from celeriac.abc import Lessee
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.child_process import ChildProcess
from celeriac.worker.node import Doing, Node
from celeriac.worker.nursery import Report
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.os_signals import LOOK
from celeriac.worker.slots import Slots, mark_of
from celeriac.worker.stopping import Ask, Stopping
from unit.worker.brood import SIGKILL, FakeLeases, FakeNursery, FakeProcess

TERM = signal.SIGTERM


class Leases(FakeLeases):
    def __init__(self) -> None:
        super().__init__()
        self.queues = ["q"]


class Broker:
    def __init__(self) -> None:
        self.interrupted = 0

    def interrupt(self) -> None:
        self.interrupted += 1


class Bench:
    """A node, round by round, whose children are no processes."""

    def __init__(self, count: int = 2, *, seats: int = 1, stopped_at_birth: bool = False) -> None:
        self.runtime, self.nursery, self.leases, self.broker = VirtualRuntime(), FakeNursery(), Leases(), Broker()
        self.book, self.slots = OrderBook(Orders(queues=("q",))), Slots(16, seats)
        self.said: list[str] = []
        self.node = Node(
            id="node",
            name="celery@node",
            nursery=self.nursery,
            slots=self.slots,
            book=self.book,
            count=count,
            leases=self.leases,  # type: ignore[arg-type]  # as much of it as is used
            broker=self.broker,  # type: ignore[arg-type]  # the same
            runtime=self.runtime,
            stopping=Stopping(),
            on_ready=lambda: self.said.append("ready"),
            on_stop=lambda _now: self.said.append("stops"),
        )
        self.node._children._process_of = FakeProcess
        if stopped_at_birth:
            self.node.tick(self.runtime.monotonic())
            self.node.stop()
        self.round()

    def round(self, seconds: float = 0.1) -> None:
        """Let time pass, have everybody born who was ordered, and the node come round."""
        self.runtime.advance(seconds)
        self.node.tick(self.runtime.monotonic())
        for place in self.node._children.places:
            if place.process is None:
                self.nursery.coming.append(Report(place.name, 1000 + place.room))
        self.node._children.hear()
        for place in self.node._children.places:
            place.slot.ready()
        self.node.tick(self.runtime.monotonic())

    def run(self, number: int, tag: int, id: str, *, seat: int = 0) -> None:
        slot = self.node._children.places[number].slot
        slot.seat(seat).begin(tag, id, self.runtime.monotonic(), None, None)

    def heard(self, number: int) -> list[int]:
        process: ChildProcess | None = self.node._children.places[number].process
        assert isinstance(process, FakeProcess)
        return process.heard


def test_a_number_of_children_that_is_not_whole_is_refused_and_the_node_goes_on() -> None:
    bench = Bench(count=2)

    with pytest.raises(TypeError, match=r"3\.5 is none"):
        bench.node.resize(3.5)  # type: ignore[arg-type]  # from the wire
    bench.round()

    assert (bench.node.count, len(bench.node._children.places)) == (2, 2)


def test_a_node_that_is_stopped_before_its_children_fetch_never_says_that_it_is_ready() -> None:
    bench = Bench(stopped_at_birth=True)

    bench.round()

    assert bench.said == ["stops"]


def test_it_says_once_that_every_child_fetches() -> None:
    bench = Bench()

    bench.round()

    assert (bench.said, bench.node.is_ready) == (["ready"], True)


def test_another_number_of_children_is_there_after_the_next_round() -> None:
    bench = Bench(2)

    bench.node.resize(4)
    bench.round()

    assert (bench.node.count, len(bench.node.processes()), bench.node.is_ready) == (4, 4, True)


@pytest.mark.parametrize("count", [0, -1, 13])
def test_a_number_that_cannot_be_is_refused_and_changes_nothing(count: int) -> None:
    bench = Bench(2)

    with pytest.raises(ValueError, match="room for 12"):
        bench.node.resize(count)
    bench.round()

    assert (bench.node.count, len(bench.node.processes())) == (2, 2)


def test_what_runs_is_told_without_asking_anybody() -> None:
    bench = Bench(2, seats=2)
    bench.run(0, 7, "seven", seat=1)
    bench.run(1, 8, "x" * 100)

    doings = bench.node.running()

    began = bench.runtime.monotonic()
    assert doings == [
        Doing("0.1", bench.node.processes()[0][1], 7, "seven", began),
        Doing("1.2", bench.node.processes()[1][1], 8, mark_of("x" * 100), began),
    ]
    assert bench.node.lessees() == [Lessee("node", "0.1"), Lessee("node", "1.2")]


@pytest.mark.parametrize("id", ["seven", "s" * 200])
def test_the_run_that_an_operator_names_is_ended_and_no_other(id: str) -> None:
    bench = Bench(2)
    bench.run(0, 7, id)
    bench.run(1, 8, "eight")
    bench.round(1.0)

    found = bench.node.terminate(id)
    bench.round()

    assert (found, SIGKILL in bench.heard(0), SIGKILL in bench.heard(1)) == (True, True, False)


def test_what_does_not_run_here_is_not_found() -> None:
    bench = Bench(2)
    bench.run(0, 7, "seven")

    found = bench.node.terminate("eight")
    bench.round()

    assert (found, bench.heard(0)) == (False, [])


def test_new_orders_have_every_child_look_and_the_lease_name_its_new_queues() -> None:
    bench = Bench(2)

    bench.book.write(Orders(queues=("other",)))
    bench.round()

    assert [bench.heard(number) for number in (0, 1)] == [[LOOK], [LOOK]]
    assert (bench.node.queues, bench.leases.queues) == (["other"], ["other"])


def test_asked_to_stop_it_has_its_children_finish_and_orders_no_others() -> None:
    bench = Bench(2)

    bench.node.stop()
    bench.round()
    bench.nursery.coming = [Report("0.1", 1, 0), Report("1.2", 2, 0)]
    heard = [bench.heard(number) for number in (0, 1)]
    bench.node._children.hear()
    bench.round()

    assert (heard[0][0], heard[1][0], bench.node.processes(), bench.said) == (TERM, TERM, [], ["ready", "stops"])
    assert len(bench.nursery.orders) == 2


def test_asked_to_stop_at_once_it_kills_them_and_hands_back_what_they_ran() -> None:
    bench = Bench(1)
    bench.run(0, 7, "seven")

    bench.node.stop(Ask.QUIT, "a test")
    bench.round()
    heard = list(bench.heard(0))
    bench.nursery.coming = [Report("0.1", 1, int(SIGKILL))]
    bench.node._children.hear()

    [dead] = bench.leases.dead
    assert (heard, dead.running, dead.death.handed_back) == ([SIGKILL], (7,), True)


def test_what_many_threads_ask_is_all_done() -> None:
    bench = Bench(1)
    asked: list[Any] = [threading.Thread(target=bench.node.resize, args=(count,)) for count in range(2, 12)]
    for thread in asked:
        thread.start()
    for thread in asked:
        thread.join()

    bench.round()

    assert len(bench.node.processes()) == bench.node.count
