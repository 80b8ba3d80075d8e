"""The tasks of a world, one for each kind of fate. The first argument says how many virtual seconds a run takes.

Does not know: who runs them; the lane lets the time pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from celeriac.abc import Runtime
from celeriac.app.conduct import Conduct, conduct_of
from celeriac.app.context import current_context
from celeriac.app.task import Task
from celeriac.core import protocol
from celeriac.core.errors import Retry

RETRIES = 2
"""How often the task ``retried`` asks for another run."""


class SimulatedTask(Task[..., str]):
    """A task that needs no app: what the settings would say is said here."""

    plain = True
    ignore_result = False
    store_errors_even_if_ignored = False
    track_started = False
    acks_late = True
    acks_on_failure_or_timeout = True
    acks_on_failure: bool | None = None
    acks_on_timeout: bool | None = None
    reject_on_worker_lost = None
    retry_on_worker_lost = None
    time_limit = None
    soft_time_limit = None

    def conduct(self) -> Conduct:
        """It needs no app, and has no settings that could change."""
        return conduct_of(self)

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, seconds: float, after: str = "nothing") -> str:
        """Succeed. ``after`` is what the task returned that this one follows."""
        return f"{seconds} s, then {after}"


class _Early(SimulatedTask):
    acks_late = False


class _Tracked(SimulatedTask):
    track_started = True


class _Failing(SimulatedTask):
    throws = (LookupError,)

    def run(self, seconds: float, after: str = "nothing") -> str:
        raise LookupError(f"as expected after {seconds} s and {after}")


class _Retried(SimulatedTask):
    """Ends well at its third run."""

    def __init__(self, name: str, runtime: Runtime) -> None:
        super().__init__(name)
        self._runtime = runtime

    def run(self, seconds: float, after: str = "nothing") -> str:
        context = current_context()
        assert context is not None
        if context.retries >= RETRIES:
            return f"at last, after {after}"
        retry = Retry("not yet", when=seconds)
        retry.again = protocol.retry(context.message, eta=self._runtime.now() + timedelta(seconds=1 + seconds))
        raise retry


def the_tasks(runtime: Runtime) -> Mapping[str, Task[..., Any]]:
    """Return all tasks that the workers of a world know, by name."""
    tasks: list[SimulatedTask] = [
        SimulatedTask("late"),
        _Early("early"),
        _Tracked("tracked"),
        _Failing("failing"),
        _Retried("retried", runtime),
        SimulatedTask("poison"),
        _Early("early-poison"),
    ]
    return {task.name: task for task in tasks}
