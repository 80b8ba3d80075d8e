"""Importing: the modules that hold an app's tasks.

In a program's life: a worker's first step, or the first question for a task that nobody has imported. Names and meanings:
Celery's guide, "Application" and "First steps with Django". Does not know: what tasks are in them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import RLock
from typing import Any

from celeriac.abc import Runtime
from celeriac.app import signals
from celeriac.app.parts.discovery import discover, import_all
from celeriac.app.parts.registering import Registering, TaskClass
from celeriac.config.sources import load

log = logging.getLogger("celeriac.app")

Packages = Sequence[str] | Callable[[], Iterable[str]]
"""Names of packages, or a function that returns them when they are needed."""


class Importing(Registering):
    """The part of an app that imports its tasks."""

    def __init__(self, main: str | None, given: Mapping[str, Any], runtime: Runtime, task_cls: TaskClass | None) -> None:
        """Nothing is imported yet."""
        super().__init__(main, given, runtime, task_cls)
        self._packages: list[tuple[Packages, str | None]] = []
        self._import_lock = RLock()

    def autodiscover_tasks(
        self, packages: Packages | str | None = None, related_name: str | None = "tasks", force: bool = False
    ) -> None:
        """Import the module ``related_name`` of each package, when a worker starts; at once with ``force``.

        Args:
            packages: Names of packages, or a function that returns them when they are needed. ``"shop.apps.ShopConfig"``, as
                Django's ``INSTALLED_APPS`` has it, means the package ``shop``. ``None``: the framework is asked, if there is
                an integration of one; otherwise there is nothing to find.
            related_name: Module to import of each, where there is one. ``None``: the packages themselves.
            force: Now.

        Raises:
            ImproperlyConfigured: there is no such package, or what it imports itself is not there.
        """
        named: Packages = [packages] if isinstance(packages, str) else packages or self.default_packages
        if force:
            self._discover(named, related_name)
        else:
            self._packages.append((named, related_name))

    def default_packages(self) -> Iterable[str]:
        """Return the packages in which tasks are looked for when ``autodiscover_tasks`` is told none: for subclasses."""
        return ()

    def import_tasks(self) -> None:
        """Import what ``imports``, ``include`` and ``autodiscover_tasks`` name: a worker's first step."""
        with self._import_lock:
            for _, answer in signals.import_modules.send(self):
                if isinstance(answer, Exception):
                    raise answer  # receivers import tasks, too: a worker without them would refuse what is sent to it
            general = self.settings.general
            import_all(general.imports, "imports")
            import_all(general.include, "include")
            while self._packages:
                # Forgotten once it worked: after a failed start the next one says the same.
                self._discover(*self._packages[0])
                self._packages.pop(0)
            self.finalize()
            for task in self.tasks.values():
                task.annotate()

    def abandon(self) -> None:
        """As below; a thread that does not exist here may have held the lock."""
        self._import_lock = RLock()
        super().abandon()

    def _discover(self, packages: Packages, related_name: str | None) -> None:
        names = list(packages() if callable(packages) else packages)
        if not names and packages == self.default_packages:
            log.warning("autodiscover_tasks was told no packages, and no integration of a framework names any: it finds nothing")
        discover(names, related_name)

    def install(self, fixups: Iterable[Callable[[Any], object] | str]) -> None:
        """Call each fixup, a function or the dotted name of one, with this app; what it returns is kept alive."""
        self._fixups = [(load(fixup, what="the fixup") if isinstance(fixup, str) else fixup)(self) for fixup in fixups]
