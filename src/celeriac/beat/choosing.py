"""Which scheduler runs: the timetable's, unless a program names a class of its own with Celery's interface.

In a beat's life: the ``beat`` command, or a worker's ``-B``, asks once. Does not know: command lines.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from celeriac.beat.service import Beat
from celeriac.core.errors import ImproperlyConfigured

OURS: Final = frozenset({"celery.beat:PersistentScheduler", "celery.beat.PersistentScheduler", "celery.beat:Scheduler"})
"""Names that mean: what there is by itself."""
PLUGINS: Final = "celery.beat_schedulers"
"""Entry points of packages that bring a scheduler."""


class Scheduling(Protocol):
    """A scheduler, ready to run."""

    described: str
    """What it is, for people."""
    interval_s: float
    """The longest pause between two looks."""

    def run(self, *, embedded: bool = False) -> None:
        """Send what is due until ``stop``; ``embedded``: it belongs to a worker."""

    def stop(self) -> None:
        """End ``run`` soon. Safe in a signal handler."""


def scheduling_of(app: Any, *, scheduler: Any, file: str | None, max_interval_s: float | None, name: str) -> Scheduling:
    """Return the scheduler that the command line or the setting ``beat_scheduler`` names.

    Args:
        app: Whose entries.
        scheduler: A class, its dotted name, or the name of a plug-in. ``None``: as the settings say.
        file: ``-s``. ``None``: as the settings say.
        max_interval_s: Longest pause between two looks. ``None``: as the settings say.
        name: Of the beat.

    Raises:
        ImproperlyConfigured: there is no such class, or no place for what it has to remember.
    """
    del name
    wanted = scheduler or app.settings.beat.scheduler
    if isinstance(wanted, str) and wanted in OURS:
        return Beat(app, file=file, max_interval_s=max_interval_s)
    raise ImproperlyConfigured(f"the scheduler {wanted!r} cannot be run")
