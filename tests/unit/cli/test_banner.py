"""The banner and the report: what they tell, and what they hide."""

from __future__ import annotations

import pytest

from celeriac import Celery
from celeriac.cli.report import facts
from celeriac.cli.store_urls import store_urls
from celeriac.core.masking import HIDDEN, censored


def test_urls_are_shown_without_their_passwords() -> None:
    app = Celery("shop", broker="redis://me:hunter2@here/0", set_as_current=False)

    broker, results = store_urls(app)

    assert "hunter2" not in broker
    assert results == "disabled://"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redis_password", "hunter2"),
        ("broker_transport_options", {"password": "hunter2", "sentinel_kwargs": {"password": "hunter2"}}),
        ("broker_url", ["redis://:hunter2@a", "redis://:hunter2@b"]),
        ("result_backend", "redis://:hunter2@here"),
    ],
)
def test_a_secret_is_never_reported(name: str, value: object) -> None:
    given = value

    shown = censored(name, given)

    assert "hunter2" not in str(shown)


def test_what_is_no_secret_is_reported() -> None:
    value = {"visibility_timeout": 30}

    shown = censored("broker_transport_options", value)

    assert shown == {"visibility_timeout": 30}


def test_only_settings_that_were_changed_are_reported() -> None:
    app = Celery("shop", broker="memory://report", set_as_current=False, task_acks_late=True, redis_password="x")

    told = facts(app)

    assert told["settings"]["task_acks_late"] is True
    assert told["settings"]["redis_password"] == HIDDEN
    assert "task_serializer" not in told["settings"]
