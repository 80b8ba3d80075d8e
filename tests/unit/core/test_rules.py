"""What operators have said, asked about one task."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.rules import NO_RULES, Remembered, Rules, remembered


def test_a_revoked_id_is_forbidden() -> None:
    rules = Rules(revoked=frozenset({"a"}))

    assert (rules.forbids("a", {}), rules.forbids("b", {})) == (True, False)


@pytest.mark.parametrize(
    ("stamps", "forbidden"),
    [
        ({"customer": "7"}, True),
        ({"customer": 7}, True),
        ({"customer": ["6", "7"]}, True),
        ({"customer": ("8",), "other": "7"}, False),
        ({"customer": []}, False),
        ({"customer": None}, False),
        ({}, False),
    ],
)
def test_a_stamp_is_forbidden_by_any_of_its_values(stamps: dict[str, Any], forbidden: bool) -> None:
    rules = Rules(revoked_stamps={"customer": frozenset({"7", "9"})})

    assert rules.forbids("a", stamps) is forbidden


def test_without_rules_nothing_is_forbidden() -> None:
    assert not NO_RULES.forbids("a", {"customer": "7"})


def test_what_is_remembered_of_revocations_may_stand_in_the_environment() -> None:
    told = remembered({"CELERY_WORKER_REVOKES_MAX": "3", "CELERY_WORKER_REVOKE_EXPIRES": "60"})

    assert (told.at_most, told.for_s) == (3, 60)
    assert remembered({"CELERY_WORKER_REVOKES_MAX": ""}) == Remembered(10800, 50_000)


@pytest.mark.parametrize("given", ["many", "0", "-1", "nan", "inf"])
def test_what_is_no_number_is_refused_by_its_name(given: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CELERY_WORKER_REVOKES_MAX"):
        remembered({"CELERY_WORKER_REVOKES_MAX": given})
