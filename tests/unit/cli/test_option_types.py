"""Option types: what they take, and the sentence for what they do not."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest

from celeriac.cli.option_types import COMMA_LIST, JSON_ARRAY, JSON_OBJECT, MOMENT_OR_SECONDS


def test_a_comma_list_drops_blanks_and_empty_names() -> None:
    text = " default, slow,,"

    names = COMMA_LIST.convert(text, None, None)

    assert names == ("default", "slow")


@pytest.mark.parametrize("text", ["{", "{}", "3"])
def test_what_is_no_json_array_is_refused_with_what_was_given(text: str) -> None:
    given = text

    with pytest.raises(click.BadParameter) as refused:
        JSON_ARRAY.convert(given, None, None)

    assert repr(text) in refused.value.message


def test_a_json_object_is_parsed() -> None:
    text = '{"x": 1}'

    parsed = JSON_OBJECT.convert(text, None, None)

    assert parsed == {"x": 1}


@pytest.mark.parametrize(("text", "value"), [("90", 90.0), ("2030-01-31T08:00:00+00:00", datetime(2030, 1, 31, 8, tzinfo=UTC))])
def test_expires_is_seconds_or_a_moment(text: str, value: object) -> None:
    given = text

    converted = MOMENT_OR_SECONDS.convert(given, None, None)

    assert converted == value


def test_a_moment_that_is_none_is_refused_with_an_example() -> None:
    text = "tomorrow"

    with pytest.raises(click.BadParameter, match="2030-01-31"):
        MOMENT_OR_SECONDS.convert(text, None, None)
