"""Settings: names, types, defaults, and what is said of a wrong one."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from celeriac.config import settings as settings_module
from celeriac.config.known import HARMLESS, KNOWN
from celeriac.config.settings import NAMES, PLACES, Conf
from celeriac.core.errors import ImproperlyConfigured


@pytest.fixture
def told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "_told", set())


def test_a_setting_is_read_as_attribute_and_as_item() -> None:
    conf = Conf({"task_default_queue": "mail"})

    conf.task_time_limit = 30
    conf["timezone"] = "Europe/Paris"

    assert (conf.task_default_queue, conf["task_default_queue"], conf.get("task_time_limit")) == ("mail", "mail", 30)
    assert (conf.timezone, conf.task_serializer) == ("Europe/Paris", "json")


def test_parts_get_typed_sections_that_stay_the_same_until_something_changes() -> None:
    conf = Conf({"result_expires": 60, "worker_concurrency": 3})

    first = conf.settings()
    second = conf.settings()
    conf.task_acks_late = True

    assert first is second
    assert (first.result.ttl_s, first.worker.concurrency, first.task.acks_late) == (60.0, 3, False)
    assert conf.settings().task.acks_late is True


def test_it_is_known_whether_the_user_set_something() -> None:
    conf = Conf({"worker_prefetch_multiplier": 4}, overrides={"broker_url": "memory://"})

    assert [conf.explicit(name) for name in ("worker_prefetch_multiplier", "broker_url", "task_serializer")] == [
        True,
        True,
        False,
    ]


def test_an_unknown_setting_is_named_with_the_nearest_right_one() -> None:
    conf = Conf()

    with pytest.raises(ImproperlyConfigured, match=r"there is no setting 'task_seralizer': did you mean 'task_serializer'\?"):
        conf.task_seralizer = "json"
    with pytest.raises(ImproperlyConfigured, match="'result_backed': did you mean 'result_backend'"):
        conf.update(result_backed="redis://")
    with pytest.raises(AttributeError, match="did you mean 'broker_url'"):
        _ = conf.broker_ulr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("task_serializer", 1, r"task_serializer = 1 is wrong: expected `str`, got `int`"),
        ("worker_prefetch_multiplier", -1, r"worker_prefetch_multiplier = -1 is wrong: expected `int` >= 0"),
        ("accept_content", "json", r"accept_content = 'json' is wrong: expected `array`"),
        ("worker_concurrency", "many", "expected one of 'auto', or a number of 0 or more"),
        ("task_default_delivery_mode", 3, "expected one of 1, 2, 'transient', 'persistent'"),
        ("task_acks_late", "yes", "expected `bool`"),
        ("result_expires", "tomorrow", "result_expires"),
        ("task_default_queue", "", "task_default_queue"),
    ],
)
def test_a_wrong_value_names_the_setting_the_value_and_what_is_allowed(name: str, value: Any, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        Conf({name: value})


def test_a_wrong_secret_is_not_shown() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        Conf({"redis_password": b"hunter2"})

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(Conf({"redis_password": "hunter2"}))


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("BROKER_URL", "broker_url", "redis://"),
        ("CELERY_BROKER_URL", "broker_url", "redis://"),
        ("CELERYD_CONCURRENCY", "worker_concurrency", 3),
        ("CELERY_TASK_RESULT_EXPIRES", "result_expires", timedelta(hours=1)),
        ("CELERY_TASK_SERIALIZER", "task_serializer", "pickle"),
        ("CELERY_ROUTES", "task_routes", {"a": "b"}),
    ],
)
def test_an_old_name_is_understood_and_the_new_one_is_told(
    told_anew: None, caplog: pytest.LogCaptureFixture, old: str, new: str, value: Any
) -> None:
    with caplog.at_level(logging.WARNING, "celeriac.config"):
        conf = Conf({old: value})

    assert (conf[new], conf[old], conf.explicit(new)) == (value, value, True)
    assert f"the setting {old} is now called {new}" in caplog.text


def test_a_setting_without_effect_is_told_once(told_anew: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "celeriac.config"):
        Conf({"task_always_eager": True})
        Conf({"task_always_eager": True, "broker_pool_limit": 3, "beat_schedule": {}})

    assert [record.getMessage() for record in caplog.records] == [
        "the setting task_always_eager is known, and not honoured by this version"
    ]


def test_what_is_written_into_a_default_stays_in_its_own_app() -> None:
    one, other = Conf(), Conf()

    one.beat_schedule["x"] = 1

    assert (one.beat_schedule, other.beat_schedule) == ({"x": 1}, {})


def test_the_revision_grows_with_each_change() -> None:
    conf = Conf()
    revisions = [conf.revision]

    conf.task_acks_late = True
    revisions.append(conf.revision)
    del conf["task_acks_late"]
    revisions.append(conf.revision)
    conf.reset({})
    revisions.append(conf.revision)

    assert revisions == sorted(set(revisions))
    assert conf.task_acks_late is False


def test_the_environment_wins_over_what_is_set_later() -> None:
    conf = Conf(overrides={"broker_url": "redis://env"})

    conf.broker_url = "redis://program"

    assert (conf.broker_url, conf.settings().broker.url) == ("redis://env", "redis://env")


def test_a_result_may_be_kept_for_ever() -> None:
    assert [Conf({"result_expires": value}).settings().result.ttl_s for value in (None, 0)] == [None, None]


def test_no_setting_is_both_honoured_and_said_to_be_not() -> None:
    assert not PLACES.keys() & KNOWN.keys()
    assert KNOWN.keys() >= HARMLESS
    assert all(name == name.lower() for name in NAMES)
