"""``app.Worker`` and ``app.Beat``: commands as objects, for programs that start them by themselves.

In a node's life: before it. Keywords become the options of the command, so a worker that is started so is one that the command
line has started, with all its files, signals and limits; it runs in the calling thread, which must be the main one. Names and
meanings: Celery's reference of ``celery.worker.WorkController`` and ``celery.apps.beat.Beat``. Does not know: nodes.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from celeriac.app import current
from celeriac.app.app import Celery

_WORKER: Final[Mapping[str, str]] = MappingProxyType({
    "hostname": "--hostname", "concurrency": "--concurrency", "pool": "--pool", "pool_cls": "--pool", "loglevel": "--loglevel",
    "logfile": "--logfile", "queues": "--queues", "exclude_queues": "--exclude-queues", "include": "--include",
    "purge": "--purge", "discard": "--purge", "time_limit": "--time-limit", "soft_time_limit": "--soft-time-limit",
    "max_tasks_per_child": "--max-tasks-per-child", "max_memory_per_child": "--max-memory-per-child", "autoscale": "--autoscale",
    "prefetch_multiplier": "--prefetch-multiplier", "optimization": "--optimization", "task_events": "--task-events",
    "statedb": "--statedb", "state_db": "--statedb", "pidfile": "--pidfile", "beat": "--beat",
    "schedule_filename": "--schedule-filename", "scheduler": "--scheduler", "without_gossip": "--without-gossip",
    "without_mingle": "--without-mingle", "without_heartbeat": "--without-heartbeat",
    "heartbeat_interval": "--heartbeat-interval",
})  # fmt: skip
_BEAT: Final[Mapping[str, str]] = MappingProxyType({
    "loglevel": "--loglevel", "logfile": "--logfile", "pidfile": "--pidfile", "schedule": "--schedule",
    "scheduler": "--scheduler", "scheduler_cls": "--scheduler", "max_interval": "--max-interval",
    "hostname": "--hostname", "remote_control": "--enable-remote-control",
})  # fmt: skip
"""Keyword -> option of the command."""
_GLOBAL: Final[Mapping[str, str]] = MappingProxyType({"quiet": "--quiet", "no_color": "--no-color"})


class _Program:
    """A command that has not begun yet, or has ended."""

    command: ClassVar[str]
    options: ClassVar[Mapping[str, str]]
    app: Any = None
    """The app; of classes that an app hands out, its own."""
    exitcode: int | None = None
    """How it ended. ``None``: it has not."""

    def __init__(self, app: Celery | None = None, **keywords: Any) -> None:
        """Take what the command takes; ``None``: as the settings say.

        Raises:
            TypeError: there is no such keyword.
        """
        self.app = app or self.app or current.get_current_app()
        if unknown := sorted(keywords.keys() - self.options.keys() - _GLOBAL.keys()):
            raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument {unknown[0]!r}")
        # As Celery's objects have them. What is None is as the settings say.
        vars(self).update({**dict.fromkeys((*self.options, *_GLOBAL)), **keywords})
        self.words = [word for name, value in keywords.items() if name in _GLOBAL for word in _words(_GLOBAL[name], value)]
        self.words.append(self.command)
        for name, value in keywords.items():
            if name in self.options:
                self.words += _words(self.options[name], value)

    def _run(self) -> None:
        self.exitcode = None
        self.exitcode = self.app.start(self.words)


class Worker(_Program):
    """A worker of this app, to be started in this process."""

    command: ClassVar[str] = "worker"
    options: ClassVar[Mapping[str, str]] = _WORKER

    def start(self) -> None:
        """Run it until it is told to stop, by ``stop``, a signal or a command from afar."""
        self._run()

    def stop(self, in_sighandler: bool = False, exitcode: int | None = None) -> None:
        """Have it end what runs, and stop: as SIGTERM does. From any thread."""
        del in_sighandler, exitcode
        os.kill(os.getpid(), signal.SIGTERM)

    def terminate(self, in_sighandler: bool = False) -> None:
        """Have it stop at once: as SIGQUIT does. From any thread."""
        del in_sighandler
        os.kill(os.getpid(), signal.SIGQUIT)


class Beat(_Program):
    """A scheduler of periodic tasks of this app, to be started in this process."""

    command: ClassVar[str] = "beat"
    options: ClassVar[Mapping[str, str]] = _BEAT

    def run(self) -> None:
        """Run it until it is told to stop."""
        self._run()


def bound(kind: type[_Program], app: Celery) -> type[_Program]:
    """Return the class with its app."""
    return type(kind.__name__, (kind,), {"app": app, "__doc__": kind.__doc__})


def _words(option: str, value: Any) -> list[str]:
    match value:
        case None | False:
            return []
        case True:
            return [option]
        case type():
            return [option, f"{value.__module__}:{value.__qualname__}"]
        case int() if option == "--loglevel":
            return [option, logging.getLevelName(value)]
        case tuple() | list() | set() | frozenset():
            return [option, ",".join(map(str, value))]
        case _:
            return [option, str(value)]
