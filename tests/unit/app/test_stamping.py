"""Stamps from outside, of a visitor, and those that a signature has: which of them a call gets."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac.app.stamping import NAMES, merged


@pytest.mark.parametrize(
    ("headers", "said", "append", "found"),
    [
        ({}, None, False, {NAMES: []}),
        ({"a": 1}, None, False, {"a": 1, NAMES: ["a"]}),
        ({"a": 1, "priority": 3, NAMES: ["a"]}, None, False, {"a": 1, "priority": 3, NAMES: ["a"]}),
        ({}, {"b": 2}, False, {"b": 2, NAMES: ["b"]}),
        ({}, {"b": 2, "priority": 3, NAMES: ["b"]}, False, {"b": 2, "priority": 3, NAMES: ["b"]}),
        ({"a": 1}, {"a": 2}, False, {"a": 1, NAMES: ["a"]}),
        ({"a": 1}, {"a": 2}, True, {"a": [1, 2], NAMES: ["a"]}),
        ({"a": None}, {"a": 2}, True, {"a": [2], NAMES: ["a"]}),
        ({"a": [1]}, {"a": [2]}, False, {"a": [1, 2], NAMES: ["a"]}),
        ({"a": 1}, {"a": [2, 3]}, True, {"a": [1, 2, 3], NAMES: ["a"]}),
        ({"a": {"x": 1}}, {"a": {"x": 2, "y": 3}}, False, {"a": {"x": 1, "y": 3}, NAMES: ["a"]}),
    ],
)
def test_what_comes_from_outside_wins_and_lists_are_put_together(
    headers: dict[str, Any], said: dict[str, Any] | None, append: bool, found: dict[str, Any]
) -> None:
    assert merged(headers, said, append=append) == found


def test_neither_of_the_two_is_changed() -> None:
    headers, said = {"a": [1]}, {"a": [2]}

    merged(headers, said, append=True)

    assert (headers, said) == ({"a": [1]}, {"a": [2]})


def test_a_call_that_is_stamped_twice_has_the_new_value_or_a_list_of_both(add: Any) -> None:
    replaced, both = add.s(1), add.s(1)

    replaced.stamp(customer=1)
    replaced.stamp(customer=2)
    both.stamp(customer=1)
    both.stamp(customer=2, append_stamps=True)

    assert replaced.options["customer"] == 2
    assert sorted(both.options["customer"]) == [1, 2]
    assert replaced.options[NAMES] == ["customer"]


def test_what_is_linked_is_stamped_too(add: Any) -> None:
    call = add.s(1)
    call.link(add.s(2))
    call.link_error(dict(add.s(3)))

    call.stamp(customer=7)

    assert [call.options[option][0]["options"]["customer"] for option in ("link", "link_error")] == [7, 7]
