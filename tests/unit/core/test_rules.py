"""What operators have said, asked about one task."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac.core.rules import NO_RULES, Rules


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
