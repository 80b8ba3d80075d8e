"""Celery: puts the parts together; does no work itself.

In a program's life: made once, at import. Tasks are registered at once; the settings are read when something first needs
them, the store is opened when something is first sent or asked. Safe in any thread, and across forks. Each part is a class
that knows those before it: ``configuring`` (settings), ``connecting`` (store), ``registering`` (tasks), ``importing`` (their
modules), ``borrowing`` (what belongs to an app under Celery's names). Names and meanings: Celery's guide, "Application".
"""

from __future__ import annotations

import logging
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, Self, Unpack, overload
from warnings import warn

from celeriac.abc import Runtime
from celeriac.app import current
from celeriac.app.arguments import arguments_from
from celeriac.app.context import Context, current_context
from celeriac.app.dispatch import Signal
from celeriac.app.group_result import Groups, result_from_tuple
from celeriac.app.once import Once
from celeriac.app.options import OptionKeywords, options_from
from celeriac.app.parts.borrowing import is_celerys
from celeriac.app.parts.operating import Operating
from celeriac.app.parts.registering import AnyTask, TaskClass
from celeriac.app.periodic.changing import Schedules, entry_of_call
from celeriac.app.plan import Call
from celeriac.app.result import AsyncResult, sent
from celeriac.app.result_set import ResultSet
from celeriac.app.runtime import SystemRuntime
from celeriac.app.signature import Signature, signature
from celeriac.config.settings import Conf
from celeriac.core.errors import AlwaysEagerIgnored

log = logging.getLogger("celeriac.app")

LOADER_VARIABLE: Final = "CELERY_LOADER"

_SEND_TASK: Final = (
    "countdown", "eta", "task_id", "producer", "connection", "router", "result_cls", "expires", "publisher", "link", "link_error",
    "add_to_parent", "group_id", "group_index", "retries", "chord", "reply_to", "time_limit", "soft_time_limit", "root_id",
    "parent_id", "route_name", "shadow", "chain", "task_type", "replaced_task_nesting",
)  # fmt: skip
"""Parameters of Celery's ``send_task`` after the arguments, in their order."""


class Celery(Operating):
    """An app: tasks, settings, and the store that they share.

    Example:
        >>> app = Celery("shop", broker="redis://", backend="redis://")
        >>> @app.task
        ... def add(x: int, y: int) -> int:
        ...     return x + y
        >>> add.delay(2, 2).get(timeout=1)
        4
    """

    user_options: Any = None
    """Options of a program's own for the command line: command -> ``click.Option``s; ``"preload"``: for every command."""
    steps: Any = None
    """Boot steps of a program's own, by blueprint. No worker runs them in this version; it says so when it starts."""
    amqp_cls: Any = "celery.app.amqp:AMQP"
    """Class of ``app.amqp``, or its dotted name; so are those below. One of a program's own is there for who asks for it; what is
    sent and run does not ask, and a warning says so."""
    events_cls: Any = "celery.app.events:Events"
    log_cls: Any = "celery.app.log:Logging"
    control_cls: Any = "celery.app.control:Control"
    registry_cls: Any = "celery.app.registry:TaskRegistry"
    loader_cls: Any = None
    backend_cls: Any = None
    """``result_backend`` of apps of a subclass that are told no other."""
    builtin_fixups: frozenset[str] = frozenset()
    """Fixups that every app of the class has."""

    def __init__(
        self,
        main: str | None = None,
        loader: Any = None,
        backend: Any = None,
        amqp: Any = None,
        events: Any = None,
        log: Any = None,
        control: Any = None,
        set_as_current: bool = True,
        tasks: Mapping[str, AnyTask] | None = None,
        broker: str | list[str] | None = None,
        include: Sequence[str] | None = None,
        changes: Mapping[str, Any] | None = None,
        config_source: Any = None,
        fixups: Iterable[Any] | None = None,
        task_cls: TaskClass | None = None,
        autofinalize: bool = True,
        namespace: str | None = None,
        strict_typing: bool = True,
        config_source_silent: bool = False,
        *,
        runtime: Runtime | None = None,
        **settings: Any,
    ) -> None:
        """Make an app. Nothing is connected.

        Args:
            main: Name for tasks of the module that is run as a program.
            loader: Class of ``app.loader``, or its dotted name. ``None``: what ``CELERY_LOADER`` names, or the class.
            amqp: The same of ``app.amqp``; so are ``log``, ``events`` and ``control``. What is sent and run does not ask them,
                and a warning says so. Names of Celery's own mean those of the app.
            backend: ``result_backend``.
            set_as_current: Be the app of code that was handed none.
            tasks: Tasks to begin with.
            broker: ``broker_url``. ``None``: the embedded store of this user.
            include: Modules that a worker imports.
            changes: Settings; the same as ``settings``.
            config_source: As for ``config_from_object``.
            fixups: Functions, or dotted names of such, that are called with the app.
            task_cls: Class of the tasks, or its dotted name.
            autofinalize: Finalise when the tasks are first asked for; otherwise only ``finalize`` does.
            namespace: As for ``config_from_object``.
            strict_typing: Whether tasks that say nothing about it check their arguments when they are called.
            config_source_silent: A module of settings that is not there is no error.
            runtime: Clock, chance, ids; for tests and simulations.
            settings: Any setting by its name.

        Raises:
            ImproperlyConfigured: a setting does not exist or has a value that it cannot have.
        """
        named = {"broker_url": broker, "result_backend": backend or self.backend_cls, "include": include}
        given = {**(changes or {}), **{name: value for name, value in (named | settings).items() if value is not None}}
        self.autofinalize, self.namespace, self.strict_typing = autofinalize, namespace, strict_typing
        self.set_as_current = set_as_current
        super().__init__(main, given, runtime or SystemRuntime(), task_cls)
        self.user_options, self.steps, self.once = defaultdict(set), defaultdict(set), Once()
        self.on_after_fork = Signal(name="app.on_after_fork")
        """Sent in every process that was forked from one with this app, before anything else. Sender: the app."""
        self._entries: dict[str, Any] = {}
        """Entries of the beat that ``add_periodic_task`` made: whatever the settings are read from, they have them, too."""
        self.is_template = False
        """This process only forks others: ``on_after_fork`` is for those."""
        self._name_parts(loader=loader, amqp=amqp, events=events, log=log, control=control, registry=None)
        for task in (tasks or {}).values():
            self.register_task(task)
        if config_source is not None:
            self.config_from_object(config_source, silent=config_source_silent, namespace=namespace)
        if set_as_current:
            self.set_current()
        self.install([*self.builtin_fixups, *(fixups or ())])
        self.on_init()
        current.register_app(self)

    def on_init(self) -> None:
        """Called at the end of ``__init__``: for subclasses."""

    def _name_parts(self, **classes: Any) -> None:
        for part, named in classes.items():
            wanted = named or (part == "loader" and os.environ.get(LOADER_VARIABLE)) or getattr(self, f"{part}_cls")
            setattr(self, f"{part}_cls", wanted)
            if wanted is not None and not is_celerys(wanted) and part != "loader":
                log.warning("%r: what is sent and run does not ask app.%s, so %r changes nothing about it", self, part, wanted)

    def _default_settings(self) -> Mapping[str, Any]:
        """A loader of a program's own may know where the settings are."""
        if self.loader_cls is None or is_celerys(self.loader_cls) or not self.loader.reads_configuration:
            return super()._default_settings()
        return self.loader.read_configuration() or {}

    # ---- which app is meant ------------------------------------------------------------------------------------

    def set_current(self) -> None:
        """Be the current app of this thread, and of threads that were told no other."""
        current.set_current(self)

    def set_default(self) -> None:
        """Be the current app of every thread that was told no other."""
        current.set_default_app(self)

    @property
    def current_task(self) -> AnyTask | None:
        """The task that runs in this thread or coroutine, or was called here as a function; ``None`` outside of tasks."""
        context = current_context()
        return None if context is None else context.called or self._task_of(context)

    @property
    def current_worker_task(self) -> AnyTask | None:
        """The task that a worker runs here; ``None`` outside of workers. One that it calls as a function is another one."""
        context = current_context()
        running = None if context is None else context.of_worker
        return None if running is None else self._task_of(running)

    def _task_of(self, context: Context) -> AnyTask | None:
        return self.tasks.get(context.task) if context.task else None

    # ---- calls and results -------------------------------------------------------------------------------------

    def send_task(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *positional: Any,
        **options: Unpack[OptionKeywords],
    ) -> AsyncResult[Any]:
        """Send a task by its name, known here or not. Arguments and errors are those of ``Task.apply_async``.

        Args:
            name: Of the task.
            args: Positional arguments.
            kwargs: Keyword arguments.
            positional: Options in the order of Celery's parameters: ``countdown``, ``eta``, ``task_id``, ...
            options: Explained at ``CallOptions``.
        """
        if positional:
            options = {**_in_order(positional, options), **options}  # type: ignore[typeddict-item]  # names that it has
        if self.settings.task.always_eager:
            warn("task_always_eager has no effect on send_task: the task may not be known here", AlwaysEagerIgnored, stacklevel=2)
        call = Call(self.recipe_of(name), *arguments_from(args, kwargs), options_from(options))
        message, said = self.producer.submit(call), call.options
        return sent(self, message, remember=said.add_to_parent, backend=call.recipe.backend, kind=said.result_cls)

    own_send_task = send_task

    @overload
    def signature(
        self, varies: str, args: Any = None, kwargs: Any = None, *, immutable: bool = False, **options: Unpack[OptionKeywords]
    ) -> Signature[Any]: ...
    @overload
    def signature(self, varies: Mapping[str, Any], **options: Unpack[OptionKeywords]) -> Signature[Any]: ...

    def signature(self, *args: Any, **kwargs: Any) -> Signature[Any]:
        """Return a Signature that this app sends: ``app.signature("shop.add", (2, 3), countdown=10)``."""
        return signature(*args, **{**kwargs, "app": self})

    def add_periodic_task(
        self,
        schedule: Any,
        sig: Any,
        args: Sequence[Any] = (),
        kwargs: Any = (),
        name: str | None = None,
        **opts: Any,
    ) -> str:
        """Add an entry to the setting ``beat_schedule``, which beats read at their start. For running ones: ``schedules``.

        Args:
            schedule: When: seconds, or a schedule.
            sig: What: a signature, or a task.
            args: Arguments; before those of a signature.
            kwargs: The same by name.
            name: Of the entry. ``None``: the signature as text.
            opts: Policies of the entry, such as ``catch_up``; all else are options of ``apply_async``.

        Returns:
            The name of the entry.
        """
        if isinstance(sig, Signature):
            made = sig.clone(tuple(args), dict(kwargs or {}))
        else:
            made = self.signature(sig.name, tuple(args), dict(kwargs or {}))
        key = name or repr(made)
        entry = entry_of_call(schedule, made, opts)
        if name is None and self._entries.get(key, entry) != entry:
            log.warning("the periodic task %s takes the place of another of the same call: with name=... both are sent", key)
        self._entries[key] = entry
        if self.configured:
            self._schedule()
        return key

    @property
    def schedules(self) -> Schedules:
        """The entries of the beat, to be looked at and changed while beats run."""
        return Schedules(self)

    def _schedule(self) -> None:
        self.conf.beat_schedule = {**self.conf.beat_schedule, **self._entries}

    def _announce_read(self, conf: Conf) -> None:
        super()._announce_read(conf)
        if self._entries:
            self._schedule()

    def AsyncResult(  # noqa: N802 - Celery's name
        self, id: str, backend: Any = None, task_name: str | None = None, parent: Any = None
    ) -> AsyncResult[Any]:
        """Return the result of the task with this id; ``backend`` says where it is, if it is not where the app's are."""
        return AsyncResult(id, backend, task_name, self, parent)

    def ResultSet(self, results: Iterable[Any]) -> ResultSet[Any]:  # noqa: N802 - Celery's name
        """Return several results as one."""
        return ResultSet(results, self)

    @property
    def GroupResult(self) -> Groups:  # noqa: N802 - Celery's name
        """Makes the results of a group: ``app.GroupResult(id, results)``, ``app.GroupResult.restore(id)``."""
        return Groups(self)

    def result_from_tuple(self, r: Any) -> Any:
        """Return the result that its ``as_tuple`` described."""
        return result_from_tuple(r, self)

    # ---- programs ----------------------------------------------------------------------------------------------

    def start(self, argv: Sequence[str] | None = None) -> int:
        """Run the command line with this app, as ``celeriac -A`` does, and return its exit code.

        Args:
            argv: Command and options, such as ``["worker", "-c", "2"]``. ``None``: those that the program was started with.

        Raises:
            click.ClickException: there is no such command or option, or it cannot be done.
        """
        words = list(sys.argv[1:] if argv is None else argv)
        if len(words) > 1 and PurePath(words[0]).stem in {"celery", "celeriac", PurePath(sys.argv[0]).stem}:
            # Programs of Celery 4 begin with the name of the program.
            words = words[1:]
        # Late, and by its name: the command line stands above the app and imports it.
        code: int = import_module("celeriac.cli.main").run(words, app=self)
        return code

    def worker_main(self, argv: Sequence[str] | None = None) -> None:
        """Run a worker of this app in the calling thread, which must be the main one, until it is told to stop.

        Args:
            argv: Command and options: ``["worker", "--concurrency=2"]``. ``None``: those that the program was started with.

        Raises:
            ValueError: the command is another one.
            SystemExit: the worker ended with another exit code than 0.
        """
        words = list(sys.argv[1:] if argv is None else argv)
        if "worker" not in words:
            raise ValueError(
                f"worker_main runs the command 'worker', and {words!r} names it not; for other commands there is start()"
            )
        code = self.start(words)
        if code:
            raise SystemExit(code)

    # ---- the end, and other processes ---------------------------------------------------------------------------

    def abandon(self) -> None:
        """Forget threads and connections of the process that forked this one, and say so. Called after every fork."""
        super().abandon()
        if not self.is_template:
            self.on_after_fork.send(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self.__reduce_keys__())

    def __reduce_keys__(self) -> dict[str, Any]:
        """Return the arguments of ``__init__`` from which an equal app is made: for pickling, and for subclasses to add to."""
        return {
            "main": self.main,
            "changes": {name: self.conf[name] for name in self.conf if self.conf.explicit(name)},
            "task_cls": self.task_cls,
            "autofinalize": self.autofinalize,
            "namespace": self.namespace,
            "strict_typing": self.strict_typing,
            "set_as_current": False,
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.main or '__main__'}>"


def _in_order(values: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that were given without their names.

    Raises:
        TypeError: too many, or one that is given by its name, too.
    """
    if len(values) > len(_SEND_TASK):
        raise TypeError(f"send_task takes {len(_SEND_TASK) + 3} values at most, not {len(values) + 3}; options go by their names")
    given = dict(zip(_SEND_TASK, values, strict=False))
    if twice := sorted(given.keys() & named.keys()):
        raise TypeError(f"send_task was given {', '.join(twice)} twice")
    return {name: value for name, value in given.items() if value is not None}


def _unpickled(kind: type[Celery], keywords: Mapping[str, Any]) -> Celery:
    return kind(**keywords)


def _default_app() -> Celery:
    """Return the app of a program that made none."""
    return Celery("default", set_as_current=False)


current.provide_default(_default_app)
