"""What options hold: what is taken, and the sentence for what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest

from celeriac.cli.option_types import comma_list, json_array, json_object, moment_or_seconds, tasks_at_a_time


def test_a_comma_list_drops_blanks_and_empty_names() -> None:
    text = " default, slow,,"

    names = comma_list(text)

    assert names == ("default", "slow")


@pytest.mark.parametrize("text", ["{", "{}", "3"])
def test_what_is_no_json_array_is_refused_with_what_was_given(text: str) -> None:
    given = text

    with pytest.raises(click.BadParameter) as refused:
        json_array(given)

    assert repr(text) in refused.value.message


def test_a_json_object_is_parsed() -> None:
    text = '{"x": 1}'

    parsed = json_object(text)

    assert parsed == {"x": 1}


@pytest.mark.parametrize(("text", "value"), [("90", 90.0), ("2030-01-31T08:00:00+00:00", datetime(2030, 1, 31, 8, tzinfo=UTC))])
def test_expires_is_seconds_or_a_moment(text: str, value: object) -> None:
    given = text

    parsed = moment_or_seconds(given)

    assert parsed == value


def test_a_moment_that_is_none_is_refused_with_an_example() -> None:
    text = "tomorrow"

    with pytest.raises(click.BadParameter, match="2030-01-31"):
        moment_or_seconds(text)


@pytest.mark.parametrize(("text", "number"), [("8", 8), ("0", 0), ("auto", 0)])
def test_concurrency_is_a_number_or_auto(text: str, number: int) -> None:
    given = text

    parsed = tasks_at_a_time(given)

    assert parsed == number


@pytest.mark.parametrize("text", ["-1", "many", ""])
def test_another_concurrency_is_refused(text: str) -> None:
    given = text

    with pytest.raises(click.BadParameter, match="neither a number"):
        tasks_at_a_time(given)
