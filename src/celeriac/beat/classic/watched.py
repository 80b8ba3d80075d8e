"""Ticks of the timetable go through ``Scheduler.apply_entry`` where somebody has replaced it: tools that watch periodic tasks do.

In a tick's life: decision -> **here**, if it was replaced -> messages. What the replacement changes of the entry's options holds.
Does not know: who replaced it, what for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from celeriac.app.periodic.entry import Entry
from celeriac.app.periodic.sending import Collector, Send
from celeriac.beat.classic.entry import ScheduleEntry
from celeriac.beat.classic.scheduler import Scheduler

_OURS: Final = Scheduler.apply_entry


def watched() -> Send | None:
    """Return what sends a tick by way of ``Scheduler.apply_entry``. ``None``: nobody has replaced it."""
    return None if Scheduler.apply_entry is _OURS else _send


def _send(app: Any, entry: Entry, options: Mapping[str, Any], collector: Collector) -> None:
    shown = ScheduleEntry(
        name=entry.name,
        task=entry.task,
        schedule=entry.schedule,
        args=entry.args,
        kwargs=entry.kwargs,
        options=dict(options),
        app=app,
    )
    scheduler = Scheduler(app, lazy=True)
    scheduler.__dict__["producer"] = collector
    scheduler._last_sync = app.runtime.monotonic()  # it has nothing to write
    # With the entry alone, as tools expect it: who it is sent over, the scheduler knows.
    scheduler.apply_entry(shown)
    scheduler.__dict__.pop("producer")
