"""A settings file as Celery's users write it, with schedules from ``celery.schedules``."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

import celeriac
import celery.schedules
import celery.utils.time


def noon() -> datetime:
    return datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_settings_file_with_a_schedule_is_read_and_kept(caplog: pytest.LogCaptureFixture) -> None:
    nightly = celery.schedules.crontab(hour=3, minute=0)

    with celery.Celery("scheduled", broker="memory://scheduled") as app:
        app.config_from_object({"beat_schedule": {"nightly": {"task": "shop.tasks.report", "schedule": nightly}}})
        kept = app.conf.beat_schedule["nightly"]["schedule"]
        app.now()

    assert kept is nightly
    assert caplog.text == ""


def test_the_shims_schedules_are_celeriacs() -> None:
    assert celery.schedules.crontab is celeriac.crontab
    assert celery.schedules.schedule is celeriac.schedule
    assert celery.schedules.solar is celeriac.solar
    assert pickle.loads(pickle.dumps(celery.schedules.crontab(5))) == celeriac.crontab("5")


def test_the_distance_to_the_next_run_can_be_counted_with_celerys_small_works() -> None:
    with celery.Celery("distance", broker="memory://distance") as app:
        nightly = celery.schedules.crontab(30, 0, nowfun=noon, app=app)

        for parts in (nightly.remaining_delta(noon()), nightly.remaining_delta(noon(), ffwd=celery.utils.time.ffwd)):
            assert celery.utils.time.remaining(*parts) == timedelta(hours=12.5)
