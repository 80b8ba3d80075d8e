"""Any value can be shown, briefly."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celeriac.core.representation import safe_repr


class Rude:
    """Raises when asked for its repr."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((), "()"),
        ({}, "{}"),
        ([], "[]"),
        ((2, 3), "(2, 3)"),
        ((1,), "(1,)"),
        (("x",), "('x',)"),
        (("it's",), "('it\\'s',)"),
        (("héllo ☃",), "('héllo ☃',)"),
        ((None, True, 1.5), "(None, True, 1.5)"),
        ({"a": 1}, "{'a': 1}"),
        ({1: [2]}, "{1: [2]}"),
        ((b"ascii", b"\xff\x00\x80"), "(b'ascii', b'ff0080')"),
        ({1, 2}, "{1, 2}"),
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        ((Decimal("1.10"), date(2030, 1, 2)), "(Decimal('1.10'), datetime.date(2030, 1, 2))"),
        (((1, 2), [3, (4, 5)]), "((1, 2), [3, (4, 5)])"),
        ([[[[1]]]], "[[[[...]]]]"),
        (OrderedDict(a=1), repr(OrderedDict(a=1))),
    ],
)
def test_values_are_shown_as_celery_shows_them(value: object, text: str) -> None:
    assert safe_repr(value) == text


def test_a_long_text_is_cut() -> None:
    shown = safe_repr(("x" * 3000,))

    assert shown.endswith("...',)")
    assert len(shown) < 1040


def test_a_long_list_is_cut() -> None:
    shown = safe_repr([list(range(10_000))])

    assert shown.endswith("...]]")
    assert len(shown) < 1040


def test_a_list_inside_itself_is_shown_once() -> None:
    endless: list[Any] = [1]
    endless.append(endless)

    assert safe_repr(endless) == "[1, [...]]"


def test_the_same_list_twice_is_shown_twice() -> None:
    inner = [1]

    assert safe_repr([inner, inner]) == "[[1], [1]]"


def test_an_object_that_refuses_its_repr_is_named() -> None:
    assert safe_repr([Rude()]) == "[<Rude: no repr, RuntimeError>]"


def test_an_object_with_an_endless_repr_is_cut() -> None:
    assert len(safe_repr(range(10**9))) < 100
    assert len(safe_repr(type("Long", (), {"__repr__": lambda self: "x" * 10**6})())) < 1040


@pytest.mark.parametrize(
    "value", [[10**1_000_000], ["x" * 50_000_000], [b"x" * 50_000_000], list(range(1_000_000)), {"a": list(range(1_000_000))}]
)
def test_a_huge_value_costs_no_time(value: object) -> None:
    start = time.process_time()

    shown = safe_repr(value)

    assert time.process_time() - start < 0.5
    assert len(shown) < 2100


@settings(deadline=None, max_examples=300)
@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=20,
    )
)
def test_every_value_is_shown_in_bounds(value: object) -> None:
    assert len(safe_repr(value, maxlen=50)) < 400


def test_a_list_of_a_class_of_its_own_that_cannot_even_be_counted_is_shown_as_such() -> None:
    class Uncountable(list[int]):
        def __len__(self) -> int:
            raise RuntimeError("ask nothing")

    assert safe_repr((Uncountable([1]),)) == "(<Uncountable: no repr, RuntimeError>,)"
