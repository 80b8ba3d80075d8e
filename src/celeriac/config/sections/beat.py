"""The settings of beat, the scheduler.

In a program's life: known and kept; what honours them is not there yet. Does not know: schedules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct

from celeriac.config.sections.kinds import WITH_BEAT, WITH_DAEMONS, Count, Seconds, Text


class BeatSettings(Struct, frozen=True, kw_only=True):
    """``beat_*``: periodic tasks, and the program that sends them."""

    schedule: Annotated[Mapping[str, Any], WITH_BEAT] = {}
    """``beat_schedule``: name of an entry -> its task, schedule, args, kwargs, options."""
    scheduler: Annotated[Any, WITH_BEAT] = "celery.beat:PersistentScheduler"
    """``beat_scheduler``: class that decides what is due, or its dotted name."""
    schedule_filename: Annotated[str, WITH_BEAT] = "celerybeat-schedule"
    """``beat_schedule_filename``: file that remembers when each entry was last sent."""
    max_loop_interval: Annotated[Seconds, WITH_BEAT] = 0
    """``beat_max_loop_interval``: longest pause between looks at the schedule. 0: the scheduler's own."""
    sync_every: Annotated[Count, WITH_BEAT] = 0
    """``beat_sync_every``: tasks sent before the file is written. 0: it is written by the clock."""
    cron_starting_deadline: Annotated[Seconds | None, WITH_BEAT] = None
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
