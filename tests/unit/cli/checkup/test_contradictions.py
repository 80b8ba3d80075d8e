"""Settings that are each right, and together are not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from celeriac import Celery
from celeriac.cli.checkup.contradictions import Facts, TaskFacts, contradictions
from celeriac.cli.doctor import facts_of
from celeriac.core.remark import Level, Remark

SQLITE = "sqlite:////tmp/nobody-opens-this.db"


def facts(**settings: Any) -> Facts:
    """Return the facts of an app with these settings, whose user is not root."""
    given = {"broker_url": SQLITE, "result_backend": SQLITE, **settings}
    app = Celery("shop", set_as_current=False, **{name: value for name, value in given.items() if value is not None})
    return replace(facts_of(app), is_root=False)


def found(facts: Facts) -> list[tuple[Level, str]]:
    return [(remark.level, remark.about) for remark in contradictions(facts)]


def test_nothing_is_remarked_of_settings_that_nobody_touched() -> None:
    remarks = contradictions(facts())

    assert remarks == []


@pytest.mark.parametrize(
    ("settings", "level", "about"),
    [
        ({"accept_content": ["json", "pickle"]}, "warning", "accept_content"),
        ({"task_serializer": "yaml"}, "error", "task_serializer"),
        ({"result_serializer": "yaml"}, "error", "result_serializer"),
        ({"result_accept_content": ["yaml"]}, "error", "result_serializer"),
        ({"event_serializer": "yaml"}, "error", "event_serializer"),
        ({"task_time_limit": 10, "task_soft_time_limit": 10}, "warning", "task_soft_time_limit"),
        ({"broker_transport_options": {"visibility_timeout": 3600}}, "warning", "visibility_timeout"),
        ({"broker_transport_options": {"visibility_timeout": 1}}, "warning", "visibility_timeout"),
        ({"task_acks_late": True, "task_reject_on_worker_lost": False}, "warning", "task_reject_on_worker_lost"),
        ({"task_reject_on_worker_lost": True}, "warning", "task_reject_on_worker_lost"),
        ({"task_acks_late": True, "task_max_deliveries": 1}, "warning", "task_max_deliveries"),
        ({"result_backend": None, "task_track_started": True}, "warning", "task_track_started"),
        ({"result_backend": None, "result_expires": 100}, "warning", "result_backend"),
        ({"result_expires": 0}, "warning", "result_expires"),
        ({"result_expires": 1}, "warning", "result_expires"),
        ({"result_chord_expires": 60, "task_time_limit": 100}, "error", "result_chord_expires"),
        ({"task_always_eager": True}, "warning", "task_always_eager"),
        ({"task_store_eager_result": True}, "warning", "task_store_eager_result"),
        (
            {"worker_warm_shutdown_timeout": 5, "worker_soft_shutdown_timeout": 10},
            "warning",
            "worker_soft_shutdown_timeout",
        ),
        ({"worker_warm_shutdown_timeout": 5, "task_time_limit": 10}, "warning", "worker_warm_shutdown_timeout"),
        (
            {"worker_health_address": ":80", "worker_health_window": 5, "task_time_limit": 10},
            "warning",
            "worker_health_window",
        ),
        ({"worker_max_memory_per_child": 1000}, "warning", "worker_max_memory_per_child"),
        ({"enable_utc": False}, "warning", "enable_utc"),
        ({"broker_url": "memory://", "result_backend": "memory://"}, "error", "broker_url"),
        ({"result_backend": "memory://"}, "error", "result_backend"),
        ({"broker_url": "redis://a/0", "result_backend": "redis://b/0"}, "warning", "result_backend"),
        ({"broker_url": "redis://:secret@far.org/0"}, "warning", "broker_url"),
    ],
)
def test_what_contradicts_is_named(settings: dict[str, Any], level: Level, about: str) -> None:
    remarks = found(facts(**settings))

    assert (level, about) in remarks


def test_pickle_for_root_is_an_error() -> None:
    remarks = found(replace(facts(accept_content=["json", "pickle"]), is_root=True))

    assert remarks == [(Level.ERROR, "accept_content")]


def test_a_task_whose_soft_limit_is_never_met_is_named() -> None:
    remarks = found(replace(facts(), tasks=[TaskFacts("shop.add", time_limit=5.0, soft_time_limit=9.0)]))

    assert remarks == [(Level.WARNING, "task shop.add")]


def test_a_password_is_shown_to_nobody() -> None:
    remarks: list[Remark] = contradictions(facts(broker_url="redis://:secret@far.org/0", result_backend=None))

    assert remarks
    assert not any("secret" in remark.text for remark in remarks)
