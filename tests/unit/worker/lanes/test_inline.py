"""The inline lane: a task runs in the thread that fetched it."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from celeriac.core.outcome import Failure, Outcome, Success
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.lanes.inline import InlineLane
from celeriac.worker.request import Request
from celeriac.worker.slots import Seat, Slots
from unit.worker.bench import PlainTask, a_message, a_request


class Bench:
    def __init__(self) -> None:
        self.runtime = VirtualRuntime()
        slot = Slots(1)[0]
        self.seat: Seat = slot.seat(0)
        self.lane = InlineLane(runtime=self.runtime, slot=slot)
        self.ends: list[tuple[Outcome, float, int]] = []

    def finish(self, request: Request, outcome: Outcome, runtime_s: float) -> None:
        self.ends.append((outcome, runtime_s, self.seat.tag))

    def run(self, task: PlainTask, *, time_limit: float | None = None) -> None:
        self.lane.run(a_request(a_message(time_limit=time_limit), task, tag=7), self.finish)

    def work(self, seconds: float) -> int:
        self.runtime.advance(seconds)
        return threading.get_ident()


def test_a_task_runs_here_and_its_end_is_told_with_its_seconds() -> None:
    bench = Bench()

    bench.run(PlainTask(lambda: bench.work(2.5)))

    assert bench.ends == [(Success(threading.get_ident()), 2.5, 0)]


def test_the_slot_tells_what_runs_and_its_limits() -> None:
    bench = Bench()
    task = PlainTask(lambda: (bench.seat.tag, bench.seat.soft_at, bench.seat.hard_at), time_limit=9.0, soft_time_limit=8.0)

    bench.run(task, time_limit=5.0)

    assert bench.ends[0][0] == Success((7, 8.0, 5.0))
    assert (bench.seat.tag, bench.seat.id) == (0, a_message().id)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_whatever_a_task_raises_is_a_failure(error: BaseException) -> None:
    bench = Bench()

    def fail() -> None:
        raise error

    bench.run(PlainTask(fail))

    [(outcome, _, running)] = bench.ends
    assert isinstance(outcome, Failure)
    assert outcome.exception is error
    assert (running, bench.lane.idle()) == (0, True)


def test_coroutines_run_on_one_loop_of_the_child() -> None:
    bench = Bench()

    async def which_loop() -> int:
        await asyncio.sleep(0)
        return id(asyncio.get_running_loop())

    bench.run(PlainTask(which_loop))
    bench.run(PlainTask(which_loop))
    bench.lane.close()

    [(first, _, _), (second, _, _)] = bench.ends
    assert isinstance(first, Success)
    assert first == second


def test_a_coroutine_runs_in_the_context_of_its_own_run() -> None:
    bench, who = Bench(), ContextVar[str]("who")

    async def tell() -> str:
        return who.get()

    for name in ("first", "second"):
        who.set(name)
        bench.run(PlainTask(tell))

    assert [end[0] for end in bench.ends] == [Success("first"), Success("second")]
    bench.lane.close()


@pytest.mark.parametrize("in_coroutine", [False, True])
def test_an_interrupt_that_the_task_raised_is_a_failure_with_a_traceback(in_coroutine: bool) -> None:
    bench = Bench()

    def raises() -> None:
        raise KeyboardInterrupt

    async def araises() -> None:
        raises()

    bench.run(PlainTask(araises if in_coroutine else raises))

    [(outcome, _, _)] = bench.ends
    assert isinstance(outcome, Failure)
    assert "in raises" in (outcome.traceback or "")
    bench.lane.close()
