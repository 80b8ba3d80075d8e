"""A node of one process enforces the limits of its task itself."""

from __future__ import annotations

from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.lone_limits import LoneLimits
from celeriac.worker.slots import NO_SIGNAL, Seen, Slots


class Bench:
    def __init__(self) -> None:
        self.seat = Slots(1)[0].seat(0)
        self.told: list[int] = []
        self.given_up: list[Seen] = []
        self.limits = LoneLimits(
            self.seat,
            runtime=VirtualRuntime(),
            tell=lambda: self.told.append(self.seat.soft_asked),
            give_up=self.given_up.append,
        )


def test_a_run_within_its_limits_is_left_alone() -> None:
    bench = Bench()
    bench.seat.begin(7, "id", 100.0, 1.0, 2.0)

    bench.limits.look(100.9)

    assert (bench.told, bench.given_up) == ([], [])


def test_the_main_thread_is_told_of_a_soft_limit_by_the_tag_of_its_run() -> None:
    bench = Bench()
    bench.seat.begin(7, "id", 100.0, 1.0, 2.0)

    bench.limits.look(101.1)

    assert (bench.told, bench.given_up) == ([7], [])


def test_a_run_past_its_hard_limit_is_asked_to_end() -> None:
    bench = Bench()
    bench.seat.begin(7, "id", 100.0, None, 2.0)

    bench.limits.look(102.1)
    bench.limits.look(102.2)

    assert (bench.seat.end_asked, bench.seat.end_signum, len(bench.told)) == (7, NO_SIGNAL, 2)
    assert bench.given_up == []


def test_one_that_does_not_end_is_given_up_once() -> None:
    bench = Bench()
    bench.seat.begin(7, "id", 100.0, None, 2.0)

    for now in (102.1, 102.4, 102.5):
        bench.limits.look(now)

    assert [run.tag for run in bench.given_up] == [7]


def test_the_next_run_is_asked_before_it_is_given_up_too() -> None:
    bench = Bench()
    bench.seat.begin(7, "id", 100.0, None, 2.0)
    bench.limits.look(102.1)
    bench.seat.end()
    bench.seat.begin(8, "id", 103.0, None, 2.0)

    bench.limits.look(105.1)

    assert (bench.seat.end_asked, bench.given_up) == (8, [])


def test_nothing_is_done_while_nothing_runs() -> None:
    bench = Bench()
    bench.seat.begin(7, "id", 100.0, 1.0, 2.0)
    bench.seat.end()

    bench.limits.look(200.0)

    assert (bench.told, bench.given_up) == ([], [])
