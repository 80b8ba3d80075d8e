"""From a decorated function to a task's name and attributes.

In a program's life: while modules are imported. Does not know: apps, registries.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial, wraps
from pathlib import PurePath
from typing import Any, Final, TypedDict

from celeriac.app import attributes
from celeriac.app.handlers import NAMES
from celeriac.app.task import Task

log = logging.getLogger("celeriac.app")


class TaskOptions(TypedDict, total=False):
    """Keywords of ``@app.task``, but for ``bind`` and ``pydantic``. Each is explained at the attribute of ``Task``."""

    name: str
    base: type[Task[..., Any]]
    typing: bool
    max_retries: int | None
    default_retry_delay: float
    autoretry_for: tuple[type[BaseException], ...]
    dont_autoretry_for: tuple[type[BaseException], ...]
    retry_kwargs: Mapping[str, Any]
    retry_backoff: bool | float
    retry_backoff_max: float
    retry_jitter: bool
    throws: tuple[type[BaseException], ...]
    serializer: str
    compression: str
    ignore_result: bool
    store_errors_even_if_ignored: bool
    track_started: bool
    acks_late: bool
    acks_on_failure_or_timeout: bool
    acks_on_failure: bool
    acks_on_timeout: bool
    reject_on_worker_lost: bool
    time_limit: float
    soft_time_limit: float
    backend: Any
    resultrepr_maxsize: int
    store_eager_result: bool
    retry_on_worker_lost: bool
    pydantic_strict: bool
    pydantic_context: Mapping[str, Any] | None
    pydantic_dump_kwargs: Mapping[str, Any] | None
    before_start: Callable[..., Any]
    on_success: Callable[..., Any]
    on_failure: Callable[..., Any]
    on_retry: Callable[..., Any]
    after_return: Callable[..., Any]
    shadow_name: Callable[..., Any]
    Strategy: Any
    Request: Any
    priority: int | None
    delivery_mode: int | str
    expires: Any
    queue: Any
    exchange: Any
    exchange_type: str
    routing_key: str
    immediate: bool
    mandatory: bool
    rate_limit: str | float
    trail: bool
    send_events: bool
    shared: bool
    lazy: bool


_KNOWN: Final = attributes.KNOWN | frozenset(NAMES) | {"bind", "shadow_name", "on_bound", "on_replace"}
_OURS: Final = frozenset({"name", "base", "bind", "shared", "lazy", "filter"})
"""Read by the app, no attributes."""


def make_task(app: Any, function: Callable[..., Any], *, name: str, bind: bool, options: Mapping[str, Any]) -> Task[..., Any]:
    """Return the task that runs ``function``: the one instance of a class of its own, as Celery's tasks are.

    So attributes and handlers that were given as options are there when the ``__init__`` of a base class asks for them, and
    a function among them is a method.

    Args:
        app: Whose task it is to be.
        function: What it runs.
        name: Its name.
        bind: Hand ``function`` the task itself first.
        options: What ``@app.task(...)`` was given.

    Raises:
        TypeError: an option that is nearly one of ours; others are attributes of the user's own.
    """
    base: type[Task[..., Any]] = options.get("base") or app.Task
    if not (isinstance(base, type) and issubclass(base, Task)):
        raise TypeError(f"task {name}: base={base!r} is no class of tasks: inherit from celeriac.Task")
    run = function if bind and hasattr(function, "__get__") else staticmethod(function)
    if bind and run is not function:
        run = _with_task_first(function)
    said = checked_options(name, options)
    named = _name_of(function)
    body = {"name": name, "run": run, "__wrapped__": run, "__header__": staticmethod(function)}
    about: dict[str, Any] = {
        "__doc__": function.__doc__,
        "__module__": _module_of(function),
        "__qualname__": getattr(function, "__qualname__", named),
    }
    task: Task[..., Any] = type(named, (base,), {**said, **body, **about})()
    task.__name__, task.__qualname__ = named, about["__qualname__"]
    task.__annotations__ = getattr(function, "__annotations__", {})
    return task.bind(app)


def checked_options(task: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are attributes. ``None`` leaves one as the class or the settings have it.

    Raises:
        TypeError: an option that is nearly one of ours.
    """
    said: dict[str, Any] = {}
    for name, value in options.items():
        if name in _OURS:
            continue
        if name not in _KNOWN and (near := get_close_matches(name, _KNOWN, n=1, cutoff=0.8)):
            raise TypeError(f"task {task}: there is no option {name!r}: did you mean {near[0]!r}?")
        if value is not None or name == "max_retries":
            said[name] = value
    return said


def rebase(task: Task[..., Any], base: type[Task[..., Any]]) -> None:
    """Let a task that ``make_task`` made inherit from another class: ``app.Task`` was replaced after it was declared."""
    kind = type(task)
    inherited = {name: value for name, value in vars(kind).items() if name not in {"__dict__", "__weakref__"}}
    task.__class__ = type(kind.__name__, (base,), inherited)
    task.__init__()  # type: ignore[misc]  # what the class keeps for each process
    task.bind(task.app)


def _with_task_first(function: Callable[..., Any]) -> Callable[..., Any]:
    """A callable object is no method of the class that it is put into."""

    @wraps(function, assigned=("__doc__",), updated=())
    def run(task: Any, *args: Any, **kwargs: Any) -> Any:
        return function(task, *args, **kwargs)

    return run


def _innermost(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    # An object that can be called has no name of its own: its class has.
    return function if hasattr(function, "__name__") else type(function)


def _name_of(function: Any) -> str:
    name: str = _innermost(function).__name__
    return name


def _module_of(function: Any) -> str:
    module: str = getattr(function, "__module__", None) or _innermost(function).__module__
    return module


def warn_of_another(task: Task[..., Any], function: Callable[..., Any]) -> Task[..., Any]:
    """Return ``task``; warn if it has the name of ``function`` and is another one, which so cannot be called."""
    here, there = _source(function), _source(getattr(task, "__wrapped__", None))
    if here != there:
        log.warning("two functions are called %r: %s answers, %s does not; give one a name=", task.name, there, here)
    return task


def _source(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else repr(function)


_PROGRAM: Final = frozenset({"__main__", "__mp_main__"})
"""What the module that is run as a program is called; the second one in processes that ``multiprocessing`` spawns."""


def task_name(name: str, module: str, main: str | None, program: str | None) -> str:
    """Return the name of a task: module and function.

    Args:
        name: Of the function.
        module: Where it is defined.
        main: The app's name: stands for the module that is run as a program.
        program: File of that module.
    """
    if module in _PROGRAM:
        # A worker imports the same file by its name: both must call the task the same.
        module = main or (PurePath(program).stem if program else module)
    return f"{module}.{name}" if module else name
