"""One world from a seed: a store, a fleet, a program that publishes, faults; first storm, then peace, then the verdict.

In a test's life: ``simulate(seed)`` is all there is to call. Does not know: how promises are checked (``ledger``,
``verdict``), what the worker's parts do.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.simulation.app import SimulatedApp
from celeriac.testing.simulation.chance import Chance
from celeriac.testing.simulation.crew import Crew
from celeriac.testing.simulation.evaluation import steps_of
from celeriac.testing.simulation.fleet import LONGEST_IDLE_S, Fleet
from celeriac.testing.simulation.growing import make_workflows
from celeriac.testing.simulation.ledger import Ledger
from celeriac.testing.simulation.line import Line
from celeriac.testing.simulation.processes import Machine, Process
from celeriac.testing.simulation.program import Program
from celeriac.testing.simulation.report import Report, Scale, Violation
from celeriac.testing.simulation.store import SimulatedStore
from celeriac.testing.simulation.timeline import Timeline
from celeriac.testing.simulation.verdict import judge, judge_workflows
from celeriac.testing.simulation.weather import Weather
from celeriac.testing.simulation.workload import Kind, make_jobs

_EMBED_LIMITS = (2048, 2048, 200, 0, None)
"""Bytes that a message may carry of what comes later: as is usual, or so few that nearly all workflows keep parts elsewhere."""


class Model(Protocol):
    """Makes the store of a world: ``SimulatedStore``, or a broken one that must be caught."""

    def __call__(self, *, runtime: VirtualRuntime, ledger: Ledger) -> SimulatedStore:
        """Return an empty store."""


def simulate(seed: int, scale: Scale | None = None, *, model: Model = SimulatedStore) -> Report:
    """Run the world of this seed to its end, or to the first promise that is broken.

    Example:
        >>> report = simulate(42)
        >>> assert report.ok, report
    """
    world = World(seed, scale or Scale(), model)
    violation = None
    with _silence():
        try:
            world.run()
        except Violation as broken:
            violation = str(broken)
        except Exception:
            violation = traceback.format_exc()
        finally:
            world.close()
    return world.report(violation)


class World:
    """Everything that one seed stands for."""

    def __init__(self, seed: int, scale: Scale, model: Model) -> None:
        self._seed, self._scale = seed, scale
        self._runtime = VirtualRuntime(seed)
        # Ids and choices come from one seed but not from one row: another id more must not change the weather.
        self._chance = Chance(VirtualRuntime(~seed))
        self._timeline = Timeline(self._runtime, self._chance)
        self._ledger = Ledger(scale)
        self._store = model(runtime=self._runtime, ledger=self._ledger)
        self._weather = Weather(self._chance, rate=scale.fault_rate, until=scale.faults_s)
        self._fleet = Fleet(self._timeline, self._chance, self._weather, scale)
        self._store.is_alive = self._fleet.is_alive
        fate, process = self._fleet.fate, Process(Machine("program"), "program", mortal=False)
        line = Line(self._store, process, fate.before, fate.after)
        self._app = SimulatedApp(runtime=self._runtime, store=line, embed_limit=self._chance.pick(_EMBED_LIMITS))
        self._crew = Crew(self._store, self._ledger, fate, self._app, scale)
        self._program = Program(line, self._app, self._timeline, self._chance, self._runtime)
        self._jobs = make_jobs(scale, self._chance)
        self._workflows = make_workflows(scale, self._chance)
        self._steps = [steps_of(workflow.tree) for workflow in self._workflows]
        self._ledger.needs.update({step.job.id: step.before.needs for steps in self._steps for step in steps})
        self._set_back_s = 0.0
        """By how much the wall clock was set back: a message that was due may be early again."""

    def run(self) -> None:
        """Storm, peace, verdict."""
        self._fleet.assemble(self._crew)
        self._program.plan(self._jobs, self._workflows, self._scale)
        self._plan_incidents()
        self._run_until(self._scale.faults_s)
        self._timeline.note("the faults have ended")
        self._run_until(max((node.frozen_until for node in self._fleet.nodes), default=0.0))
        deadline = self._timeline.now + self._patience_s()
        while not self._store.at_rest:
            if self._timeline.now >= deadline:
                raise Violation(f"after the faults there was no rest: {dict(self._store.places())}")
            self._store.let_everything_go_on()
            self._timeline.run_next(deadline)
        judge(self._store, self._ledger, self._jobs, self._scale)
        judge_workflows(self._store, self._ledger, self._steps, self._scale)

    def report(self, violation: str | None) -> Report:
        """Return what happened."""
        return Report(
            seed=self._seed,
            violation=violation,
            trace=tuple(self._timeline.trace),
            faults=self._weather.faults,
            starts=self._ledger.starts.total(),
            lost=self._ledger.losses.total(),
        )

    def close(self) -> None:
        """Let go of the app: what it has opened knows the world, and would keep it for ever."""
        self._app.close()

    def _run_until(self, moment: float) -> None:
        while self._timeline.now < moment:
            self._timeline.run_next(moment)

    def _patience_s(self) -> float:
        """Three leases, and what the jobs need by themselves: their runs, their dates, the children that poison costs,
        and until a step is fetched after the one before it."""
        steps = [step.job for steps in self._steps for step in steps]
        jobs = [*self._jobs, *steps]
        runs = sum(job.runs * (job.runtime_s + 10) for job in jobs if job.kind is Kind.RETRIED)
        runs += 2 * sum(job.runtime_s for job in jobs)
        poison = sum(self._scale.max_deliveries * (job.runtime_s + 5) for job in jobs if "poison" in job.kind.value)
        idle = LONGEST_IDLE_S * len(steps)
        return 3 * self._scale.lease_s + runs + poison + idle + self._store.longest_wait_s + self._set_back_s

    # What is done to a world.

    def _plan_incidents(self) -> None:
        incidents = (
            self._kill_a_child,
            self._kill_a_node,
            self._freeze_a_node,
            self._take_the_store_away,
            self._step_the_clock,
            self._restart_a_node,
        )
        for _ in range(self._chance.index(self._scale.incidents + 1)):
            self._timeline.after(self._chance.between(0, self._scale.faults_s), self._chance.pick(incidents))

    def _kill_a_child(self) -> None:
        children = [child for node in self._fleet.nodes for child in node.children.values() if child.alive]
        if children:
            self._fleet.kill(self._chance.pick(children))

    def _kill_a_node(self) -> None:
        if self._fleet.nodes:
            self._fleet.kill_node(self._chance.pick(self._fleet.nodes))

    def _freeze_a_node(self) -> None:
        if self._fleet.nodes:
            self._fleet.fate.freeze(self._chance.pick(self._fleet.nodes))

    def _restart_a_node(self) -> None:
        if self._fleet.nodes:
            self._fleet.stop(self._chance.pick(self._fleet.nodes))

    def _take_the_store_away(self) -> None:
        until = self._timeline.now + self._chance.between(0.5, 1.5 * self._scale.lease_s)
        self._weather.outage_until = min(until, self._scale.faults_s)
        self._timeline.note(f"the store is away until {self._weather.outage_until:.3f}")

    def _step_the_clock(self) -> None:
        seconds = self._chance.between(-3600, 3600)
        self._runtime.step(seconds)
        self._set_back_s += max(0.0, -seconds)
        self._timeline.note(f"the wall clock steps by {seconds:.0f} s")


@contextmanager
def _silence() -> Iterator[None]:
    """Thousands of deaths are reported in the trace, and not in the log of whoever simulates."""
    log = logging.getLogger("celeriac.worker")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
