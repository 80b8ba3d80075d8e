"""Newest: a mapping of bounded size that forgets what came in first.

In an event's life: where ``State`` keeps tasks and nodes. Reading does not make anything newer, so that a monitor that looks at
an old task does not make it stay. ``data`` and ``limit`` are the names that programs of Celery know. Safe in any thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from threading import RLock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Newest(MutableMapping[str, T], Generic[T]):
    """At most ``limit`` entries. Iterating goes over those that were there when it began."""

    def __init__(self, limit: int | None = None, *, forgotten: Callable[[T], None] | None = None) -> None:
        """``limit=None``: no bound. ``forgotten`` is called with what made room for others."""
        self.limit, self._forgotten = limit, forgotten
        self.data: OrderedDict[str, T] = OrderedDict()
        self.mutex = RLock()

    def __getitem__(self, key: str) -> T:
        return self.data[key]

    def __setitem__(self, key: str, value: T) -> None:
        with self.mutex:
            self.data[key] = value
            while self.limit is not None and len(self.data) > self.limit:
                _, old = self.data.popitem(last=False)
                if self._forgotten is not None:
                    self._forgotten(old)

    def __delitem__(self, key: str) -> None:
        with self.mutex:
            del self.data[key]

    def __iter__(self) -> Iterator[str]:
        with self.mutex:
            return iter(list(self.data))

    def get(self, key: str, default: Any = None) -> Any:
        """The entry, or ``default``."""
        return self.data.get(key, default)

    def __len__(self) -> int:
        return len(self.data)

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def keys(self) -> KeysView[str]:
        """As they are now."""
        return self._copy().keys()

    def values(self) -> ValuesView[T]:
        """As they are now."""
        return self._copy().values()

    def items(self) -> ItemsView[str, T]:
        """As they are now."""
        return self._copy().items()

    def clear(self) -> None:
        """Forget all."""
        with self.mutex:
            self.data.clear()

    def replace(self, entries: Iterable[tuple[str, T]]) -> None:
        """Hold these, and nothing else."""
        with self.mutex:
            self.data = OrderedDict(entries)

    def _copy(self) -> OrderedDict[str, T]:
        with self.mutex:
            return self.data.copy()

    def __getstate__(self) -> Mapping[str, Any]:
        with self.mutex:
            return {"limit": self.limit, "data": self.data.copy()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.limit, self.data = state["limit"], state["data"]
        self._forgotten, self.mutex = None, RLock()

    def __repr__(self) -> str:
        return f"<Newest: {len(self.data)} of {self.limit or 'any number'}>"
