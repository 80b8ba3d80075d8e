"""``shared_task``: tasks of libraries, which do not know the app.

In a program's life: a library declares, every app there is or will be gets its own task of it. What the decorator returns
stands for the current app's. Does not know: which app that is until it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, Unpack, overload
from weakref import WeakKeyDictionary

from celeriac.app import current
from celeriac.app.current import StandIn
from celeriac.app.parts.declaring import TaskOptions
from celeriac.app.task import Task

P = ParamSpec("P")
R = TypeVar("R")


class SharedTask(StandIn):
    """Stands for the current app's task of this function; whatever is asked of it, that one is asked."""

    __slots__ = ("__dict__",)

    def __init__(self, function: Callable[..., Any], bind: bool, options: Mapping[str, Any]) -> None:
        super().__init__(self._task)
        names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        own: dict[str, Any] = {"_function": function, "_bind": bind, "_options": options, "_names": names}
        # Read by documentation tools and by pickle, which must not have to ask for an app.
        about = ("__doc__", "__module__", "__name__", "__qualname__", "__wrapped__")
        self.__dict__.update(
            own, **{name: getattr(function, name) for name in about if hasattr(function, name)}, __wrapped__=function
        )
        current.share(self._declare)

    def _declare(self, app: Any) -> Task[..., Any]:
        task: Task[..., Any] = app.task(bind=self._bind, **self._options)(self._function)
        self._names[app] = task.name
        return task

    def _task(self) -> Task[..., Any]:
        app: Any = current.get_current_app()
        name = self._names.get(app)
        # Asking for the tasks finalises the app, which then has the shared ones.
        found: Task[..., Any] | None = app.tasks.get(name) if name is not None else None
        return self._declare(app) if found is None else found


@overload
def shared_task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def shared_task(
    function: None = None, /, *, bind: Literal[True], pydantic: Literal[True], **options: Unpack[TaskOptions]
) -> Callable[[Callable[Concatenate[Any, P], Any]], Task[P, Any]]: ...
@overload
def shared_task(
    function: None = None, /, *, bind: Literal[False] = False, pydantic: Literal[True], **options: Unpack[TaskOptions]
) -> Callable[[Callable[P, Any]], Task[P, Any]]: ...
@overload
def shared_task(
    function: None = None, /, *, bind: Literal[True], pydantic: bool = False, **options: Unpack[TaskOptions]
) -> Callable[[Callable[Concatenate[Any, P], R]], Task[P, R]]: ...
@overload
def shared_task(
    function: None = None, /, *, bind: Literal[False] = False, pydantic: bool = False, **options: Unpack[TaskOptions]
) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def shared_task(*args: Any, bind: bool = False, **options: Any) -> Any:
    """Make a task for every app; a decorator, with or without arguments.

    Before any app is made, too: what it returns stands for the current app's task when it is used. Options are those of
    ``app.task``.

    Raises:
        TypeError: what it is given is no function.

    Source: Celery's guide, "First steps with Django", and its reference of ``celery.shared_task``.
    """
    if len(args) > 1 or (args and args[0] is not None and not callable(args[0])):
        raise TypeError(f"@shared_task takes one function, not {args!r}; a name is given as name=...")
    if not args or args[0] is None:
        return lambda function: SharedTask(function, bind, options)
    return SharedTask(args[0], bind, options)
