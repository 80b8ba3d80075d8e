"""The lanes of many slots, threads and asyncio: what both promise, and what each does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core.outcome import Failure, Outcome, Success
from celeriac.worker.lanes import Lane
from celeriac.worker.lanes.aio import AsyncioLane
from celeriac.worker.lanes.threads import ThreadsLane
from celeriac.worker.request import Request
from celeriac.worker.slots import Slot, Slots
from unit.worker.bench import PlainTask, a_request

PATIENCE_S = 10.0
SIZE = 3


class Bench:
    def __init__(self, kind: type[ThreadsLane] | type[AsyncioLane]) -> None:
        self.slot: Slot = Slots(1, 1000)[0]
        self.lane: Lane = kind(SIZE, runtime=SystemRuntime(), slot=self.slot)
        self._ends: SimpleQueue[tuple[int, Outcome]] = SimpleQueue()

    def finish(self, request: Request, outcome: Outcome, runtime_s: float) -> None:
        assert runtime_s >= 0
        self._ends.put((request.delivery.tag, outcome))

    def run(self, function: Any, *, tag: int = 1) -> None:
        self.lane.run(a_request(task=PlainTask(function), tag=tag), self.finish)

    def next_end(self) -> tuple[int, Outcome]:
        return self._ends.get(timeout=PATIENCE_S)

    def wait_until_idle(self) -> None:
        for _ in range(1000):
            if self.lane.idle():
                return
            threading.Event().wait(0.01)
        pytest.fail("it is not idle")


@pytest.fixture(params=[ThreadsLane, AsyncioLane])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.param)
    yield bench
    bench.lane.close()


@pytest.fixture
def asyncio_bench() -> Iterator[Bench]:
    bench = Bench(AsyncioLane)
    yield bench
    bench.lane.close()


async def coroutine() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_a_fresh_lane_has_all_its_slots_free(bench: Bench) -> None:
    assert (bench.lane.free(), bench.lane.idle(), bench.lane.concurrent) == (SIZE, True, True)


def test_run_returns_before_the_run_has_ended(bench: Bench) -> None:
    may_end = threading.Event()

    bench.run(lambda: may_end.wait(PATIENCE_S))

    assert (bench.lane.free(), bench.lane.idle()) == (SIZE - 1, False)
    may_end.set()
    assert bench.next_end() == (1, Success(True))


def test_as_many_run_at_once_as_there_are_slots(bench: Bench) -> None:
    together = threading.Barrier(SIZE, timeout=PATIENCE_S)

    for tag in range(SIZE):
        bench.run(lambda: together.wait() >= 0, tag=tag + 1)

    ends = {bench.next_end()[0] for _ in range(SIZE)}
    assert ends == set(range(1, SIZE + 1))


def test_a_wait_for_room_ends_when_a_run_does(bench: Bench) -> None:
    may_end = threading.Event()
    for tag in range(SIZE):
        bench.run(lambda: may_end.wait(PATIENCE_S), tag=tag + 1)
    assert bench.lane.free() == 0

    may_end.set()
    bench.lane.wait_for_room(PATIENCE_S)

    assert bench.lane.free() > 0
    bench.wait_until_idle()
    assert bench.lane.free() == SIZE


def test_the_watermark_is_the_largest_tag_that_was_begun(bench: Bench) -> None:
    bench.run(lambda: None, tag=5)
    bench.next_end()

    bench.run(lambda: None, tag=9)
    bench.next_end()

    assert bench.slot.started == 9


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_whatever_a_task_raises_is_a_failure_and_the_lane_goes_on(bench: Bench, error: BaseException) -> None:
    def fail() -> None:
        raise error

    bench.run(fail, tag=1)
    first = bench.next_end()
    bench.run(lambda: "fine", tag=2)
    second = bench.next_end()

    assert isinstance(first[1], Failure)
    assert first[1].exception is error
    assert second == (2, Success("fine"))


def test_coroutines_run_on_the_loop(bench: Bench) -> None:
    bench.run(coroutine)

    assert bench.next_end() == (1, Success("celeriac-lane-loop"))


def test_a_thousand_coroutines_wait_at_once(asyncio_bench: Bench) -> None:
    count = 1000
    lane = AsyncioLane(count, runtime=SystemRuntime(), slot=asyncio_bench.slot)
    met = 0
    everybody = asyncio.Event()

    async def meet() -> None:
        nonlocal met
        met += 1
        if met == count:
            everybody.set()
        await everybody.wait()

    for tag in range(count):
        lane.run(a_request(task=PlainTask(meet), tag=tag + 1), asyncio_bench.finish)

    outcomes = [asyncio_bench.next_end()[1] for _ in range(count)]
    assert outcomes == [Success(None)] * count
    lane.close()


def test_plain_functions_do_not_hold_up_the_loop(asyncio_bench: Bench) -> None:
    may_end = threading.Event()
    asyncio_bench.run(lambda: may_end.wait(PATIENCE_S), tag=1)

    asyncio_bench.run(coroutine, tag=2)

    assert asyncio_bench.next_end()[0] == 2
    may_end.set()
    assert asyncio_bench.next_end() == (1, Success(True))


@pytest.mark.parametrize(
    "error", [SystemExit("enough"), KeyboardInterrupt("ctrl-c"), GeneratorExit(), asyncio.CancelledError("who")]
)
def test_nothing_that_a_coroutine_raises_ends_the_loop_of_the_others(bench: Bench, error: BaseException) -> None:
    async def raising() -> None:
        await asyncio.sleep(0)
        raise error

    async def well() -> str:
        await asyncio.sleep(0)
        return "well"

    bench.run(raising, tag=1)
    first = bench.next_end()
    bench.run(well, tag=2)

    assert isinstance(first[1], Failure)
    assert first[1].exception is error
    assert bench.next_end() == (2, Success("well"))


def test_a_coroutine_that_a_task_leaves_behind_cannot_end_the_loop(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    left: list[asyncio.Task[None]] = []

    async def exits() -> None:
        raise SystemExit("left behind")

    async def leaving() -> None:
        left.append(asyncio.get_running_loop().create_task(exits()))

    async def well() -> str:
        return "well" if left[0].done() else await well()

    bench.run(leaving, tag=1)
    bench.next_end()
    bench.run(well, tag=2)

    assert bench.next_end() == (2, Success("well"))
    assert "tried to end the event loop" in caplog.text
    assert isinstance(left[0].exception(), SystemExit)
