"""The app of a world: a real one, whose store is what it is handed.

In a world's life: plans, routes and encodes what the program sends and what follows a run. Does not know: who sends.
"""

from __future__ import annotations

from functools import cache

from celeriac.abc import Runtime, Store
from celeriac.app.app import Celery
from celeriac.app.registry import TaskRegistry
from celeriac.testing.simulation.workload import QUEUES


class SimulatedApp(Celery):
    """A ``Celery`` that is nobody's current app and opens no connection."""

    def __init__(self, *, runtime: Runtime, store: Store, embed_limit: int | None) -> None:
        """``embed_limit``: bytes of what comes later that a message may carry; see ``task_workflow_embed_limit``."""
        self._world_store = store
        super().__init__(
            "world",
            broker="memory://",
            backend="memory://",
            set_as_current=False,
            runtime=runtime,
            task_default_queue=QUEUES[0],
            task_workflow_embed_limit=embed_limit,
        )

    @property
    def tasks(self) -> TaskRegistry:
        """The engine's own: worlds share them, since to make them takes longer than some worlds do."""
        return _of_the_engine()

    def open_store(self) -> Store:
        """Return the line of the program that sends."""
        return self._world_store


@cache
def _of_the_engine() -> TaskRegistry:
    return Celery("engine", broker="memory://", backend="memory://", set_as_current=False).tasks
