"""The settings as programs written for Celery look them up."""

from __future__ import annotations

import logging

import pytest

from celeriac.config import checking
from celeriac.config.catalog import NAMES, default_of
from celeriac.config.namespaces import (
    NAMESPACES,
    TO_NEW_KEY,
    TO_OLD_KEY,
    Namespace,
    Option,
    find,
    find_deprecated_settings,
    flatten,
)
from celeriac.core.errors import ImproperlyConfigured


def test_flattened_namespaces_are_all_settings_with_their_defaults() -> None:
    options = dict(flatten(NAMESPACES))

    assert set(options) == NAMES
    assert all(found.default == default_of(name) for name, found in options.items())
    assert options["task_serializer"].old == {"task_serializer", "celery_task_serializer"}


def test_an_option_makes_a_value_of_a_text() -> None:
    options = dict(flatten(NAMESPACES))

    assert (options["worker_concurrency"].to_python("3"), options["task_acks_late"].to_python("false")) == (3, False)
    with pytest.raises(ImproperlyConfigured, match="worker_prefetch_multiplier = 'many' is wrong"):
        options["worker_prefetch_multiplier"].to_python("many")


@pytest.mark.parametrize(
    ("name", "namespace", "found"),
    [
        ("serializer", "task", ("task", "serializer")),
        ("prefetch_multiplier", "celery", ("worker", "prefetch_multiplier")),
        ("TIMEZONE", "celery", ("", "timezone")),
        ("worker_concurrency", "celery", ("worker", "concurrency")),
    ],
)
def test_an_option_is_found_in_its_namespace_or_any_other(name: str, namespace: str, found: tuple[str, str]) -> None:
    assert find(name, namespace)[:2] == found


def test_an_option_that_is_nowhere_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        find("nothing")


def test_programs_make_namespaces_of_their_own() -> None:
    space = Namespace(__old__={"shop_{0}"}, currency=Option("EUR"), limit=Option(5, type="int"), open=Option(type="bool"))

    assert [name for name, _ in flatten({"shop": space})] == ["shop_currency", "shop_limit", "shop_open"]
    assert (space["currency"].old, space["limit"].to_python("7"), space["open"].to_python("true")) == ({"shop_currency"}, 7, True)


def test_old_names_lead_to_new_ones_and_back(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(checking, "_told", set())
    source = {"CELERY_ALWAYS_EAGER": True, "task_serializer": "json"}

    with caplog.at_level(logging.WARNING, "celeriac.config"):
        same = find_deprecated_settings(source)

    assert same is source
    assert [record.getMessage() for record in caplog.records] == [
        "the setting CELERY_ALWAYS_EAGER is now called task_always_eager"
    ]
    assert (TO_NEW_KEY["CELERYD_CONCURRENCY"], TO_OLD_KEY["worker_concurrency"]) == ("worker_concurrency", "CELERYD_CONCURRENCY")
