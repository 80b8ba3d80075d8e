"""What options hold: what is taken, and the sentence for what is not."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest

from celeriac.cli.option_types import (
    comma_list,
    json_array,
    json_object,
    moment_or_seconds,
    plain_name,
    queue_list,
    tasks_at_a_time,
)


def test_a_comma_list_drops_blanks_around_names() -> None:
    text = " default, slow "

    names = comma_list(text)

    assert names == ("default", "slow")


@pytest.mark.parametrize("text", ["", " ", ",", "a,,b", "a,", "a b,,"])
def test_an_empty_name_in_a_list_is_refused_with_what_was_given(text: str) -> None:
    given = text

    with pytest.raises(click.BadParameter) as refused:
        queue_list(given)

    assert refused.value.message == f"{text!r} has an empty name in it: give names with commas between them, such as 'a,b'"


@pytest.mark.parametrize("name", ["celery", "shop.slow-1", "größe", "q" * 255, "shop@%h"])
def test_the_name_of_a_queue_or_node_is_taken_as_it_is(name: str) -> None:
    given = name

    taken = plain_name(given)

    assert taken == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "'' is no name: it is empty"),
        ("a b", "'a b' is no name: it has a space or a control character in it"),
        ("a\nb", r"'a\nb' is no name: it has a space or a control character in it"),
        ("\x1b[2J", r"'\x1b[2J' is no name: it has a space or a control character in it"),
        ("q" * 256, "'qqqqqqqqqqqqqqqqqqqq...' is no name: it has 256 characters, 255 are allowed"),
    ],
)
def test_an_odd_name_is_refused_in_one_sentence(name: str, said: str) -> None:
    given = name

    with pytest.raises(click.BadParameter) as refused:
        plain_name(given)

    assert refused.value.message == said


def test_every_name_in_a_list_of_queues_is_looked_at() -> None:
    text = "default,my queue"

    with pytest.raises(click.BadParameter, match="'my queue' is no name"):
        queue_list(text)


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
