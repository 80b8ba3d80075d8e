"""What belongs to one thread, or one coroutine, by Celery's names."""

from __future__ import annotations

from contextvars import ContextVar
from threading import local as Local
from typing import Any


class _LocalStack:
    """A stack of one's own for every thread and every coroutine."""

    def __init__(self) -> None:
        self._items: ContextVar[tuple[Any, ...]] = ContextVar("celery_local_stack", default=())

    def push(self, obj: Any) -> list[Any]:
        """Put something on top; return all of it."""
        self._items.set((*self._items.get(), obj))
        return self.stack

    def pop(self) -> Any:
        """Take off and return what is on top; ``None`` when there is nothing."""
        *rest, top = self._items.get() or (None,)
        self._items.set(tuple(rest))
        return top

    @property
    def top(self) -> Any:
        """What is on top; ``None`` when there is nothing."""
        items = self._items.get()
        return items[-1] if items else None

    @property
    def stack(self) -> list[Any]:
        """All of it, the top last."""
        return list(self._items.get())

    def __len__(self) -> int:
        return len(self._items.get())


LocalStack = _LocalStack
