"""Nesting is measured exactly, whatever stands in texts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celeriac.core.limits import too_deep


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@pytest.mark.parametrize("depth", [1, 2, 127, 128])
def test_the_limit_itself_is_allowed(depth: int) -> None:
    text = b"[" * depth + b"]" * depth

    assert not too_deep(text, depth)
    assert too_deep(text, depth - 1)


@settings(deadline=None, max_examples=300)
@given(
    st.recursive(
        st.integers() | st.text(st.sampled_from('[]{}"\\a')),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('[{"\\')), inner, max_size=3),
    )
)
def test_it_measures_what_a_parser_would_find(value: Any) -> None:
    text, depth = json.dumps(value).encode(), depth_of(value)

    assert not too_deep(text, depth)
    if depth:
        assert too_deep(text, depth - 1)
