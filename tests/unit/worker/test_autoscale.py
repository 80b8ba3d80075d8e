"""How many children a node needs."""

from __future__ import annotations

import pytest

from celeriac.worker.autoscale import Autoscaler, Load, needed

KEEPALIVE_S = 30.0


class FakePool:
    """A pool that does what it is told, and says what a test says."""

    def __init__(self, there: int) -> None:
        self.num_processes, self.seconds, self.said = there, 0.0, Load()

    def load(self) -> Load:
        return self.said

    def now(self) -> float:
        return self.seconds

    def grow(self, n: int = 1) -> None:
        self.num_processes += n

    def shrink(self, n: int = 1) -> None:
        self.num_processes -= n


class Bench:
    def __init__(self, there: int, kind: type[Autoscaler] = Autoscaler) -> None:
        self.pool = FakePool(there)
        self.scaler = kind(self.pool, 10, 2, keepalive=KEEPALIVE_S)

    def after(self, seconds: float, load: Load) -> int:
        self.pool.seconds += seconds
        self.pool.said = load
        self.scaler.maybe_scale()
        return self.pool.num_processes


@pytest.mark.parametrize(
    ("load", "children"),
    [
        (Load(), 0),
        (Load(busy=3), 3),
        (Load(busy=3, waiting=4), 7),
        (Load(busy=3, waiting=400, pace=500.0), 3),
        (Load(busy=3, waiting=400, pace=100.0), 403),
    ],
)
def test_each_task_needs_a_child_but_what_will_soon_be_done_needs_nobody_else(load: Load, children: int) -> None:
    assert needed(load) == children


def test_more_come_at_once_and_never_more_than_the_most() -> None:
    bench = Bench(2)

    assert bench.after(1, Load(busy=2, waiting=3)) == 5
    assert bench.after(1, Load(busy=5, waiting=1000)) == 10


def test_fewer_are_left_only_when_fewer_have_done_for_a_while_and_never_fewer_than_the_least() -> None:
    bench = Bench(8)

    assert bench.after(KEEPALIVE_S - 1, Load()) == 8
    assert bench.after(2, Load()) == 2


def test_a_busy_moment_begins_the_while_anew() -> None:
    bench = Bench(8)
    bench.after(KEEPALIVE_S - 1, Load(busy=8))

    assert bench.after(2, Load()) == 8
    assert bench.after(KEEPALIVE_S, Load()) == 2


def test_other_bounds_hold_at_once() -> None:
    bench = Bench(8)

    said = bench.scaler.update(max=4, min=3)

    assert (said, bench.pool.num_processes) == ((4, 3), 4)
    assert bench.scaler.update(max=20, min=15) == (20, 15)
    assert bench.pool.num_processes == 15


@pytest.mark.parametrize(("most", "least"), [(0, 0), (2, 3), (3, -1)])
def test_bounds_that_are_none_are_refused_and_change_nothing(most: int, least: int) -> None:
    bench = Bench(8)

    with pytest.raises(ValueError, match="at most"):
        bench.scaler.update(most, least)

    assert (bench.scaler.max_concurrency, bench.scaler.min_concurrency, bench.pool.num_processes) == (10, 2, 8)


def test_it_says_how_things_are() -> None:
    bench = Bench(3)
    bench.pool.said = Load(busy=1, waiting=1)

    assert bench.scaler.info() == {"max": 10, "min": 2, "current": 3, "qty": 2}


def test_a_class_of_ones_own_decides_by_its_own_rule() -> None:
    class Twice(Autoscaler):
        def _maybe_scale(self, req: object = None) -> bool:
            self.scale_up(2 * self.qty - self.processes)
            return True

    bench = Bench(2, Twice)

    assert bench.after(1, Load(busy=4)) == 8
