"""How commands print."""

from __future__ import annotations

import json

import pytest

from celeriac.cli.output import moment, print_columns, print_json, printable


def test_an_escape_sequence_from_a_message_is_shown_and_not_obeyed() -> None:
    text = "name\x1b[2Jrest\nnext"

    shown = printable(text)

    assert shown == "name\\x1b[2Jrest\\nnext"


def test_columns_are_aligned_and_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("celery", 7), ("slow", 123)]

    print_columns(("queue", "waiting"), rows)

    assert capsys.readouterr().out.splitlines() == ["queue   waiting", "celery        7", "slow        123"]


def test_no_rows_leave_the_headings(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[str, int]] = []

    print_columns(("queue", "waiting"), rows)

    assert capsys.readouterr().out == "queue  waiting\n"


def test_what_json_cannot_say_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"error": ValueError("no")}

    print_json(value)

    assert json.loads(capsys.readouterr().out) == {"error": "no"}


def test_a_moment_is_shown_in_utc() -> None:
    seconds = 1_893_456_000.0

    shown = moment(seconds)

    assert shown == "2030-01-01 00:00:00+00:00"
