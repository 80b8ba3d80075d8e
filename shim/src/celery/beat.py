"""Schedulers of periodic tasks, under Celery's path."""

from celeriac.app.periodic.lazily import BeatLazyFunc
from celeriac.beat.classic.entry import ScheduleEntry, SchedulingError, event_t
from celeriac.beat.classic.persistent import PersistentScheduler
from celeriac.beat.classic.scheduler import DEFAULT_MAX_INTERVAL, Scheduler
from celeriac.beat.classic.service import EmbeddedService, Service
from celeriac.beat.naming import NODENAME_DEFAULT, beat_nodename
