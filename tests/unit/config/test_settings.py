"""Conf: reading and writing settings, by name and in sections."""

from __future__ import annotations

import copy
import logging
import pickle
import threading
from datetime import timedelta
from typing import Any

import pytest

from celeriac.config import checking
from celeriac.config.settings import Conf
from celeriac.core.errors import ImproperlyConfigured

DAY_S = 86400.0


@pytest.fixture
def told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_told", set())


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
    conf = Conf({"worker_prefetch_multiplier": 4}, environ={"CELERY_BROKER_URL": "memory://"})

    said = [conf.explicit(name) for name in ("worker_prefetch_multiplier", "broker_url", "task_serializer")]

    assert said == [True, True, False]


def test_an_unknown_setting_is_named_with_the_nearest_right_one() -> None:
    conf = Conf()

    with pytest.raises(ImproperlyConfigured, match=r"there is no setting 'task_seralizer': did you mean 'task_serializer'\?"):
        conf.task_seralizer = "json"
    with pytest.raises(ImproperlyConfigured, match="'result_backed': did you mean 'result_backend'"):
        conf.update(result_backed="redis://")
    with pytest.raises(AttributeError, match="did you mean 'broker_url'"):
        _ = conf.broker_ulr
    with pytest.raises(ImproperlyConfigured, match="there is no setting 'nothing_like_it'"):
        Conf({"nothing_like_it": 1})


def test_a_setting_of_somebody_else_is_kept_for_them_and_told_once(told_anew: None, caplog: pytest.LogCaptureFixture) -> None:
    conf = Conf()

    with caplog.at_level(logging.WARNING, "celeriac.config"):
        conf.update(shop_currency="EUR", redbeat_redis_url="redis://locks")
        conf.shop_currency = "CHF"

    assert (conf.shop_currency, conf["redbeat_redis_url"], conf.get("shop_unit")) == ("CHF", "redis://locks", None)
    assert [record.getMessage() for record in caplog.records] == [
        "there is no setting 'shop_currency': Celery's page on configuration lists them all; it is kept for whoever reads it"
    ]


def test_of_several_mappings_the_first_is_the_strongest_and_names_win_over_all() -> None:
    conf = Conf({"timezone": "UTC"}, None, {"timezone": "Mars", "task_compression": "gzip"}, task_serializer="pickle")

    assert conf.without_defaults() == {"timezone": "UTC", "task_compression": "gzip", "task_serializer": "pickle"}


def test_a_wrong_setting_among_many_leaves_all_as_they_were() -> None:
    conf = Conf()

    with pytest.raises(ImproperlyConfigured):
        conf.update(task_acks_late=True, task_time_limit=-1)

    assert (conf.task_acks_late, conf.task_time_limit, conf.revision) == (False, None, 0)


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("BROKER_URL", "broker_url", "redis://"),
        ("CELERY_BROKER_URL", "broker_url", "redis://"),
        ("CELERY_RESULT_BACKEND", "result_backend", "redis://"),
        ("CELERYD_CONCURRENCY", "worker_concurrency", 3),
        ("CELERY_TASK_RESULT_EXPIRES", "result_expires", timedelta(hours=1)),
        ("CELERY_TASK_SERIALIZER", "task_serializer", "pickle"),
        ("CELERYBEAT_SCHEDULE", "beat_schedule", {"tick": {"task": "a", "schedule": 1}}),
        ("CELERY_ROUTES", "task_routes", {"a": "b"}),
    ],
)
def test_an_old_name_is_understood_and_the_new_one_is_told(
    told_anew: None, caplog: pytest.LogCaptureFixture, old: str, new: str, value: Any
) -> None:
    with caplog.at_level(logging.WARNING, "celeriac.config"):
        conf = Conf({old: value})

    assert (conf[new], conf[old], conf.explicit(new), conf.deprecated_settings) == (value, value, True, {old})
    assert f"the setting {old} is now called {new}" in caplog.text


def test_of_an_old_and_a_new_name_the_new_one_counts_in_whatever_order() -> None:
    conf = Conf()

    conf.update({"task_serializer": "pickle", "CELERY_TASK_SERIALIZER": "yaml"})

    assert conf.task_serializer == "pickle"


def test_the_configuration_of_a_whole_program_may_be_handed_over(told_anew: None, caplog: pytest.LogCaptureFixture) -> None:
    config = {
        "CELERY_BROKER_URL": "redis://broker", "CELERYBEAT_SCHEDULE": {}, "TASK_SERIALIZER": "json",
        "SECRET_KEY": "s", "DEBUG": True, "DATABASE_URL": "postgresql://db", "REDIS_HOST": "cache", "REDIS_PORT": 6379,
        "S3_BUCKET": "uploads", "TIMEZONE": "Mars", "SESSION_COOKIE_NAME": "session", "MAX_CONTENT_LENGTH": None,
    }  # fmt: skip
    conf = Conf()

    with caplog.at_level(logging.WARNING, "celeriac.config"):
        conf.update(config)

    assert (conf.broker_url, conf.task_serializer) == ("redis://broker", "json")
    assert (conf.redis_host, conf.database_url, conf.timezone) == (None, None, None)
    assert sorted(record.getMessage().split()[2] for record in caplog.records) == [
        "CELERYBEAT_SCHEDULE",
        "CELERY_BROKER_URL",
        "TASK_SERIALIZER",
    ]
    assert conf["SESSION_COOKIE_NAME"] == "session"


@pytest.mark.parametrize(("name", "meant"), [("CELERY_BROKER_ULR", "broker_url"), ("CELERYD_CONCURENCY", "worker_concurrency")])
def test_a_misspelt_old_name_is_refused_in_a_whole_configuration_too(name: str, meant: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"no setting '{name}': did you mean '{meant}'"):
        Conf().update({"DEBUG": True, name: 1})


def test_an_upper_case_name_that_resembles_ours_may_be_somebody_elses(told_anew: None, caplog: pytest.LogCaptureFixture) -> None:
    conf = Conf()

    with caplog.at_level(logging.WARNING, "celeriac.config"):
        conf.update({"BROKER_USERS": ["ann"]})

    assert "there is no setting 'BROKER_USERS': did you mean 'broker_user'?" in caplog.text
    assert (conf["BROKER_USERS"], conf.broker_user) == (["ann"], None)


def test_what_falls_back_to_another_setting_has_its_value() -> None:
    conf = Conf({"broker_url": "redis://a", "task_default_queue": "mail"})

    conf.broker_write_url = "redis://w"

    assert (conf.broker_read_url, conf.broker_write_url) == ("redis://a", "redis://w")
    assert (conf.task_default_exchange, conf.task_default_routing_key) == ("mail", "mail")


def test_what_is_written_into_a_default_stays_in_its_own_app_and_counts() -> None:
    one, other = Conf(), Conf()

    one.beat_schedule["x"] = 1
    one.broker_transport_options["visibility_timeout"] = 60

    assert (one.beat_schedule, other.beat_schedule) == ({"x": 1}, {})
    assert (one.settings().broker.transport_options, other.settings().broker.transport_options) == (
        {"visibility_timeout": 60},
        {},
    )


def test_the_revision_grows_with_each_change() -> None:
    conf = Conf()
    revisions = [conf.revision]

    conf.task_acks_late = True
    revisions.append(conf.revision)
    del conf["task_acks_late"]
    revisions.append(conf.revision)
    conf.read_from(dict, origin="nothing")
    revisions.append(conf.revision)

    assert revisions == sorted(set(revisions))
    assert conf.task_acks_late is False


def test_the_text_of_sections_has_no_passwords() -> None:
    conf = Conf({"broker_url": "redis://:hunter2@h", "redis_password": "hunter2", "database_url": "postgresql://u:hunter2@h"})
    conf.update(result_backend="redis://:hunter2@h", broker_transport_options={"password": "hunter2"})

    assert conf.settings().broker.url == "redis://:hunter2@h"
    assert "hunter2" not in repr(conf.settings())


def test_a_setting_can_be_taken_back() -> None:
    conf = Conf({"task_default_queue": "made-with"})
    conf.update(task_acks_late=True, task_default_queue="changed")

    taken = conf.pop("task_acks_late")
    del conf.task_default_queue

    assert (taken, conf.task_acks_late, conf.task_default_queue) == (True, False, "made-with")
    with pytest.raises(AttributeError, match="task_time_limit was not set"):
        del conf.task_time_limit
    with pytest.raises(KeyError):
        del conf["task_time_limit"]


def test_the_environment_wins_over_what_is_set_later() -> None:
    conf = Conf(environ={"CELERY_BROKER_URL": "redis://env"})

    conf.broker_url = "redis://program"

    assert (conf.broker_url, conf.settings().broker.url) == ("redis://env", "redis://env")


def test_what_is_set_wins_over_what_the_app_was_made_with_and_taken_back_gives_way_to_it() -> None:
    conf = Conf({"broker_url": "redis://made-with"})

    conf.broker_url = "redis://set"
    now = conf.broker_url, conf.settings().broker.url
    del conf["broker_url"]

    assert (now, conf.broker_url) == (("redis://set", "redis://set"), "redis://made-with")


def test_a_wrong_value_that_was_written_into_a_list_is_told_when_the_sections_are_made() -> None:
    conf = Conf({"imports": ["shop.tasks"]})

    conf.imports.append(5)

    with pytest.raises(ImproperlyConfigured, match="the setting imports"):
        conf.settings()


@pytest.mark.parametrize("value", [None, 0, float("inf"), 1e30, 10**15, timedelta.max])
def test_a_result_may_be_kept_for_ever(value: Any) -> None:
    kept = Conf({"result_expires": value}).settings().result

    assert (kept.ttl_s, kept.failure_ttl_s) == (None, None)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 30 * DAY_S),
        ({"result_expires": 60}, 30 * DAY_S),
        ({"result_expires": 90 * DAY_S}, 90 * DAY_S),
        ({"result_expires": None}, None),
        ({"result_chord_expires": 60}, 60),
        ({"result_chord_expires": 0}, None),
    ],
)
def test_a_chord_is_kept_for_thirty_days_at_least_unless_one_says_how_long(
    settings: dict[str, Any], expected: float | None
) -> None:
    kept = Conf(settings).settings().result

    assert kept.chord_ttl_s == expected


@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, Conf.copy, lambda conf: pickle.loads(pickle.dumps(conf))])
def test_a_copy_holds_what_was_set_and_lives_its_own_life(duplicate: Any) -> None:
    conf = Conf({"task_default_queue": "mail"}, environ={"CELERY_BROKER_URL": "redis://env"})
    conf.update(task_acks_late=True, shop_currency="EUR")
    conf.read_from(lambda: {"timezone": "Europe/Paris"}, origin="here")
    conf.task_time_limit = 9

    twin = duplicate(conf)
    twin.task_time_limit = 10

    assert twin.without_defaults() == {
        "task_default_queue": "mail",
        "broker_url": "redis://env",
        "timezone": "Europe/Paris",
        "task_time_limit": 10,
    }
    assert conf.task_time_limit == 9


def test_settings_can_be_swapped_for_those_of_another() -> None:
    conf, other = Conf({"task_default_queue": "one"}), Conf({"task_acks_late": True})
    before = conf.revision

    conf.swap_with(other)

    assert (conf.task_default_queue, conf.task_acks_late, conf.revision > before) == ("celery", True, True)


def test_every_setting_is_in_the_mapping_once() -> None:
    conf = Conf({"CELERY_TIMEZONE": "UTC"})

    names = list(conf)

    assert len(names) == len(set(names)) == len(conf)
    assert all(name in conf for name in names)
    assert ("BROKER_URL" in conf, "nothing_like_it" in conf) == (True, False)


def test_threads_that_read_and_write_together_see_whole_sections() -> None:
    conf, wrong = Conf(), []
    start = threading.Barrier(5)

    def write() -> None:
        start.wait()
        for number in range(1, 300):
            conf.update(task_time_limit=number, task_soft_time_limit=number)

    def read() -> None:
        start.wait()
        for _ in range(300):
            task = conf.settings().task
            if task.time_limit != task.soft_time_limit:
                wrong.append(task)

    threads = [threading.Thread(target=work) for work in (write, read, read, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert conf.settings().task.time_limit == 299
