"""Where the entries of an app are: which timetable, and in which store.

In a tick's life: before it. Beats, programs and the command line of one app all come here, so they mean the same entries.
Does not know: what is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from pathlib import PurePath
from typing import Any

from celeriac.abc import Timetable
from celeriac.app.parts.zones import zone_of
from celeriac.drivers.registry import open_timetable

DEFAULT_FILE = "celerybeat-schedule"


def timetable_name(app: Any, file: str | None = None) -> str:
    """Return the name of an app's timetable: that of the app, or of the file that ``-s`` or ``beat_schedule_filename`` name.

    Of the file the last part counts, without ``.db``: machines may have it in different folders.
    """
    base = PurePath(file or app.settings.beat.schedule_filename).name.removesuffix(".db")
    return (app.main or "default") if base in {"", DEFAULT_FILE} else base


def timetable_of(app: Any, file: str | None = None) -> tuple[str, Timetable]:
    """Return the name of an app's timetable, and the timetable.

    Raises:
        ImproperlyConfigured: there is no place where one could be kept.
    """
    aside: str = file or app.settings.beat.schedule_filename
    name = timetable_name(app, aside)
    return name, open_timetable(app.store, name, file=aside, runtime=app.runtime)


def zones_of(app: Any) -> Callable[[str], tzinfo]:
    """Return what finds a zone by its name.

    It raises:
        ImproperlyConfigured: there is no such zone.
    """
    return lambda name: zone_of(name, enable_utc=True, now=app.runtime.now())
