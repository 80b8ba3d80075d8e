"""Celery: puts the parts together; does no work itself.

In a program's life: made once, at import. Tasks are registered at once; the settings are read when something first needs
them, the store is opened when something is first sent or asked. Safe in any thread, and across forks. Names and meanings:
Celery's guide, "Application".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from threading import RLock
from types import TracebackType
from typing import Any, Concatenate, Final, Literal, ParamSpec, Self, TypeVar, Unpack, overload
from weakref import WeakSet

from celeriac.abc import Runtime, Store
from celeriac.app import current, signals
from celeriac.app.arguments import arguments_from
from celeriac.app.assembly import broker_url, make_producer, result_url, router_of, store_of
from celeriac.app.declaring import TaskOptions, apply_options, task_name, warn_of_another
from celeriac.app.discovery import discover, import_all
from celeriac.app.options import OptionKeywords, options_from
from celeriac.app.outbox import Outbox
from celeriac.app.plan import Call, Recipe
from celeriac.app.producer import Producer
from celeriac.app.recipes import recipe_from
from celeriac.app.registry import TaskRegistry
from celeriac.app.result import AsyncResult, sent
from celeriac.app.results import Results
from celeriac.app.runtime import SystemRuntime
from celeriac.app.signature import Signature, call_from_stored, signature
from celeriac.app.task import Task
from celeriac.app.zones import zone_of
from celeriac.config.sections import Settings
from celeriac.config.settings import Conf
from celeriac.config.sources import from_environment, from_object
from celeriac.core.codecs import content_types
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Outgoing
from celeriac.drivers.registry import Places, places

P = ParamSpec("P")
R = TypeVar("R")

_apps: Final[WeakSet[Celery]] = WeakSet()


class Celery:
    """An app: tasks, settings, and the store that they share.

    Example:
        >>> app = Celery("shop", broker="redis://", backend="redis://")
        >>> @app.task
        ... def add(x: int, y: int) -> int:
        ...     return x + y
        >>> add.delay(2, 2).get(timeout=1)
        4
    """

    def __init__(
        self,
        main: str | None = None,
        *,
        broker: str | list[str] | None = None,
        backend: str | None = None,
        include: Sequence[str] | None = None,
        set_as_current: bool = True,
        config_source: Any = None,
        namespace: str | None = None,
        task_cls: type[Task[..., Any]] = Task,
        runtime: Runtime | None = None,
        **settings: Any,
    ) -> None:
        """Make an app. Nothing is connected.

        Args:
            main: Name for tasks of the module that is run as a program.
            broker: ``broker_url``. ``None``: the embedded store of this user.
            backend: ``result_backend``.
            include: Modules that a worker imports.
            set_as_current: Be the app of code that was handed none, if there is no other.
            config_source: As for ``config_from_object``.
            namespace: The same.
            task_cls: Class of the tasks.
            runtime: Clock, chance, ids; for tests and simulations.
            settings: Any setting by its name.

        Raises:
            ImproperlyConfigured: a setting does not exist or has a value that it cannot have.
        """
        self.main = main
        self.runtime: Runtime = runtime or SystemRuntime()
        self.Task = task_cls
        """Class of the tasks that ``task`` makes."""
        self._tasks = TaskRegistry()
        given = {"broker_url": broker, "result_backend": backend, "include": include}
        self._given = {name: value for name, value in given.items() if value is not None} | settings
        self.conf = Conf(self._given, overrides=from_environment(os.environ))
        """The settings, by Celery's names."""
        self._lock = RLock()
        self._packages: list[tuple[Sequence[str] | Callable[[], Iterable[str]], str | None]] = []
        self._store: Store | None = None
        self._producer: Producer | None = None
        self._producer_revision = -1
        self._outbox = Outbox(lambda messages, deadline_s: self.store.publish(messages, deadline_s=deadline_s))
        self._results = Results(lambda: self.store, runtime=self.runtime, settings=lambda: self.settings.result)
        if config_source is not None:
            self.config_from_object(config_source, namespace=namespace)
        _apps.add(self)
        current.announce(self, current=set_as_current)

    @property
    def settings(self) -> Settings:
        """The settings as typed sections."""
        return self.conf.settings()

    @property
    def tasks(self) -> TaskRegistry:
        """Name -> task."""
        return self._tasks

    @property
    def results(self) -> Results:
        """Reads results."""
        return self._results

    @property
    def timezone(self) -> tzinfo:
        """Where times without a zone are meant."""
        general = self.settings.general
        return zone_of(general.timezone, enable_utc=general.enable_utc, now=self.runtime.now())

    @property
    def accept_content(self) -> frozenset[str]:
        """Content types that may be read."""
        return content_types(self.settings.general.accept_content)

    # ---- tasks -------------------------------------------------------------------------------------------------

    @overload
    def task(self, function: Callable[P, R], /) -> Task[P, R]: ...
    @overload
    def task(
        self, function: None = None, /, *, bind: Literal[True], **options: Unpack[TaskOptions]
    ) -> Callable[[Callable[Concatenate[Any, P], R]], Task[P, R]]: ...
    @overload
    def task(
        self, function: None = None, /, *, bind: Literal[False] = False, **options: Unpack[TaskOptions]
    ) -> Callable[[Callable[P, R]], Task[P, R]]: ...

    def task(self, function: Callable[..., Any] | None = None, /, *, bind: bool = False, **options: Any) -> Any:
        """Make a task of a function; a decorator, with or without arguments.

        Args:
            function: What the task runs.
            bind: Hand it the task itself as its first argument.
            options: Attributes of the task, such as ``name``, ``acks_late``, ``autoretry_for``.

        Raises:
            TypeError: an option that looks like a misspelt one.
        """
        if function is None:
            return lambda function: self._declare(function, bind, options)
        return self._declare(function, bind, options)

    def _declare(self, function: Callable[..., Any], bind: bool, options: Mapping[str, Any]) -> Task[..., Any]:
        if not callable(function):
            raise TypeError(f"@app.task takes a function, not {function!r}; a name is given as name=...")
        name = options.get("name") or self.gen_task_name(function.__name__, function.__module__)
        with self._lock:
            if name in self._tasks:
                # A module imported twice, or a shared task of two apps: the first one stays, as with Celery.
                return warn_of_another(self._tasks[name], function)
            task = (options.get("base") or self.Task)()
            task.name, task.bind = name, bind
            apply_options(task, options)
            task.attach(self, function)
            self._tasks.register(task)
            return task

    def register_task(self, task: Task[P, R]) -> Task[P, R]:
        """Make an instance of a class-based task one of this app's tasks."""
        task.name = task.name or self.gen_task_name(type(task).__name__, type(task).__module__)
        task.attach(self)
        self._tasks.register(task)
        return task

    def gen_task_name(self, name: str, module: str) -> str:
        """Return the name of a task: its module and its function. May be replaced by a subclass."""
        return task_name(name, module, self.main, getattr(sys.modules.get("__main__"), "__file__", None))

    def recipe_of(self, name: str) -> Recipe:
        """Return what holds for every call of the task ``name``, known here or not."""
        if name in self._tasks:
            return self._tasks[name].recipe()
        return recipe_from(name, self.settings.task)

    def run_here(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call the task ``name`` as a function."""
        return self._tasks[name](*args, **kwargs)

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[OptionKeywords],
    ) -> AsyncResult[Any]:
        """Send a task by its name, known here or not. Arguments and errors are those of ``Task.apply_async``."""
        call = Call(self.recipe_of(name), *arguments_from(args, kwargs), options_from(options))
        return sent(self, self.producer.submit(call), remember=call.options.add_to_parent)

    def signature(
        self,
        varies: str | Mapping[str, Any],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[OptionKeywords],
    ) -> Signature[Any]:
        """Return a Signature that this app sends."""
        return signature(varies, args, kwargs, app=self, **options)

    def AsyncResult(self, id: str, task_name: str | None = None) -> AsyncResult[Any]:  # noqa: N802 - Celery's name
        """Return the result of the task with this id."""
        return AsyncResult(id, task_name=task_name, app=self)

    # ---- settings ----------------------------------------------------------------------------------------------

    def config_from_object(self, source: Any, *, silent: bool = False, force: bool = False, namespace: str | None = None) -> None:
        """Read the settings from a mapping, module, class or object, or the dotted name of one.

        What was set before is forgotten, but for what the app was made with.

        Args:
            source: Where they are.
            silent: A module that is not there is no error.
            force: Accepted for Celery's sake: it is read at once in any case.
            namespace: Only names with this prefix, such as ``"CELERY"``.
        """
        del force
        try:
            values = from_object(source, namespace=namespace)
        except ImproperlyConfigured as error:
            if not (silent and isinstance(error.__cause__, ImportError)):
                raise
            values = {}
        self.conf.reset({**values, **self._given})

    def config_from_envvar(self, variable: str, *, silent: bool = False, force: bool = False) -> None:
        """Read the settings from the module that an environment variable names."""
        name = os.environ.get(variable)
        if not name:
            if silent:
                return
            raise LookupError(f"the environment variable {variable} names no module with settings")
        self.config_from_object(name, silent=silent, force=force)

    def autodiscover_tasks(
        self,
        packages: Sequence[str] | Callable[[], Iterable[str]] | None = None,
        related_name: str | None = "tasks",
        force: bool = False,
    ) -> None:
        """Import the module ``related_name`` of each package, when tasks are first needed; at once with ``force``."""
        self._packages.append((packages or (), related_name))
        if force:
            self.import_tasks()

    def import_tasks(self) -> None:
        """Import what ``imports``, ``include`` and ``autodiscover_tasks`` name: a worker's first step."""
        signals.import_modules.send(self)
        general = self.settings.general
        import_all(general.imports, "imports")
        import_all(general.include, "include")
        while self._packages:
            names, related = self._packages.pop(0)
            discover(names() if callable(names) else names, related)

    # ---- the store ---------------------------------------------------------------------------------------------

    @property
    def places(self) -> Places:
        """URLs of broker and results, with passwords; ``results`` is ``None`` where results are disabled."""
        return places(broker_url(self.settings), result_url(self.settings), os.environ)

    @property
    def store(self) -> Store:
        """Where messages and results are; opened, not connected, at the first use."""
        store = self._store
        if store is None:
            with self._lock:
                store = self._store
                if store is None:
                    store = self._store = self.open_store()
        return store

    def open_store(self) -> Store:
        """Return a store of one's own, as the settings say: for processes that share nothing."""
        return store_of(self.settings, self.runtime, os.environ)

    @property
    def producer(self) -> Producer:
        """Sends calls; made anew when a setting has changed."""
        producer = self._producer
        if producer is None or self._producer_revision != self.conf.revision:
            producer = self._make_producer()
        return producer

    def queue_names(self) -> Sequence[str]:
        """Queues that a worker serves unless it is told others: those of ``task_queues``, or the default one."""
        return tuple(router_of(self.settings.task).queues)

    def _make_producer(self) -> Producer:
        with self._lock:
            revision = self.conf.revision
            self._producer = make_producer(self.store, self.settings.task, self._outbox, self.runtime, self.timezone)
            self._producer_revision = revision
            return self._producer

    def followup(self, stored: Mapping[str, Any], first: Sequence[Any], caller: Any) -> Outgoing:
        """Return the message of a callback that came in a message; ``first`` go before its own arguments."""
        return self.producer.plan(call_from_stored(stored, first, self), caller)

    def close(self) -> None:
        """Send what waits to be sent, end our threads, close the connections. The app may be used again."""
        self._outbox.close()
        self._results.close()
        with self._lock:
            store, self._store = self._store, None
            self.conf.touch()
        if store is not None:
            store.close()

    def abandon(self) -> None:
        """Forget threads and connections of the process that forked this one. Called after every fork."""
        self._lock = RLock()
        self._outbox.abandon()
        self._results.abandon()
        # Whoever kept the parent's producer asks for a new one.
        self.conf.touch()
        if self._store is not None:
            self._store.abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Celery {self.main or '__main__'}>"


def _after_fork() -> None:
    for app in tuple(_apps):
        app.abandon()


os.register_at_fork(after_in_child=_after_fork)
