"""Schedules, under Celery's path."""

from celeriac.app.crontab_parser import crontab_parser
from celeriac.app.schedules import (
    BaseSchedule,
    Cronspec,
    crontab,
    maybe_schedule,
    schedstate,
    schedule,
)
from celeriac.app.solar import solar
from celeriac.core.schedules.fields import ParseException
