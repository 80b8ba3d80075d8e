"""An argument of an entry that is made anew for each tick.

In a tick's life: entry -> arguments -> **here** -> message. Only entries of the settings have some: a function cannot be stored.
Source: ``celery.beat.BeatLazyFunc``. Does not know: entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class BeatLazyFunc:
    """A function that is called when the task is sent: its value is the argument.

    Example:
        >>> beat_schedule = {"report": {"task": "shop.report", "schedule": 300, "kwargs": {"until": BeatLazyFunc(datetime.now)}}}
    """

    def __init__(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._func = func
        self._func_params = {"args": args, "kwargs": kwargs}

    def __call__(self) -> Any:
        """Return its value now."""
        return self.delay()

    def delay(self) -> Any:
        """Return its value now."""
        return self._func(*self._func_params["args"], **self._func_params["kwargs"])  # type: ignore[arg-type]


def arguments_now(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return arguments with the values of those that are made for each tick."""
    return [_now(value) for value in args or ()], {name: _now(value) for name, value in (kwargs or {}).items()}


def _now(value: Any) -> Any:
    return value() if isinstance(value, BeatLazyFunc) else value
