"""Loader: ``app.loader``, by which programs of Celery have an app's modules imported, and hang on the moments of a worker.

In a program's life: tests and management commands call ``app.loader.import_default_modules()`` before they look at the tasks. A
class of a program's own may say where the settings are (``read_configuration``) and what is done when a worker, a process, a
task begins or ends (``on_...``). Names and meanings: Celery's reference of ``celery.loaders.base``. Does not know: how modules
are found; the app does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar

from celeriac.app import signals
from celeriac.app.dispatch import Signal
from celeriac.config.sources import from_object, load


class Loader:
    """What imports for an app."""

    builtin_modules: ClassVar[frozenset[str]] = frozenset()
    """Modules to import beside those that the settings name: for subclasses."""
    worker_initialized: bool = False
    """``init_worker`` was called."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        self.app = app
        self.task_modules: set[str] = set()
        """What ``import_task_module`` has imported."""
        del kwargs
        self._connect()

    # ---- for subclasses ----------------------------------------------------------------------------------------

    def on_worker_init(self) -> None:
        """Called when a worker begins, before it has processes."""

    def on_worker_process_init(self) -> None:
        """Called when a process that runs tasks begins."""

    def on_worker_shutdown(self) -> None:
        """Called when a worker ends."""

    def on_task_init(self, task_id: str, task: Any) -> None:
        """Called before each run."""

    def on_process_cleanup(self) -> None:
        """Called after each run."""

    def read_configuration(self, env: str = "CELERY_CONFIG_MODULE") -> Mapping[str, Any]:
        """Return the settings of an app that was told of no others: by default those of the module that ``env`` names."""
        name = os.environ.get(env)
        return from_object(name) if name else {}

    def _connect(self) -> None:
        """Have the methods that a subclass has replaced called at their moments."""
        moments: dict[str, tuple[Signal, Callable[..., object]]] = {
            "on_worker_init": (signals.worker_init, lambda **_: self.on_worker_init()),
            "on_worker_process_init": (signals.worker_process_init, lambda **_: self.on_worker_process_init()),
            "on_worker_shutdown": (signals.worker_shutdown, lambda **_: self.on_worker_shutdown()),
            "on_task_init": (signals.task_prerun, lambda task_id, task, **_: self.on_task_init(task_id, task)),
            "on_process_cleanup": (signals.task_postrun, lambda **_: self.on_process_cleanup()),
        }
        for name, (signal, receiver) in moments.items():
            if getattr(type(self), name) is not getattr(Loader, name):
                signal.connect(receiver, weak=False)

    @property
    def reads_configuration(self) -> bool:
        """Whether a subclass says where the settings are."""
        return type(self).read_configuration is not Loader.read_configuration

    # ---- for everybody -----------------------------------------------------------------------------------------

    @property
    def conf(self) -> Any:
        """The app's settings."""
        return self.app.conf

    @property
    def configured(self) -> bool:
        """Whether they have been read."""
        return bool(self.app.configured)

    def config_from_object(self, obj: Any, silent: bool = False) -> bool:
        """Have the app take its settings from there."""
        self.app.config_from_object(obj, silent=silent)
        return True

    @property
    def default_modules(self) -> tuple[str, ...]:
        """What ``imports`` and ``include`` name, and ``builtin_modules``."""
        general = self.app.settings.general
        return (*self.builtin_modules, *general.imports, *general.include)

    def import_default_modules(self) -> list[ModuleType]:
        """Import what the app's settings and ``autodiscover_tasks`` name; return the modules of the settings."""
        self.app.import_tasks()
        return [self.import_task_module(name) for name in self.default_modules]

    def import_task_module(self, module: str) -> ModuleType:
        """Import one module with tasks."""
        self.task_modules.add(module)
        return import_module(module)

    def import_module(self, module: str, package: str | None = None) -> ModuleType:
        """Import any module."""
        return import_module(module, package)

    def autodiscover_tasks(self, packages: Any, related_name: str | None = "tasks") -> None:
        """Import the tasks of these packages, now."""
        self.app.autodiscover_tasks(packages, related_name, force=True)

    def init_worker(self) -> None:
        """Do a worker's first step, once."""
        if not self.worker_initialized:
            self.worker_initialized = True
            self.import_default_modules()

    def init_worker_process(self) -> None:
        """Do what is to be done when a process begins: for who runs processes of his own."""
        self.on_worker_process_init()

    def shutdown_worker(self) -> None:
        """Do what is to be done when a worker ends: for who runs workers of his own."""
        self.on_worker_shutdown()

    def import_from_cwd(self, module: str, imp: Any = None, package: str | None = None) -> ModuleType:
        """Import a module that may be in the working folder. ``imp`` imports it, if it is given."""
        found: ModuleType = imp(module, package=package) if imp else load(module, what="the module")
        return found

    def find_module(self, module: str) -> Any:
        """Import what a dotted name means, in the working folder too: a module, or something in one."""
        return load(module, what="the module")

    def now(self, utc: bool = True) -> Any:
        """Return the present moment."""
        return self.app.runtime.now() if utc else self.app.now()

    def __repr__(self) -> str:
        return f"<Loader of {self.app!r}>"
