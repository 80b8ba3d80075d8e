"""``Service``: a beat as programs of Celery's start it, in a thread or process of their own.

In a program's life: ``Service(app).start()`` runs until ``stop``. What the command ``beat`` runs is the same.
Source: Celery's reference of ``celery.beat``. Does not know: command lines.
"""

from __future__ import annotations

import threading
from functools import cached_property
from typing import Any

from celeriac.beat.choosing import Scheduling, class_of, scheduling_of
from celeriac.beat.classic.persistent import PersistentScheduler
from celeriac.beat.naming import beat_nodename
from celeriac.beat.pinging import answering_pings


class Service:
    """A beat.

    Args:
        app: Whose entries.
        max_interval: Longest pause between two looks, seconds.
        schedule_filename: As ``-s``.
        scheduler_cls: Class of the scheduler, or its dotted name.
        remote_control: Answer a ping. ``None``: as the settings say.
        hostname: Its name, for answers.
    """

    scheduler_cls: Any = PersistentScheduler

    def __init__(
        self,
        app: Any,
        max_interval: float | None = None,
        schedule_filename: str | None = None,
        scheduler_cls: Any = None,
        remote_control: bool | None = None,
        hostname: str | None = None,
    ) -> None:
        self.app = app
        self.max_interval = max_interval or app.conf.beat_max_loop_interval
        self.scheduler_cls = scheduler_cls or self.scheduler_cls
        self.schedule_filename = schedule_filename or app.conf.beat_schedule_filename
        self.remote_control = app.conf.beat_enable_remote_control if remote_control is None else remote_control
        self.hostname = hostname
        self.effective_max_interval: float | None = None
        """The longest pause that its scheduler settled on; known when it runs."""
        self._running: Scheduling | None = None
        self._shut_down, self._stopped = threading.Event(), threading.Event()

    def start(self, embedded_process: bool = False) -> None:
        """Send what is due until ``stop``. ``embedded_process``: it belongs to a worker."""
        self._running = running = scheduling_of(
            self.app,
            scheduler=self.scheduler_cls,
            file=self.schedule_filename,
            max_interval_s=self.max_interval or None,
        )
        self.effective_max_interval = running.interval_s
        try:
            name, wanted = beat_nodename(self.hostname), bool(self.remote_control)
            with answering_pings(self.app, running, name=name, wanted=wanted):
                if not self._shut_down.is_set():
                    running.run(embedded=embedded_process)
        except (KeyboardInterrupt, SystemExit):
            self._shut_down.set()
        finally:
            self._stopped.set()

    def stop(self, wait: bool = False) -> None:
        """End ``start``; ``wait`` until it has ended."""
        self._shut_down.set()
        if self._running is not None:
            self._running.stop()
        if wait:
            self._stopped.wait()

    def sync(self) -> None:
        """Have the scheduler write what it remembers, if it is one that remembers by itself."""
        scheduler = getattr(self._running, "scheduler", None) or self.__dict__.get("scheduler")
        if scheduler is not None:
            scheduler.sync()

    def get_scheduler(self, lazy: bool = False, extension_namespace: str = "celery.beat_schedulers") -> Any:
        """Return a scheduler of ``scheduler_cls``; ``lazy``: only to look at it."""
        kind = class_of(self.scheduler_cls, plugins=extension_namespace)
        return kind(app=self.app, schedule_filename=self.schedule_filename, max_interval=self.max_interval, lazy=lazy)

    @cached_property
    def scheduler(self) -> Any:
        """A scheduler of ``scheduler_cls``, for programs that look at it or tick it themselves."""
        return self.get_scheduler()

    def __reduce__(self) -> tuple[Any, ...]:
        given = (self.max_interval, self.schedule_filename, self.scheduler_cls, self.remote_control, self.hostname)
        return type(self), (self.app, *given)


class _InThread(threading.Thread):
    def __init__(self, app: Any, **kwargs: Any) -> None:
        super().__init__(name="Beat", daemon=True)
        self.app, self.service = app, Service(app, **kwargs)

    def run(self) -> None:
        self.app.set_current()
        self.service.start()

    def stop(self) -> None:
        self.service.stop(wait=True)


def EmbeddedService(app: Any, max_interval: float | None = None, thread: bool = True, **kwargs: Any) -> Any:  # noqa: N802 - Celery's name
    """Return a beat in a thread, with ``start()`` and ``stop()``; also with ``thread=False``, which means a process in Celery."""
    del thread
    return _InThread(app, max_interval=max_interval, **{"remote_control": False, **kwargs})
