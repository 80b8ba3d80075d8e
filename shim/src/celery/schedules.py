"""Schedules, under Celery's path."""

from celeriac.app.schedules import (
    BaseSchedule,
    Cronspec,
    crontab,
    crontab_parser,
    maybe_schedule,
    schedstate,
    schedule,
)
from celeriac.app.solar import solar
from celeriac.core.schedules.fields import ParseException
