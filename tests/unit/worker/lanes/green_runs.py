"""A program for an interpreter that gevent or eventlet has patched: runs in a lane of greenlets, and what came of them, as JSON.

python -c "<first line of the pool>; <run this file>" POOL
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from celeriac import SoftTimeLimitExceeded
from celeriac.app.context import current_context
from celeriac.app.runtime import SystemRuntime
from celeriac.core.outcome import Failure, Outcome, Revoked, Success
from celeriac.worker.lanes import Lane
from celeriac.worker.request import Request
from celeriac.worker.slots import Slots
from unit.worker.bench import PlainTask, a_message, a_request

POOL = sys.argv[-1]
SIZE = 100
PATIENCE_S = 10.0
_who: ContextVar[str] = ContextVar("who", default="nobody")


class Bench:
    def __init__(self) -> None:
        self.slot = Slots(1, SIZE)[0]
        self.lane = self._lane()
        self.ends: dict[int, Outcome] = {}
        signal.signal(signal.SIGUSR1, lambda *_: self.lane.heed())

    def _lane(self) -> Lane:
        if POOL == "gevent":
            from celeriac.worker.lanes.by_gevent import GeventLane

            return GeventLane(SIZE, runtime=SystemRuntime(), slot=self.slot)
        from celeriac.worker.lanes.by_eventlet import EventletLane

        return EventletLane(SIZE, runtime=SystemRuntime(), slot=self.slot)

    def run(self, function: Callable[..., Any], tag: int = 1) -> None:
        self.lane.run(a_request(a_message(str(tag)), PlainTask(function), tag=tag), self._finish)

    def _finish(self, request: Request, outcome: Outcome, runtime_s: float) -> None:
        self.ends[request.delivery.tag] = outcome

    def ask(self, tag: int, *, ends: bool = False) -> None:
        [seat] = [seat for seat in self.slot.taken() if seat.tag == tag]
        if ends:
            seat.ask_end(tag, signal.SIGTERM)
        else:
            seat.ask_soft(tag)
        os.kill(os.getpid(), signal.SIGUSR1)

    def wait(self, count: int = 1) -> list[Outcome]:
        until = time.monotonic() + PATIENCE_S
        while len(self.ends) < count and time.monotonic() < until:
            time.sleep(0.005)
        return [self.ends[tag] for tag in sorted(self.ends)]


def a_hundred_that_sleep_take_as_long_as_one() -> object:
    bench, began = Bench(), time.monotonic()
    for tag in range(1, SIZE + 1):
        bench.run(lambda: time.sleep(0.3), tag)
    bench.wait(SIZE)
    return [len(bench.ends), time.monotonic() - began < 3.0]


def each_has_a_context_of_its_own() -> object:
    bench = Bench()

    def tell() -> list[object]:
        before = _who.get()
        context = current_context()
        assert context is not None
        _who.set(str(context.id))
        time.sleep(0.01)
        again = current_context()
        assert again is not None
        return [before, _who.get(), again.id]

    for tag in (1, 2):
        bench.run(tell, tag)
    return [outcome.value for outcome in bench.wait(2) if isinstance(outcome, Success)]


def one_that_waits_hears_its_soft_limit() -> object:
    bench = Bench()

    def wait() -> str:
        try:
            time.sleep(PATIENCE_S)
        except SoftTimeLimitExceeded:
            return "cleaned up"
        return "slept on"

    bench.run(wait)
    time.sleep(0.05)
    bench.ask(1)
    return [outcome.value for outcome in bench.wait() if isinstance(outcome, Success)]


def one_that_lets_nobody_run_hears_it_from_the_signal() -> object:
    bench = Bench()

    def hold() -> None:
        seat = bench.slot.seat(0)
        seat.ask_soft(seat.tag)
        os.kill(os.getpid(), signal.SIGUSR1)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            sum(range(100))

    bench.run(hold)
    return [type(outcome.exception).__name__ for outcome in bench.wait() if isinstance(outcome, Failure)]


def an_end_is_no_failure_and_the_others_go_on() -> object:
    bench = Bench()
    bench.run(lambda: time.sleep(PATIENCE_S), 1)
    bench.run(lambda: time.sleep(0.3), 2)
    time.sleep(0.05)
    bench.ask(1, ends=True)
    ended, other = bench.wait(2)
    return [ended == Revoked("terminated", signum=signal.SIGTERM), other == Success(None)]


def coroutines_run_on_a_loop_beside_the_others() -> object:
    bench = Bench()
    seen: list[object] = []

    async def think(number: int) -> int:
        await asyncio.sleep(0.05)
        return number

    bench.run(lambda: think(1), 1)
    bench.run(lambda: think(2), 2)
    # A function that runs a loop of its own finds none in its thread.
    bench.run(lambda: seen.append(asyncio.run(think(3))), 3)
    outcomes = bench.wait(3)
    return [outcome.value if isinstance(outcome, Success) else repr(outcome) for outcome in outcomes] + seen


def a_coroutine_hears_its_soft_limit() -> object:
    bench = Bench()

    async def wait() -> str:
        try:
            await asyncio.sleep(PATIENCE_S)
        except SoftTimeLimitExceeded:
            return "cleaned up"
        return "slept on"

    bench.run(wait)
    time.sleep(0.2)
    bench.ask(1)
    return [outcome.value for outcome in bench.wait() if isinstance(outcome, Success)]


def whatever_is_raised_is_a_failure_and_the_lane_goes_on() -> object:
    bench = Bench()

    def fail(error: BaseException) -> None:
        raise error

    for tag, error in enumerate([ValueError("no"), SystemExit(1), KeyboardInterrupt()], 1):
        bench.run(lambda error=error: fail(error), tag)
    bench.run(lambda: "fine", 9)
    return [type(getattr(outcome, "exception", None)).__name__ for outcome in bench.wait(4)] + [bench.lane.free() == SIZE]


SCENES = (
    a_hundred_that_sleep_take_as_long_as_one,
    each_has_a_context_of_its_own,
    one_that_waits_hears_its_soft_limit,
    one_that_lets_nobody_run_hears_it_from_the_signal,
    an_end_is_no_failure_and_the_others_go_on,
    coroutines_run_on_a_loop_beside_the_others,
    a_coroutine_hears_its_soft_limit,
    whatever_is_raised_is_a_failure_and_the_lane_goes_on,
)

if __name__ == "__main__":
    print(json.dumps({scene.__name__: scene() for scene in SCENES}))
    sys.stdout.flush()
    os._exit(0)
