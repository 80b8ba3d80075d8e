"""The program of a world: sends, revokes, pauses and resumes, as clients do, and notes what it was told.

In a world's life: acts at moments that the seed has chosen, and tries nothing twice: what the store has taken although the
caller was told otherwise is taken. Does not know: workers, promises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from celeriac.abc import Runtime
from celeriac.core.errors import OperationalError
from celeriac.testing.simulation.app import SimulatedApp
from celeriac.testing.simulation.chance import Chance
from celeriac.testing.simulation.growing import Workflow, sown
from celeriac.testing.simulation.line import Line
from celeriac.testing.simulation.report import Scale
from celeriac.testing.simulation.timeline import Timeline
from celeriac.testing.simulation.workload import PAUSED_TASKS, QUEUES, Job, Kind, encode


class Program:
    """A client, which lives as long as the world."""

    def __init__(self, line: Line, app: SimulatedApp, timeline: Timeline, chance: Chance, runtime: Runtime) -> None:
        self._line, self._app, self._timeline, self._chance, self._runtime = line, app, timeline, chance, runtime

    def plan(self, jobs: Sequence[Job], workflows: Sequence[Workflow], scale: Scale) -> None:
        """Put on the timeline what is to be sent."""
        for job in jobs:
            self._at(job.at, f"publish {job.id}", partial(self._publish, job))
            self._plan_revocation(job)
        for workflow in workflows:
            self._at(workflow.at, f"begin {workflow.id}", partial(self._begin, workflow))
            for job in workflow.jobs:
                self._plan_revocation(job)

        for _ in range(self._chance.index(scale.pauses + 1) if scale.pauses else 0):
            self._plan_pause(scale.faults_s * 0.7)

    def _plan_pause(self, until: float) -> None:
        queues, tasks = (
            ([self._chance.pick(QUEUES)], []) if self._chance.happens(0.4) else ([], [self._chance.pick(PAUSED_TASKS)])
        )
        what, begin = ", ".join((*queues, *tasks)), self._chance.between(0, until)
        end = begin + self._chance.pick((0.001, 2.0, 30.0))
        self._at(begin, f"pause {what}", partial(self._line.pause, queues=queues, tasks=tasks))
        self._at(end, f"resume {what}", partial(self._line.resume, queues=queues, tasks=tasks))

    def _plan_revocation(self, job: Job) -> None:
        if job.kind is Kind.REVOKED:
            # Some before they are there, some when they wait, some when they have long been done.
            moment = max(0.0, job.at + self._chance.pick((-0.1, 0.001, job.delay_s)))
            self._at(moment, f"revoke {job.id}", partial(self._line.revoke, [job.id]))

    def _at(self, moment: float, what: str, act: Callable[[], None]) -> None:
        self._timeline.after(moment, partial(self._attempt, what, act))

    def _attempt(self, what: str, act: Callable[[], None]) -> None:
        self._timeline.note(f"program: {what}")
        try:
            act()
        except OperationalError as error:
            self._timeline.note(f"program: {what} failed: {error}")

    def _publish(self, job: Job) -> None:
        self._line.publish([encode(job, self._runtime)])

    def _begin(self, workflow: Workflow) -> None:
        sown(workflow.tree, self._app).apply_async()
