"""Stopping a node that has no processes but its own."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.worker.lone_stopper import LoneStopper
from celeriac.worker.stopping import Ask, Stage, Stopping, StopTerms


class Bench:
    """A stopper, and what it did, in order."""

    def __init__(self) -> None:
        self.stopping = Stopping(StopTerms(soft_s=30.0))
        self.done: SimpleQueue[str] = SimpleQueue()
        self.stopper = LoneStopper(
            self.stopping,
            runtime=SystemRuntime(),
            is_busy=lambda: True,
            on_stage=lambda _now: self.done.put(self.stopping.stage.name),
            finish=lambda: self.done.put("finish"),
            hand_back=lambda: self.done.put("hand back"),
        )
        self.stopper.start()

    def ask(self, what: Ask) -> list[str]:
        """Ask, and return the next two things that happen."""
        self.stopping.ask(what, "SIGTERM")
        self.stopper.wake()
        return [self.done.get(timeout=5), self.done.get(timeout=5)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.stopper.close()


def test_a_warm_stop_takes_no_new_work_and_a_soft_one_follows_it(bench: Bench) -> None:
    warm = bench.ask(Ask.FINISH)
    soft = bench.ask(Ask.QUIT)

    assert (warm, soft) == (["WARM", "finish"], ["SOFT", "finish"])


def test_a_stop_that_comes_after_the_end_is_not_carried_out(bench: Bench) -> None:
    bench.stopper.close()

    bench.stopping.ask(Ask.QUIT, "SIGQUIT")
    bench.stopper.wake()

    assert bench.done.empty()
    assert bench.stopping.stage is Stage.WORK
