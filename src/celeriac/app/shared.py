"""``shared_task``: tasks of libraries, which do not know the app.

In a program's life: a library declares, every app there is or will be gets its own task of it. What the decorator returns
stands for the current app's. Does not know: which app that is until it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, Unpack, cast, overload

from celeriac.app import current
from celeriac.app.app import Celery
from celeriac.app.declaring import TaskOptions
from celeriac.app.task import Task

P = ParamSpec("P")
R = TypeVar("R")


class SharedTask:
    """Stands for the current app's task of this function; whatever is asked of it, that one is asked."""

    def __init__(self, function: Callable[..., Any], bind: bool, options: Mapping[str, Any]) -> None:
        self.__wrapped__ = function
        self.__doc__, self.__module__, self.__name__ = function.__doc__, function.__module__, function.__name__
        self._bind, self._options = bind, options
        current.share(self._declare)

    def _declare(self, app: Any) -> Task[..., Any]:
        if self._bind:
            bound: Task[..., Any] = app.task(bind=True, **self._options)(self.__wrapped__)
            return bound
        task: Task[..., Any] = app.task(**self._options)(self.__wrapped__)
        return task

    def _task(self) -> Task[..., Any]:
        return self._declare(cast("Celery", current.current_app()))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, here and now."""
        return self._task()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task(), name)

    def __repr__(self) -> str:
        return f"<shared task {self.__module__}.{self.__name__}>"


@overload
def shared_task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def shared_task(
    function: None = None, /, *, bind: Literal[True], **options: Unpack[TaskOptions]
) -> Callable[[Callable[Concatenate[Any, P], R]], Task[P, R]]: ...
@overload
def shared_task(
    function: None = None, /, *, bind: Literal[False] = False, **options: Unpack[TaskOptions]
) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def shared_task(function: Callable[..., Any] | None = None, /, *, bind: bool = False, **options: Any) -> Any:
    """Make a task for every app; a decorator, with or without arguments. Options are those of ``app.task``."""
    if function is None:
        return lambda function: SharedTask(function, bind, options)
    return SharedTask(function, bind, options)
