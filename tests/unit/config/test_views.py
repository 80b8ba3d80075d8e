"""Looking at settings: tables without secrets, parts of names."""

from __future__ import annotations

import pytest

from celeriac.config.settings import Conf
from celeriac.core.errors import ImproperlyConfigured


def test_what_was_set_is_shown_by_today_s_names_with_its_secrets_masked() -> None:
    conf = Conf({
        "CELERY_BROKER_URL": "redis://user:hunter2@host/0;redis://:hunter2@other",
        "result_backend": "redis://:hunter2@host/1",
        "redis_password": "hunter2",
        "broker_use_ssl": {"ssl_ca_certs": "/ca.pem", "ssl_password": "hunter2"},
        "s3_secret_access_key": "hunter2",
        "broker_transport_options": {"sentinel_kwargs": {"password": "hunter2"}, "master_name": "shop"},
        "task_default_routing_key": "mail",
        "security_key": "/etc/hunter2",
    })  # fmt: skip

    table, text = conf.table(), conf.humanize()

    assert table == {
        "broker_transport_options": {"sentinel_kwargs": {"password": "********"}, "master_name": "shop"},
        "broker_url": "redis://user:**@host/0;redis://:**@other",
        "broker_use_ssl": {"ssl_ca_certs": "/ca.pem", "ssl_password": "********"},
        "redis_password": "********",
        "result_backend": "redis://:**@host/1",
        "s3_secret_access_key": "********",
        "security_key": "********",
        "task_default_routing_key": "mail",
    }
    assert "hunter2" not in text
    assert "task_default_routing_key: 'mail'" in text.splitlines()


def test_secrets_are_shown_to_who_insists_and_defaults_to_who_asks() -> None:
    conf = Conf({"redis_password": "hunter2"})

    insisted, everything = conf.table(censored=False), conf.table(with_defaults=True)

    assert insisted == {"redis_password": "hunter2"}
    assert (everything["task_serializer"], everything["redis_password"], len(everything)) == ("json", "********", len(conf))


def test_the_first_setting_that_has_a_value_is_found() -> None:
    conf = Conf({"task_compression": "gzip"})

    assert conf.first("broker_url", "no_such_setting", "task_compression", "task_serializer") == "gzip"
    assert conf.first("broker_url", "no_such_setting") is None


def test_a_setting_is_found_by_the_parts_of_its_name() -> None:
    conf = Conf({"task_serializer": "pickle"})

    assert (conf.get_by_parts("task", "", None, "serializer"), conf.value_set_for("task_serializer")) == ("pickle", True)
    with pytest.raises(KeyError):
        conf.get_by_parts("task", "nothing")


@pytest.mark.parametrize(
    ("name", "namespace", "found"),
    [
        ("task_serializer", "", "task_serializer"),
        ("serializer", "result", "result_serializer"),
        ("prefetch_multiplier", "", "worker_prefetch_multiplier"),
        ("TIMEZONE", "celery", "timezone"),
    ],
)
def test_an_option_is_found_by_the_end_of_its_name(name: str, namespace: str, found: str) -> None:
    assert Conf().find_option(name, namespace).name == found


def test_an_option_of_which_there_are_none_or_many_is_not_guessed() -> None:
    conf = Conf({"worker_prefetch_multiplier": 2})

    assert conf.find_value_for_key("prefetch_multiplier") == 2
    with pytest.raises(KeyError, match="may be beat_logfile, events_logfile, worker_logfile"):
        conf.find_option("logfile")
    with pytest.raises(KeyError, match="no setting 'nothing'"):
        conf.find_option("nothing")


def test_finalising_checks_everything_now() -> None:
    conf = Conf()
    conf.read_from(lambda: {"task_time_limit": -1}, origin="here")

    with pytest.raises(ImproperlyConfigured, match="in here: the setting task_time_limit = -1 is wrong"):
        conf.finalize()
