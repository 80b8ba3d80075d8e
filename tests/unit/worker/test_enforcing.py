"""Runs that are ended from outside: the one that is meant, and no other."""

from __future__ import annotations

import signal

import pytest

from celeriac.abc import Lessee
from celeriac.worker.child_process import Blow
from celeriac.worker.children import Place
from celeriac.worker.enforcing import ENDS_WITHIN_S, HEARS_WITHIN_S, LAST_WORDS_S, Enforcer
from celeriac.worker.leases import EndedRun
from celeriac.worker.os_signals import LOOK
from celeriac.worker.recovery import Ending
from celeriac.worker.slots import Seat
from unit.worker.brood import SIGKILL, Brood, FakeProcess

TERM = signal.SIGTERM
GRACE_S = 20.0
HUNG = 7


class Bench:
    """One child, in which a run with a hard limit of one second has begun."""

    def __init__(
        self, *, seats: int = 1, hard_s: float | None = 1.0, soft_s: float | None = None, asks_first: bool = False
    ) -> None:
        self.brood = Brood(1, seats=seats)
        self.given_up: list[EndedRun] = []
        self.enforcer = Enforcer(
            self.brood.children,
            node="node",
            grace_s=GRACE_S,
            asks_first=asks_first or seats > 1,
            on_given_up=self.given_up.append,
        )
        self.brood.bear()
        self.place: Place = self.brood.place("0.1")
        self.seat: Seat = self.place.slot.seat(0)
        self.begin(self.seat, HUNG, soft_s, hard_s)

    @property
    def process(self) -> FakeProcess:
        assert isinstance(self.place.process, FakeProcess)
        return self.place.process

    @property
    def heard(self) -> list[int]:
        return [signum for signum in self.process.heard if signum != LOOK]

    def begin(self, seat: Seat, tag: int, soft_s: float | None = None, hard_s: float | None = None) -> None:
        seat.begin(tag, f"id {tag}", self.brood.now, soft_s, hard_s)

    def after(self, seconds: float) -> None:
        self.brood.runtime.advance(seconds)
        self.brood.fill()
        self.enforcer.look(self.brood.now)

    def terminate(self, signum: int = TERM) -> None:
        run = self.seat.look()
        assert run is not None
        self.enforcer.terminate(self.place, self.seat, run, signum, self.brood.now)

    def hang(self) -> None:
        """Let its hard limit pass, and the time in which it may end from inside."""
        self.after(1.1)
        self.after(ENDS_WITHIN_S + 0.01)


def test_before_its_limit_nothing_happens_to_a_run() -> None:
    bench = Bench(soft_s=0.9)

    bench.after(0.8)

    assert (bench.process.heard, bench.seat.soft_asked) == ([], 0)


def test_a_soft_limit_is_asked_of_the_run_that_is_meant() -> None:
    bench = Bench(soft_s=0.5)

    bench.after(0.6)

    assert (bench.seat.soft_asked, bench.process.heard) == (HUNG, [LOOK])


def test_the_only_run_of_a_child_costs_the_child_its_life() -> None:
    bench = Bench()

    bench.after(1.1)
    bench.after(0.1)

    assert bench.heard == [SIGKILL]
    bench.brood.die("0.1")
    [dead] = bench.brood.leases.dead
    assert (dead.endings, dead.death.handed_back) == ({HUNG: Ending(hard_s=1.0)}, True)


def test_a_child_that_has_begun_another_run_meanwhile_is_spared() -> None:
    bench = Bench()
    bench.process.blow = Blow.SPARED
    bench.after(1.1)
    bench.seat.end()
    bench.begin(bench.seat, 8, None, 100.0)
    bench.process.blow = None

    bench.after(0.1)
    bench.after(0.1)

    assert (bench.heard, bench.place.endings, bench.enforcer.is_at_work) == ([], {}, False)


def test_a_run_has_a_moment_in_which_its_neighbours_are_settled() -> None:
    bench = Bench(hard_s=0.001)

    bench.after(0.01)
    early = list(bench.heard)
    bench.after(0.1)

    assert (early, bench.heard) == ([], [SIGKILL])


def test_one_that_waits_for_the_kernel_is_retired_when_it_cannot_be_struck() -> None:
    bench = Bench()
    bench.process.blow = Blow.MISSED

    bench.after(1.1)
    bench.after(0.3)
    at_first = bench.brood.names
    bench.after(0.4)
    bench.after(0.0)

    assert (at_first, bench.brood.names) == (["0.1"], ["0.2"])
    assert bench.given_up == [EndedRun(Lessee("node", "0.1"), HUNG, Ending(hard_s=1.0))]


def test_one_of_many_runs_is_first_asked_to_end_from_inside() -> None:
    bench = Bench(seats=3)

    bench.after(1.1)

    assert (bench.seat.end_asked, bench.given_up, bench.brood.names) == (HUNG, [], ["0.1"])


def test_the_only_run_of_a_child_that_takes_long_to_replace_is_asked_first_and_then_struck() -> None:
    bench = Bench(asks_first=True)

    bench.after(1.1)
    asked = (bench.seat.end_asked, list(bench.heard))
    bench.after(0.3)

    assert asked == (HUNG, [])
    assert (bench.heard, bench.given_up) == ([SIGKILL], [])


def test_one_of_many_that_ends_from_inside_costs_nobody_anything() -> None:
    bench = Bench(seats=3)
    bench.after(1.1)

    bench.seat.end()
    bench.after(5.0)

    assert (bench.given_up, bench.brood.names, bench.heard) == ([], ["0.1"], [])


def test_one_of_many_that_does_not_is_given_up_and_another_child_comes_at_once() -> None:
    bench = Bench(seats=3)
    bench.begin(bench.place.slot.seat(1), 8)

    bench.hang()
    bench.brood.fill()

    assert bench.given_up == [EndedRun(Lessee("node", "0.1"), HUNG, Ending(hard_s=1.0))]
    assert (bench.brood.names, bench.heard) == (["0.2"], [TERM])


def test_the_others_of_a_retired_child_have_their_grace_and_then_go_back() -> None:
    bench = Bench(seats=3)
    bench.begin(bench.place.slot.seat(1), 8)
    bench.hang()
    bench.place.slot.leave()

    bench.after(GRACE_S - 0.5)
    spared = list(bench.heard)
    bench.after(1.0)

    assert (spared, bench.heard) == ([TERM], [TERM, SIGKILL])
    bench.brood.die("0.1")
    [dead] = bench.brood.leases.dead
    assert (dead.running, dead.endings, dead.death.handed_back) == ((HUNG, 8), {HUNG: Ending(hard_s=1.0)}, True)


def test_a_retired_child_lives_until_what_ended_last_is_settled() -> None:
    bench = Bench(seats=3)
    bench.begin(bench.place.slot.seat(1), 8)
    bench.hang()
    bench.place.slot.leave()
    bench.after(5.0)

    bench.place.slot.seat(1).end()
    bench.after(0.1)
    spared = list(bench.heard)
    bench.after(LAST_WORDS_S + 0.1)

    assert (spared, bench.heard) == ([TERM], [TERM, SIGKILL])


def test_a_retired_child_that_does_not_even_hear_it_is_not_waited_for() -> None:
    bench = Bench(seats=3)
    bench.begin(bench.place.slot.seat(1), 8)
    bench.hang()

    bench.after(HEARS_WITHIN_S - 0.1)
    spared = list(bench.heard)
    bench.after(0.2)

    assert (spared, bench.heard) == ([TERM], [TERM, SIGKILL])


def test_a_second_run_of_a_retired_child_may_be_given_up_too() -> None:
    bench = Bench(seats=3)
    bench.begin(bench.place.slot.seat(1), 8, None, 3.0)
    bench.hang()
    bench.place.slot.leave()

    bench.after(2.0)
    bench.after(ENDS_WITHIN_S + 0.01)

    assert [run.tag for run in bench.given_up] == [HUNG, 8]
    assert len(bench.brood.children.places) == 2


def test_the_only_run_of_a_child_is_terminated_by_the_same_blow() -> None:
    bench = Bench(hard_s=None)
    bench.brood.runtime.advance(1.0)

    bench.terminate()
    bench.after(0.0)

    assert (bench.heard, bench.place.endings) == ([SIGKILL], {HUNG: Ending(signum=TERM)})


def test_one_that_ends_just_before_it_is_terminated_takes_nobody_with_it() -> None:
    bench = Bench(hard_s=None)
    bench.brood.runtime.advance(1.0)
    bench.terminate()

    bench.seat.end()
    bench.begin(bench.seat, 8)
    bench.after(0.1)

    assert bench.heard == []


def test_one_of_many_is_asked_to_end_and_its_child_is_retired_only_if_it_does_not() -> None:
    bench = Bench(seats=3, hard_s=None)

    bench.terminate(signal.SIGINT)
    bench.after(0.1)
    asked = (bench.seat.end_asked, bench.seat.end_signum, list(bench.given_up))
    bench.after(HEARS_WITHIN_S)

    assert asked == (HUNG, signal.SIGINT, [])
    assert bench.given_up == [EndedRun(Lessee("node", "0.1"), HUNG, Ending(signum=signal.SIGINT))]


@pytest.mark.parametrize("seats", [1, 3])
def test_with_the_signal_of_the_soft_limit_a_run_hears_just_that(seats: int) -> None:
    bench = Bench(seats=seats, hard_s=None)

    bench.terminate(signal.SIGUSR1)
    bench.after(10.0)

    assert (bench.seat.soft_asked, bench.heard, bench.given_up) == (HUNG, [], [])
