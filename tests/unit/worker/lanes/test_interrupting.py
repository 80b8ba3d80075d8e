"""What the supervisor asks of a run is heard by that run, in every lane, and by nothing else."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from celeriac import SoftTimeLimitExceeded
from celeriac.app.runtime import SystemRuntime
from celeriac.core.outcome import Failure, Outcome, Revoked, Success
from celeriac.worker.lanes import Lane
from celeriac.worker.lanes.aio import AsyncioLane
from celeriac.worker.lanes.inline import InlineLane
from celeriac.worker.lanes.threads import ThreadsLane
from celeriac.worker.request import Request
from celeriac.worker.slots import Seat, Slots
from unit.worker.bench import PlainTask, a_request

PATIENCE_S = 10.0
SIZE = 4


class Bench:
    """A lane, and a supervisor that asks when the test says so."""

    def __init__(self, pool: str) -> None:
        self.slot = Slots(1, SIZE)[0]
        runtime = SystemRuntime()
        self.lane: Lane
        match pool:
            case "inline":
                self.lane = InlineLane(runtime=runtime, slot=self.slot)
            case "threads":
                self.lane = ThreadsLane(SIZE, runtime=runtime, slot=self.slot)
            case _:
                self.lane = AsyncioLane(SIZE, runtime=runtime, slot=self.slot)
        self._ends: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def run(self, function: Any, *, tag: int = 1) -> None:
        self.lane.run(a_request(task=PlainTask(function), tag=tag), self._finish)

    def once(self, runs: threading.Event, act: Callable[[], None]) -> None:
        """Act when the task runs; in an inline lane the test's own thread runs it."""

        def wait_and_act() -> None:
            runs.wait(PATIENCE_S)
            act()

        self._threads.append(threading.Thread(target=wait_and_act))
        self._threads[-1].start()

    def close(self) -> None:
        self.lane.close()
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def ask_soft(self, tag: int = 1) -> None:
        self._seat(tag).ask_soft(tag)
        self._signal()

    def ask_soft_blindly(self, tag: int = 1) -> None:
        """Ask whatever seat is the first, as if nobody knew whether that run is still there."""
        self.slot.seat(0).ask_soft(tag)
        self._signal()

    def ask_end(self, tag: int = 1) -> None:
        self._seat(tag).ask_end(tag, signal.SIGTERM)
        self._signal()

    def next_end(self) -> Outcome:
        return self.next_end_of_all()[1]

    def next_end_of_all(self) -> tuple[int, Outcome]:
        return self._ends.get(timeout=PATIENCE_S)

    def _finish(self, request: Request, outcome: Outcome, runtime_s: float) -> None:
        self._ends.put((request.delivery.tag, outcome))
        self._ended.set()

    def _seat(self, tag: int) -> Seat:
        return next(seat for seat in self.slot.taken() if seat.tag == tag)

    def _signal(self) -> None:
        # As the supervisor does: of a signal that comes just before a system call its handler hears when that has returned.
        for _ in range(3):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            self._ended.wait(0.02)


@pytest.fixture(params=["inline", "threads", "asyncio"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.param)
    before = signal.signal(signal.SIGUSR1, lambda *_: bench.lane.heed())
    yield bench
    bench.close()
    signal.signal(signal.SIGUSR1, before)


class Task:
    """A function that says when it runs, and what it does then."""

    def __init__(self, then: Callable[[], object]) -> None:
        self.runs = threading.Event()
        self._then = then

    def __call__(self) -> object:
        self.runs.set()
        return self._then()


def busy() -> None:
    """Run Python code without end."""
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        sum(range(100))


def test_a_soft_limit_is_an_exception_inside_of_the_task(bench: Bench) -> None:
    task = Task(busy)
    bench.once(task.runs, bench.ask_soft)

    bench.run(task)

    outcome = bench.next_end()
    assert isinstance(outcome, Failure)
    assert type(outcome.exception) is SoftTimeLimitExceeded
    assert "in busy" in (outcome.traceback or "")


def test_a_task_may_catch_it_and_return(bench: Bench) -> None:
    def clean_up() -> str:
        try:
            busy()
        except SoftTimeLimitExceeded:
            return "cleaned up"
        return "ran on"

    task = Task(clean_up)
    bench.once(task.runs, bench.ask_soft)

    bench.run(task)

    assert bench.next_end() == Success("cleaned up")


def test_one_soft_limit_is_heard_once_however_often_there_is_a_signal(bench: Bench) -> None:
    heard = 0

    def count() -> None:
        nonlocal heard
        for _ in range(20):
            try:
                for _ in range(200):
                    sum(range(1000))
            except SoftTimeLimitExceeded:
                heard += 1

    task = Task(count)

    def ask_often() -> None:
        for _ in range(5):
            bench.ask_soft_blindly()

    bench.once(task.runs, ask_often)
    bench.run(task)

    assert bench.next_end() == Success(None)
    assert heard <= 1


def test_an_end_is_no_failure_and_no_except_clause_for_errors_holds_it_up(bench: Bench) -> None:
    def stubborn() -> str:
        try:
            busy()
        except Exception:
            return "went on"
        return "ran on"

    task = Task(stubborn)
    bench.once(task.runs, bench.ask_end)

    bench.run(task)

    assert bench.next_end() == Revoked("terminated", signum=signal.SIGTERM)


def test_what_was_asked_of_one_run_never_hits_the_next(bench: Bench) -> None:
    """The asking comes at any moment around the end of a run, many times over."""
    hit: set[int] = set()

    def short() -> None:
        for _ in range(50):
            sum(range(300))

    for tag in range(1, 300):
        asker = threading.Thread(target=bench.ask_soft_blindly, args=(2 * tag,))
        asker.start()
        bench.run(short, tag=2 * tag)
        bench.run(short, tag=2 * tag + 1)
        asker.join()
        for _ in range(2):
            ended, outcome = bench.next_end_of_all()
            if isinstance(outcome, Failure):
                assert type(outcome.exception) is SoftTimeLimitExceeded
                hit.add(ended)

    assert all(tag % 2 == 0 for tag in hit)
    bench.run(lambda: "fine", tag=10_000)
    assert bench.next_end() == Success("fine")


def test_a_coroutine_that_waits_hears_its_soft_limit(bench: Bench) -> None:
    runs = threading.Event()

    async def wait() -> str:
        runs.set()
        try:
            await asyncio.sleep(PATIENCE_S)
        except SoftTimeLimitExceeded:
            await asyncio.sleep(0)
            return "cleaned up"
        return "slept on"

    bench.once(runs, bench.ask_soft)
    bench.run(wait)

    assert bench.next_end() == Success("cleaned up")


def test_a_coroutine_that_does_not_let_go_of_its_loop_hears_it_too(bench: Bench) -> None:
    runs = threading.Event()

    async def hold() -> None:
        runs.set()
        busy()

    bench.once(runs, bench.ask_soft)
    bench.run(hold)

    outcome = bench.next_end()
    assert isinstance(outcome, Failure)
    assert isinstance(outcome.exception, SoftTimeLimitExceeded)


def test_it_is_a_cancellation_for_whatever_cleans_up_after_one(bench: Bench) -> None:
    runs, cleaned = threading.Event(), threading.Event()

    async def member() -> None:
        try:
            runs.set()
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            cleaned.set()
            raise

    async def lead() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(member())
            await asyncio.sleep(PATIENCE_S)

    bench.once(runs, bench.ask_soft)
    bench.run(lead)

    outcome = bench.next_end()
    assert isinstance(outcome, Failure)
    assert isinstance(outcome.exception, SoftTimeLimitExceeded)
    assert cleaned.is_set()


def test_a_coroutine_that_is_ended_is_no_failure(bench: Bench) -> None:
    runs = threading.Event()

    async def wait() -> None:
        runs.set()
        await asyncio.sleep(PATIENCE_S)

    bench.once(runs, bench.ask_end)
    bench.run(wait)

    assert bench.next_end() == Revoked("terminated", signum=signal.SIGTERM)


def test_a_coroutine_that_caught_its_limit_may_cancel_and_time_out_as_before(bench: Bench) -> None:
    runs = threading.Event()

    async def wait() -> str:
        runs.set()
        try:
            await asyncio.sleep(PATIENCE_S)
        except SoftTimeLimitExceeded:
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(PATIENCE_S)
            except TimeoutError:
                return "timed out"
        return "?"

    bench.once(runs, bench.ask_soft)
    bench.run(wait)

    assert bench.next_end() == Success("timed out")
