"""The tasks of a world, one for each kind of fate. ``seconds`` says how many virtual seconds a run takes.

What a task returns tells its id and what it was handed, so that whoever knows a value knows all that came before it.
Does not know: who runs them; the lane lets the time pass.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from celeriac.abc import Runtime
from celeriac.app.conduct import Conduct, conduct_of
from celeriac.app.context import current_context
from celeriac.app.home import Home
from celeriac.app.task import Task
from celeriac.core import protocol
from celeriac.core.errors import Retry
from celeriac.core.message import Message

RETRIES = 2
"""How often the task ``retried`` asks for another run."""
ERRBACK = "errback"
"""Name of the task that hears of failures."""


def value_of(id: str, handed: Sequence[Any]) -> int:
    """Return what the task of this id returns if it was handed this."""
    return zlib.crc32(json.dumps([id, handed]).encode())


class SimulatedTask(Task[..., int]):
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
    rate_limit: str | float | None = None

    def conduct(self) -> Conduct:
        """It needs no app, and has no settings that could change."""
        return conduct_of(self)

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *handed: Any, seconds: float) -> int:
        """Succeed. ``handed`` is what those returned that this one follows."""
        del seconds  # they have passed
        return value_of(_the_message().id, handed)


class _Early(SimulatedTask):
    acks_late = False


class _Limited(SimulatedTask):
    rate_limit = "2/s"


class _Tracked(SimulatedTask):
    track_started = True


class _Failing(SimulatedTask):
    throws = (LookupError,)

    def run(self, *handed: Any, seconds: float) -> int:
        raise LookupError(f"as expected after {seconds} s, handed {handed}")


class _Retried(SimulatedTask):
    """Ends well at its third run."""

    def __init__(self, name: str, runtime: Runtime) -> None:
        super().__init__(name)
        self._runtime = runtime

    def run(self, *handed: Any, seconds: float) -> int:
        message = _the_message()
        if message.retries >= RETRIES:
            return value_of(message.id, handed)
        retry = Retry("not yet", when=seconds)
        retry.again = protocol.retry(message, eta=self._runtime.now() + timedelta(seconds=1 + seconds))
        raise retry


def _the_message() -> Message:
    context = current_context()
    assert context is not None
    return context.message


def the_tasks(app: Home) -> Mapping[str, Task[..., Any]]:
    """Return all tasks that the workers of a world know, by name."""
    tasks: list[SimulatedTask] = [
        SimulatedTask("late"),
        SimulatedTask(ERRBACK),
        _Early("early"),
        _Limited("limited"),
        _Tracked("tracked"),
        _Failing("failing"),
        _Retried("retried", app.runtime),
        SimulatedTask("poison"),
        _Early("early-poison"),
    ]
    for task in tasks:
        task.app = app  # it is asked whether an errback is to be called
    return {task.name: task for task in tasks}
