"""Which scheduler runs: the timetable's, unless a program names a class of its own with Celery's interface.

In a beat's life: the ``beat`` command, or a worker's ``-B``, asks once. Does not know: command lines.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Final, Protocol

from celeriac.beat.classic.leading import Leading
from celeriac.beat.classic.persistent import PersistentScheduler
from celeriac.beat.classic.scheduler import Scheduler
from celeriac.beat.service import Beat, nobody_waits
from celeriac.config.sources import load
from celeriac.core.errors import ImproperlyConfigured

OURS: Final = frozenset({"celery.beat.PersistentScheduler", "celery.beat.Scheduler"})
"""Names that mean: what there is by itself."""
PLUGINS: Final = "celery.beat_schedulers"
"""Entry points of packages that bring a scheduler."""


class Scheduling(Protocol):
    """A scheduler, ready to run."""

    described: str
    """What it is, for people."""
    interval_s: float
    """The longest pause between two looks."""
    last_look: float | None
    """When it looked last, by the monotonic clock."""

    def run(self, *, embedded: bool = False, on_ready: Callable[[], None] = nobody_waits) -> None:
        """Send what is due until ``stop``. ``embedded``: it belongs to a worker. ``on_ready``: called after the first look."""

    def stop(self) -> None:
        """End ``run`` soon. Safe in a signal handler."""


def scheduling_of(app: Any, *, scheduler: Any, file: str | None, max_interval_s: float | None) -> Scheduling:
    """Return the scheduler that the command line or the setting ``beat_scheduler`` names.

    Args:
        app: Whose entries.
        scheduler: A class, its dotted name, or the name of a plug-in. ``None``: as the settings say.
        file: ``-s``. ``None``: as the settings say.
        max_interval_s: Longest pause between two looks. ``None``: as the settings say.

    Raises:
        ImproperlyConfigured: there is no such class, or no place for what it has to remember.
    """
    kind = class_of(scheduler or app.settings.beat.scheduler)
    if kind in {PersistentScheduler, Scheduler}:
        return Beat(app, file=file, max_interval_s=max_interval_s)
    named, interval_s = f"{kind.__module__}:{kind.__qualname__}", max_interval_s or app.settings.beat.max_loop_interval
    filename = file or app.settings.beat.schedule_filename

    def make() -> Any:
        return kind(app=app, schedule_filename=filename, max_interval=interval_s or None, lazy=False)

    return Leading(app, make, kind=named, file=file, interval_s=interval_s or kind.max_interval)


def class_of(wanted: Any, *, plugins: str = PLUGINS) -> Any:
    """Return the class of a scheduler: given as it is, by its dotted name, or by the name of a plug-in.

    Raises:
        ImproperlyConfigured: there is none, or it is no scheduler.
    """
    if isinstance(wanted, str):
        if wanted.replace(":", ".") in OURS:
            return PersistentScheduler
        found = {entry.name: entry.value for entry in entry_points(group=plugins)}
        wanted = load(found.get(wanted, wanted), what="the scheduler of the beat")
    if not callable(getattr(wanted, "tick", None)):
        raise ImproperlyConfigured(f"{wanted!r} is no scheduler: it has no tick()")
    return wanted
