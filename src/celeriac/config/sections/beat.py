"""The settings of beat, the scheduler.

In a program's life: read when a beat starts, and by whoever looks at its entries. Does not know: schedules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from celeriac.config.sections.kinds import Count, Seconds, Text


class BeatSettings(Struct, frozen=True, kw_only=True):
    """``beat_*``: periodic tasks, and the program that sends them."""

    schedule: Mapping[str, Any] = {}
    """``beat_schedule``: name of an entry -> its task, schedule, args, kwargs, options, policies."""
    scheduler: Any = "celery.beat:PersistentScheduler"
    """``beat_scheduler``: another class that decides what is due, or its dotted name. This one: the timetable in the store."""
    schedule_filename: str = "celerybeat-schedule"
    """``beat_schedule_filename``: names the timetable; where the store keeps none, it is this file."""
    max_loop_interval: Seconds = 0
    """``beat_max_loop_interval``: longest pause between looks at the schedule. 0: the scheduler's own."""
    sync_every: Count = 0
    """``beat_sync_every``: of schedulers with a file: tasks sent before it is written. 0: by the clock. A timetable always is."""
    cron_starting_deadline: Seconds | None = None
    """``beat_cron_starting_deadline``: how late a missed crontab entry may still be sent. ``None``: whenever."""
    enable_remote_control: bool = False
    """``beat_enable_remote_control``: beat answers a ping."""
    remote_control_max_tick_age: Seconds | None = None
    """``beat_remote_control_max_tick_age``: not when it last looked longer ago. ``None``: twice its pause. 0: no bound."""
    logfile: Text = None
    """``beat_logfile``: file for its log."""
    pidfile: Text = None
    """``beat_pidfile``: file that holds its process id."""
    uid: str | int | None = None
    """``beat_uid``: user that it becomes."""
    gid: str | int | None = None
    """``beat_gid``: group that it becomes."""
    umask: str | int | None = None
    """``beat_umask``: permissions that its new files lack."""
    executable: Text = None
    """``beat_executable``: the Python that runs it."""
