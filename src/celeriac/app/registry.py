"""Name -> task: what an app knows how to run.

In a job's life: ``app.task`` puts a task in, the worker's admission asks for it by the name in the message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from celeriac.app.task import Task
from celeriac.core.errors import NotRegistered


class TaskRegistry(Mapping[str, Task[..., Any]]):
    """The tasks of one app. Reading is safe while another thread registers."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task[..., Any]] = {}

    def register(self, task: Task[..., Any]) -> None:
        """Let ``task`` answer to its name; a task of that name before it does so no longer."""
        self._tasks[task.name] = task

    def unregister(self, name: str) -> None:
        """Forget the task of this name.

        Raises:
            NotRegistered: there is none.
        """
        if self._tasks.pop(name, None) is None:
            raise NotRegistered(name, tuple(self._tasks))

    def __getitem__(self, name: str) -> Task[..., Any]:
        try:
            return self._tasks[name]
        except KeyError:
            raise NotRegistered(name, tuple(self._tasks)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._tasks))

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, name: object) -> bool:
        return name in self._tasks

    def __repr__(self) -> str:
        return f"<TaskRegistry: {len(self._tasks)} tasks>"
