"""Name -> task: what an app knows how to run.

In a job's life: ``app.task`` puts a task in, the worker's admission asks for it by the name in the message. Does not know: apps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from celeriac.app.task import Task
from celeriac.core.errors import NotRegistered

AnyTask = Task[..., Any]


class TaskRegistry(dict[str, AnyTask]):
    """The tasks of one app. Reading is safe while another thread registers: what is gone through is a copy."""

    NotRegistered: ClassVar[type[Exception]] = NotRegistered

    def __init__(self, elsewhere: Callable[[str], AnyTask | None] = lambda _: None) -> None:
        """``elsewhere`` is asked for a task that is not here: another app of the process may share one."""
        super().__init__()
        self._elsewhere = elsewhere

    def own(self, name: str) -> AnyTask | None:
        """Return the task of this name if it is here, without asking elsewhere."""
        return super().get(name)

    def register(self, task: AnyTask) -> None:
        """Let ``task`` answer to its name; a task of that name before it does so no longer."""
        self[task.name] = task

    def unregister(self, name: str | AnyTask) -> None:
        """Forget a task, by its name or by itself.

        Raises:
            NotRegistered: there is none.
        """
        known = name if isinstance(name, str) else name.name
        if self.pop(known, None) is None:
            raise NotRegistered(known, tuple(self))

    def __missing__(self, key: str) -> AnyTask:
        task = self._elsewhere(key) if isinstance(key, str) else None
        if task is None:
            raise NotRegistered(key, tuple(self))
        return task

    def get(self, name: str, default: Any = None) -> Any:
        """Return the task of this name, here or elsewhere, or ``default``."""
        task = super().get(name)
        if task is None and isinstance(name, str):
            task = self._elsewhere(name)
        return default if task is None else task

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and self._elsewhere(name) is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(super().keys()))

    def keys(self) -> Any:
        """Return the names, as they are now."""
        return dict.fromkeys(super().keys()).keys()

    def values(self) -> Any:
        """Return the tasks, as they are now."""
        return dict(super().items()).values()

    def items(self) -> Any:
        """Return names and tasks, as they are now."""
        return dict(super().items()).items()

    def regular(self) -> dict[str, AnyTask]:
        """Return the tasks that are no periodic ones."""
        return self.filter_types("regular")

    def periodic(self) -> dict[str, AnyTask]:
        """Return the tasks whose ``type`` says that they are periodic."""
        return self.filter_types("periodic")

    def filter_types(self, type: str) -> dict[str, AnyTask]:
        """Return the tasks of this ``type``; one that says nothing is ``"regular"``."""
        return {name: task for name, task in self.items() if getattr(task, "type", "regular") == type}

    def __repr__(self) -> str:
        return f"<TaskRegistry: {len(self)} tasks>"
