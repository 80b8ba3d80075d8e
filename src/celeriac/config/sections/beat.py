"""The settings of beat, the scheduler.

In a program's life: read when a beat starts, and by whoever looks at its entries. Does not know: schedules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from celeriac.config.sections.kinds import WITH_BEAT, WITH_DAEMONS, Count, Seconds, Text


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
    sync_every: Annotated[Count, WITH_BEAT] = 0
    """``beat_sync_every``: tasks sent before the file is written. 0: it is written by the clock."""
    cron_starting_deadline: Seconds | None = None
    """``beat_cron_starting_deadline``: how late a missed crontab entry may still be sent. ``None``: whenever."""
    enable_remote_control: Annotated[bool, WITH_BEAT] = False
    """``beat_enable_remote_control``: beat answers a ping."""
    remote_control_max_tick_age: Annotated[Seconds | None, WITH_BEAT] = None
    """``beat_remote_control_max_tick_age``: not when it last looked longer ago. ``None``: twice its pause. 0: no bound."""
    logfile: Annotated[Text, WITH_DAEMONS] = None
    """``beat_logfile``: file for its log."""
    pidfile: Annotated[Text, WITH_DAEMONS] = None
    """``beat_pidfile``: file that holds its process id."""
    uid: Annotated[str | int | None, WITH_DAEMONS] = None
    """``beat_uid``: user that it becomes."""
    gid: Annotated[str | int | None, WITH_DAEMONS] = None
    """``beat_gid``: group that it becomes."""
    umask: Annotated[str | int | None, WITH_DAEMONS] = None
    """``beat_umask``: permissions that its new files lack."""
    executable: Annotated[Text, WITH_DAEMONS] = None
    """``beat_executable``: the Python that runs it."""
