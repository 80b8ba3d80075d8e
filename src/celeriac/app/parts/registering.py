"""Registering: the tasks of an app.

In a program's life: while modules are imported, functions become tasks, at once. The app is *finalised* when its tasks are
first asked for: it then gets what is shared by all apps, and says so (``on_after_finalize``), once. Names and meanings:
Celery's guide, "Application". Does not know: how a task is sent or run, which modules hold tasks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, Unpack, cast, overload

from celeriac.abc import Runtime
from celeriac.app import builtin, current
from celeriac.app.dispatch import Signal
from celeriac.app.parts.connecting import Connecting
from celeriac.app.parts.declaring import TaskOptions, checked_options, make_task, rebase, task_name, warn_of_another
from celeriac.app.plan import Recipe
from celeriac.app.recipes import recipe_from
from celeriac.app.registry import TaskRegistry
from celeriac.app.task import Task as ATask  # in the class, Task is a property
from celeriac.config.sources import load

P = ParamSpec("P")
R = TypeVar("R")
AnyTask = ATask[..., Any]
T = TypeVar("T", bound=AnyTask)
TaskClass = type[AnyTask] | str
"""A class of tasks, or its dotted name."""
Declaration = tuple[Callable[..., Any], bool, Mapping[str, Any]]
"""What ``@app.task`` was given: function, ``bind``, options."""


class Registering(Connecting):
    """The part of an app that knows its tasks."""

    main: str | None = None
    """Name for tasks of the module that is run as a program."""
    task_cls: TaskClass = ATask
    """Class of the tasks, or its dotted name: for subclasses to set. ``app.Task`` is made of it."""
    autofinalize: bool = True
    """Finalise when tasks are first asked for; otherwise only ``finalize`` does."""

    def __init__(self, main: str | None, given: Mapping[str, Any], runtime: Runtime, task_cls: TaskClass | None) -> None:
        """No task is known yet."""
        super().__init__(given, runtime)
        self.main = main or self.main
        if task_cls is not None:
            self.task_cls = task_cls
        self.on_after_finalize = Signal(name="app.on_after_finalize")
        """Sent once, when all tasks that were declared are known. Sender: the app."""
        self.finalized = False
        self._finalizing = False
        # Not the lock of the store: a receiver may import a module whose tasks another thread is declaring.
        self._finalize_lock = RLock()
        self._tasks = TaskRegistry(elsewhere=self._from_elsewhere)
        self._Task: type[AnyTask] | None = None
        self._followers: list[AnyTask] = []
        """Tasks that named no base of their own: they follow ``app.Task``."""
        self._shareable: dict[str, Declaration] = {}
        """How each task was declared that other apps may have, too."""

    # ---- finalising --------------------------------------------------------------------------------------------

    @property
    def tasks(self) -> TaskRegistry:
        """Name -> task. Finalises the app.

        Raises:
            RuntimeError: the app was made with ``autofinalize=False`` and nobody has called ``finalize``.
        """
        if not self.finalized:
            self.finalize(auto=True)
        return self._tasks

    def finalize(self, auto: bool = False) -> None:
        """Let the app have the tasks that are shared by all apps, and send ``on_after_finalize``. Once; later calls do nothing.

        Args:
            auto: Nobody asked for it: refuse if the app was made with ``autofinalize=False``.
        """
        if auto and not self.autofinalize and not self._finalizing:
            raise RuntimeError(f"{self!r} was made with autofinalize=False: call its finalize() before its tasks are used")
        with self._finalize_lock:
            if self._finalizing:  # done, or asked by a receiver of this very thread
                return
            self._finalizing = True
            builtin.register(self, self._tasks)
            for register in current.shared_by_all():
                register(self)
            self.finalized = True
        # Not under the lock: a receiver may read the settings, and who reads them elsewhere may be asking for the tasks.
        self.on_after_finalize.send(self)

    def adopt(self, register: Callable[[Any], object]) -> None:
        """Call ``register`` with this app if it is finalised; if not, ``finalize`` does."""
        if self._finalizing:
            register(self)

    def _from_elsewhere(self, name: str) -> AnyTask | None:
        """Return our task for a name that nobody registered: the name that Celery gives to a task of the program that is run, or
        that of a task which another app of this process has declared. Tasks are shared unless they say not.
        """
        module, dot, function = name.rpartition(".")
        if dot and module == "__main__":
            return self._tasks.own(self.gen_task_name(function, module))
        for app in current.get_active_apps():
            declared = cast("Registering", app)._shareable.get(name) if app is not self else None
            if declared is not None:
                return self._declare(*declared)
        return None

    def abandon(self) -> None:
        """As below; a thread that does not exist here may have held the lock."""
        self._finalize_lock = RLock()
        super().abandon()

    # ---- declaring ---------------------------------------------------------------------------------------------

    @property
    def Task(self) -> type[AnyTask]:  # noqa: N802 - Celery's name
        """Class of the tasks that ``task`` makes, and that class-based tasks inherit; has this app as ``app``.

        It may be replaced, before tasks are declared and after: those that named no base of their own follow.
        """
        if self._Task is None:
            with self._lock:
                if self._Task is None:
                    self._Task = self.create_task_cls()
        return self._Task

    @Task.setter
    def Task(self, replacement: type[AnyTask]) -> None:  # noqa: N802 - Celery's name
        with self._lock:
            self._Task = replacement
            for task in self._followers:
                rebase(task, replacement)
            # What was resolved from attributes of the class before is resolved again.
            self.conf.touch()

    def create_task_cls(self) -> type[AnyTask]:
        """Return the class that ``task_cls`` names, bound to this app."""
        found = load(self.task_cls, what="the class of tasks") if isinstance(self.task_cls, str) else self.task_cls
        bound: type[AnyTask] = self.subclass_with_self(found, name="Task", attribute="app", abstract=True)
        return bound

    def subclass_with_self(
        self,
        Class: type | str,  # noqa: N803 - Celery's name
        name: str | None = None,
        attribute: str = "app",
        reverse: str | None = None,
        keep_reduce: bool = False,
        **attributes: Any,
    ) -> Any:
        """Return a subclass of ``Class`` that has this app as an attribute.

        Args:
            Class: The class, or its dotted name.
            name: Of the subclass.
            attribute: Name of the attribute that holds the app.
            reverse: Attribute of the app that holds the subclass: its instances are pickled by way of it.
            keep_reduce: They are pickled as ``Class`` says.
            attributes: Others of the subclass.

        Source: Celery's reference of ``Celery.subclass_with_self``.
        """
        found: type = load(Class, what="the class") if isinstance(Class, str) else Class
        own: dict[str, Any] = {attribute: self, "__module__": found.__module__, "__doc__": found.__doc__, **attributes}
        if reverse is not None and not keep_reduce:
            own["__reduce__"] = lambda made: (_made_again, (self, reverse, made.__reduce_args__()))
        return type(name or found.__name__, (found,), own)

    # With pydantic=True the caller gets plain data, of which no type is known: Any.
    @overload
    def task(self, function: Callable[P, R], /) -> ATask[P, R]: ...
    @overload
    def task(
        self, function: None = None, /, *, bind: Literal[True], pydantic: Literal[True], **options: Unpack[TaskOptions]
    ) -> Callable[[Callable[Concatenate[Any, P], Any]], ATask[P, Any]]: ...
    @overload
    def task(
        self, function: None = None, /, *, bind: Literal[False] = False, pydantic: Literal[True], **options: Unpack[TaskOptions]
    ) -> Callable[[Callable[P, Any]], ATask[P, Any]]: ...
    @overload
    def task(
        self, function: None = None, /, *, bind: Literal[True], pydantic: bool = False, **options: Unpack[TaskOptions]
    ) -> Callable[[Callable[Concatenate[Any, P], R]], ATask[P, R]]: ...
    @overload
    def task(
        self, function: None = None, /, *, bind: Literal[False] = False, pydantic: bool = False, **options: Unpack[TaskOptions]
    ) -> Callable[[Callable[P, R]], ATask[P, R]]: ...

    def task(self, *args: Any, bind: bool = False, filter: Callable[[Any], Any] | None = None, **options: Any) -> Any:
        """Make a task of a function; a decorator, with or without arguments.

        Args:
            args: What the task runs, if this is called as a function or as a decorator without arguments.
            bind: Hand it the task itself as its first argument.
            filter: Called with the task; what it returns stands in its place.
            options: Attributes of the task, such as ``name``, ``acks_late``, ``autoretry_for``; ``shared=False`` keeps it from
                the other apps of the process. ``lazy`` is accepted for Celery's sake: a task is made at once in any case.

        Raises:
            TypeError: what it is given is no function, or an option looks like a misspelt one.
        """
        if len(args) > 1:
            raise TypeError(f"@app.task takes one function, and options by their names; it was given {len(args)} values")

        def declare(function: Callable[..., Any]) -> Any:
            task = self._declare(function, bind, options)
            return task if filter is None else filter(task)

        return declare(args[0]) if args and args[0] is not None else declare

    def _declare(self, function: Callable[..., Any], bind: bool, options: Mapping[str, Any]) -> AnyTask:
        name = options.get("name") or self.gen_task_name(*_names_of(function))
        with self._lock:
            if (known := self._tasks.own(name)) is not None:
                # A module imported twice, or a shared task of two apps: the first one stays, as with Celery.
                return warn_of_another(known, function)
            task = make_task(self, function, name=name, bind=bind, options=options)
            if options.get("shared", True):
                self._shareable[name] = (function, bind, {**options, "name": name})
            if options.get("base") is None:
                self._followers.append(task)
            self._tasks.register(task)
            return task

    def _task_from_fun(
        self,
        fun: Callable[..., Any],
        name: str | None = None,
        base: Any = None,
        bind: bool = False,
        pydantic: bool = False,
        pydantic_strict: bool = False,
        pydantic_context: Mapping[str, Any] | None = None,
        pydantic_dump_kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> AnyTask:
        """Make a task of ``fun``: what ``task`` does, under the name by which extensions of Celery's call it."""
        models = {"pydantic": pydantic, "pydantic_strict": pydantic_strict, "pydantic_context": pydantic_context}
        models["pydantic_dump_kwargs"] = pydantic_dump_kwargs
        said = {"name": name, "base": base, **(models if pydantic else {}), **options}
        return self._declare(fun, bind, said)

    def register_task(self, task: T | type[T], **options: Any) -> T:
        """Make a class-based task one of this app's tasks.

        Args:
            task: An instance, or the class, of which one is made.
            options: Attributes of the task.
        """
        if not (isinstance(task, ATask) or (isinstance(task, type) and issubclass(task, ATask))):
            raise TypeError(f"register_task takes a class-based task, not {task!r}; for a function there is @app.task")
        made = task() if isinstance(task, type) else task
        made.name = made.name or self.gen_task_name(type(made).__name__, type(made).__module__)
        for attribute, value in checked_options(made.name, options).items():
            setattr(made, attribute, value)
        home: Any = self  # all of it by the time that a task asks
        self._tasks.register(made.bind(home))
        return made

    def gen_task_name(self, name: str, module: str) -> str:
        """Return the name of a task: its module and its function. May be replaced by a subclass."""
        return task_name(name, module, self.main, getattr(sys.modules.get(module), "__file__", None))

    def recipe_of(self, name: str) -> Recipe:
        """Return what holds for every call of the task ``name``, known here or not."""
        task = self.tasks.get(name)
        return task.recipe() if task is not None else recipe_from(name, self.settings.task)

    def run_here(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call the task ``name`` as a function."""
        return self.tasks[name](*args, **kwargs)


def _names_of(function: Any) -> tuple[str, str]:
    """Return the name and the module of what is to be a task.

    Raises:
        TypeError: it is no function, or the class of a task.
    """
    if isinstance(function, type) and issubclass(function, ATask):
        kind = function.__name__
        raise TypeError(f"@app.task takes a function; {kind} is a class-based task: app.register_task({kind}())")
    if not callable(function):
        raise TypeError(f"@app.task takes a function, not {function!r}; a name is given as name=...")
    while isinstance(function, partial):
        function = function.func
    # An object that can be called has no name of its own: its class has.
    named = function if hasattr(function, "__name__") else type(function)
    return named.__name__, getattr(function, "__module__", None) or type(function).__module__


def _made_again(app: Registering, attribute: str, args: Sequence[Any]) -> Any:
    return getattr(app, attribute)(*args)
