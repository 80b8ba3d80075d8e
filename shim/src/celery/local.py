"""Objects that stand for others, under Celery's path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from celeriac.app.current import StandIn
from celery.utils.functional import mlazy


class Proxy(StandIn):
    """Stands for what ``local(*args, **kwargs)`` returns, asked anew each time; an item of it is asked of that, too."""

    __slots__ = ("_name",)

    def __init__(
        self,
        local: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        __doc__: str | None = None,
    ) -> None:
        super().__init__(partial(local, *(args or ()), **(kwargs or {})))
        object.__setattr__(self, "_name", name or __doc__)

    def __getitem__(self, i: Any) -> Any:
        return self._get_current_object()[i]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._get_current_object()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._get_current_object()[key]

    def __len__(self) -> int:
        return len(self._get_current_object())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._get_current_object())

    def __contains__(self, i: Any) -> bool:
        return i in self._get_current_object()

    def __add__(self, other: Any) -> Any:
        return self._get_current_object() + other

    def __or__(self, other: Any) -> Any:
        return self._get_current_object() | other

    def __invert__(self) -> Any:
        return ~self._get_current_object()

    def __str__(self) -> str:
        return str(self._get_current_object())


class PromiseProxy(Proxy):
    """Stands for what ``local(*args, **kwargs)`` returned when it was first asked."""

    __slots__ = ()

    def __init__(
        self,
        local: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        __doc__: str | None = None,
    ) -> None:
        super().__init__(mlazy(local, *(args or ()), **(kwargs or {})), None, None, name, __doc__)

    def __evaluated__(self) -> bool:
        """Say whether it was asked already."""
        found: Any = object.__getattribute__(self, "_find")
        return bool(found.func.evaluated)


def maybe_evaluate(obj: Any) -> Any:
    """Return what an object stands for; the object itself if it stands for none."""
    return obj._get_current_object() if issubclass(type(obj), StandIn) else obj


def try_import(module: str, default: ModuleType | None = None) -> ModuleType | None:
    """Import a module; return ``default`` when there is none."""
    try:
        return import_module(module)
    except ImportError:
        return default
