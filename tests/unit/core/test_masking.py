"""What may be shown of a value that may hold secrets."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac.core.masking import HIDDEN, censored, mask


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redis_password", "hunter2"),
        ("REDIS_PASSWORD", b"hunter2"),
        ("s3_secret_access_key", "hunter2"),
        ("api_token", ["hunter2"]),
        ("credentials", {"user": "hunter2"}),
        ("cassandra_auth_kwargs", {"username": "u", "pin": "hunter2"}),
    ],
)
def test_what_is_named_like_a_secret_is_hidden_whatever_it_is(name: str, value: Any) -> None:
    assert censored(name, value) == HIDDEN


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("redis://:hunter2@host", "redis://:**@host"),
        ("user:hunter2@host", "user:**@host"),
        (["redis://:hunter2@a", "redis://b"], ["redis://:**@a", "redis://b"]),
        (("redis://:hunter2@a",), ("redis://:**@a",)),
        ({"a": {"ssl_password": "hunter2"}, "b": ["x://u:hunter2@c"]}, {"a": {"ssl_password": HIDDEN}, "b": ["x://u:**@c"]}),
        ("https://host?token=hunter2&page=1", "https://host?token=**&page=1"),
    ],
)
def test_secrets_inside_of_values_are_masked(value: Any, shown: Any) -> None:
    assert censored("anything", value) == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_default_routing_key", "mail"),
        ("ssl_keyfile", "/etc/key.pem"),
        ("global_keyprefix", "shop"),
        ("redis_password", None),
        ("track_keys", True),
        ("task_time_limit", 30),
        ("task_routes", [("a.*", {"queue": "q"})]),
    ],
)
def test_what_is_no_secret_is_shown(name: str, value: Any) -> None:
    assert censored(name, value) == value


def test_several_urls_are_masked_each() -> None:
    assert mask("redis://:one@a;redis://u:two@b") == "redis://:**@a;redis://u:**@b"
