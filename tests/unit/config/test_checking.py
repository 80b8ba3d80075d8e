"""What is said of a wrong value, and of a setting that has no effect."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from celeriac.config import checking
from celeriac.config.settings import Conf
from celeriac.config.transport_options import CELERYS, HONOURED
from celeriac.core.errors import ImproperlyConfigured


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(checking, "_told", set())
    caplog.set_level(logging.WARNING, "celeriac.config")
    return caplog


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("task_serializer", 1, r"task_serializer = 1 is wrong: expected `str`, got `int`"),
        ("worker_prefetch_multiplier", -1, r"worker_prefetch_multiplier = -1 is wrong: expected `int` >= 0"),
        ("accept_content", "json", r"accept_content = 'json' is wrong: expected `array`"),
        ("worker_concurrency", "many", "expected one of 'auto', or a number of 0 or more"),
        ("task_default_delivery_mode", 3, "expected one of 1, 2, 'transient', 'persistent'"),
        ("task_acks_late", "perhaps", "expected `bool`"),
        ("task_acks_late", 2, "expected `bool`"),
        ("result_expires", "tomorrow", "result_expires"),
        ("task_default_queue", "", "task_default_queue"),
        ("broker_connection_timeout", 0, "expected `float` > 0"),
        (
            "broker_transport_options",
            {"visibility_timeout": "soon"},
            "visibility_timeout = 'soon': expected a number of 0 or more",
        ),
        ("broker_transport_options", {"visibility_timeout": -1}, "visibility_timeout = -1: expected a number of 0 or more"),
        ("broker_transport_options", {"visibility_timeout": float("inf")}, "visibility_timeout = inf: expected a number of 0 or"),
        ("result_backend_transport_options", {"socket_connect_timeout": True}, "socket_connect_timeout = True: expected"),
        (
            "task_queues",
            "celery",
            r"task_queues = 'celery' is wrong: expected a mapping of names to options, or a list of Queues",
        ),
        ("timezone", 5, r"timezone = 5 is wrong: expected the IANA name of a time zone, or a tzinfo"),
        ("task_annotations", 5, r"task_annotations holds 5: it takes a mapping"),
        ("task_annotations", [{"*": {}}, 5], r"task_annotations holds 5: it takes a mapping"),
    ],
)
def test_a_wrong_value_names_the_setting_the_value_and_what_is_allowed(name: str, value: Any, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        Conf({name: value})


class Address:
    """Somebody's URL, whose repr tells all."""

    def __repr__(self) -> str:
        return "redis://:hunter2@host"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redis_password", b"hunter2"),
        ("broker_url", {"url": "redis://:hunter2@host"}),
        ("broker_url", Address()),
        ("broker_use_ssl", ["password", "redis://:hunter2@host"]),
        ("redis_backend_use_ssl", 5.5),
    ],
)
def test_a_wrong_value_is_shown_without_its_secrets(name: str, value: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match=name) as caught:
        Conf({name: value})

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(Conf({"redis_password": "hunter2"}))


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("worker_concurrency", "4", 4),
        ("task_time_limit", "2.5", 2.5),
        ("task_acks_late", "true", True),
        ("task_acks_late", "FALSE", False),
        ("task_acks_late", "1", True),
        ("task_acks_late", "on", True),
        ("task_acks_late", "No", False),
        ("task_acks_late", 1, True),
        ("broker_connection_retry_on_startup", 0, False),
        ("task_time_limit", "none", None),
        ("task_default_queue", "4", "4"),
        ("task_compression", "none", "none"),
        ("worker_concurrency", "auto", "auto"),
    ],
)
def test_what_can_mean_only_one_number_or_truth_value_is_read_as_that(name: str, text: Any, meant: Any) -> None:
    conf = Conf({name: text})

    value = conf[name]

    assert (value, type(value)) == (meant, type(meant))


def test_one_module_may_be_named_without_brackets() -> None:
    conf = Conf({"include": "shop.tasks", "imports": ["shop.reports"]})

    assert (conf.include, conf.settings().general.imports) == (("shop.tasks",), ("shop.reports",))


def test_a_setting_without_effect_is_told_once_with_what_will_bring_it(told: pytest.LogCaptureFixture) -> None:
    Conf({"broker_login_method": "PLAIN"})
    Conf({"broker_login_method": "PLAIN", "broker_pool_limit": 3, "beat_schedule": {}, "worker_agent": "cell:Agent"})

    assert [record.getMessage() for record in told.records] == [
        "the setting broker_login_method is known, and not honoured by this version: it comes with RabbitMQ",
        "the setting worker_agent is known, and not honoured by this version: there are no agents of cell",
    ]


def test_a_wrong_value_of_a_setting_without_effect_is_told_and_stops_nothing(told: pytest.LogCaptureFixture) -> None:
    conf = Conf({"worker_lost_wait": "soon", "broker_heartbeat": "often"})

    conf.worker_timer_precision = 20

    worker = conf.settings().worker
    assert (conf.worker_lost_wait, worker.lost_wait, worker.timer_precision) == ("soon", 10.0, 20.0)
    assert "worker_lost_wait = 'soon' is wrong: expected `float`" in told.text
    assert "broker_heartbeat = 'often' is wrong" in told.text


def test_an_option_of_drivers_that_has_no_effect_is_told_and_no_error(told: pytest.LogCaptureFixture) -> None:
    options = {"visibility_timeout": 60, "visibilty_timeout": 60, "unacked_key": "u", "region": "eu", "quirk": 1}
    conf = Conf({"broker_transport_options": options})

    conf.result_backend_transport_options = {"global_keyprefix": "shop", "retry_policy": {}}

    assert [record.getMessage() for record in told.records] == [
        "the setting broker_transport_options: no driver knows 'visibilty_timeout': did you mean 'visibility_timeout'?",
        "the setting broker_transport_options: unacked_key is not honoured by the redis driver of this version",
        "the setting broker_transport_options: region is not honoured by the sqs driver of this version",
        "the setting broker_transport_options: no driver knows 'quirk': it has no effect",
        "the setting result_backend_transport_options: retry_policy is not honoured by the redis driver of this version",
    ]
    assert conf.broker_transport_options == options


def test_no_option_of_drivers_is_both_honoured_and_not() -> None:
    assert not HONOURED & CELERYS.keys()


class Annotator:
    """What may be in ``task_annotations``."""

    def annotate(self, task: object) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    "annotations", [None, {"*": {"rate_limit": "1/s"}}, "shop.annotations", [{"shop.add": {"acks_late": True}}, Annotator()]]
)
def test_annotations_have_celerys_forms(annotations: Any) -> None:
    conf = Conf({"task_annotations": annotations})

    assert conf.settings().task.annotations == annotations
