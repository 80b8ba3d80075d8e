"""A stored result as the model that its task returned: ``result.get(model=Order)``.

In a job's life: the very end, where the caller wants more than plain data. Does not know: how a result was waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol, TypedDict

from celeriac.app.arguments import Parameters
from celeriac.app.checking.annotations import RESULT, Unreadable, annotations_of
from celeriac.app.checking.validation import load
from celeriac.app.home import Home


class AwaitKeywords(TypedDict, total=False):
    """Further keywords of ``AsyncResult.aget``, where ``model`` is given."""

    propagate: bool
    follow_parents: bool
    callback: Callable[[str, Any], object] | None
    on_message: Callable[[dict[str, Any]], object] | None
    disable_sync_subtasks: bool


class WaitKeywords(AwaitKeywords, total=False):
    """Further keywords of ``AsyncResult.get``, where ``model`` is given."""

    interval: float
    no_ack: bool
    on_interval: Callable[[], object] | None
    EXCEPTION_STATES: Collection[str]
    PROPAGATE_STATES: Collection[str]


class Named(Protocol):
    """A result that may know which task it is of."""

    @property
    def app(self) -> Home:
        """Who knows the task."""

    @property
    def name(self) -> str | None:
        """Name of the task."""


def as_model(result: Named, value: Any, model: Any) -> Any:
    """Return ``value``, which a task returned, as what ``model`` says; an exception is returned as it is.

    Args:
        result: Where the value is from.
        value: Plain data.
        model: A type. ``True``: what the task, which this program must know then, says that it returns.

    Raises:
        InvalidResult: it is something else.
        TypeError: ``True``, and there is no telling what the task returns.
    """
    if isinstance(value, BaseException):
        return value
    return load(value, _said_by_task(result) if model is True else model)


def _said_by_task(result: Named) -> Any:
    name = result.name
    task = result.app.tasks.get(name) if name is not None else None
    if task is None:
        told = f"no task {name!r} is known here" if name is not None else "it is not known which task this is the result of"
        raise TypeError(f"get(model=True): {told}; name the type: get(model=Order)")
    said = annotations_of(task.run, Parameters(task.run, bound=False).signature).get(RESULT)
    if said is None or isinstance(said, Unreadable):
        why = f"its annotation {said.text} cannot be read: {said.why}" if said is not None else "it has no annotation"
        raise TypeError(f"get(model=True): task {name} does not say what it returns, {why}; name the type: get(model=Order)")
    return said
