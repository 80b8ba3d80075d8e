"""What options hold that click has no type for: names, lists, JSON, moments. Each fails with a sentence that says why.

Plain functions from text to value, as click takes them for ``type``. Does not know: options.
"""

from __future__ import annotations

import json
from datetime import datetime
from math import isfinite, nan
from typing import Any, Final, TypeVar

import click

T = TypeVar("T")

LONGEST_NAME: Final = 255
"""Characters. What AMQP allows a queue; a longer name is a mistake in any store."""


def comma_list(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split ``a,b,c``; blanks around names do not count. A name must be there: nothing would mean all, or the usual one."""
    if isinstance(text, tuple):  # a default
        return text
    names = tuple(name.strip() for name in text.split(","))
    if "" in names:
        raise click.BadParameter(f"{text!r} has an empty name in it: give names with commas between them, such as 'a,b'")
    return names


def queue_list(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split ``a,b,c`` into names of queues."""
    if isinstance(text, tuple):  # a default
        return text
    return tuple(plain_name(name) for name in comma_list(text))


def plain_name(text: str) -> str:
    """Take the name of a queue or node: something that can be told from its neighbours wherever it is shown."""
    if not text:
        raise click.BadParameter("'' is no name: it is empty")
    if len(text) > LONGEST_NAME:
        raise click.BadParameter(f"{text[:20] + '...'!r} is no name: it has {len(text)} characters, {LONGEST_NAME} are allowed")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise click.BadParameter(f"{text!r} is no name: it has a space or a control character in it")
    return text


def not_empty(text: str) -> str:
    """Take any text but none."""
    if not text.strip():
        raise click.BadParameter(f"{text!r} is empty")
    return text


def seconds(text: str | float) -> float:
    """Parse a duration: a number of seconds, 0 or more."""
    number = signed_seconds(text)
    if number < 0:
        raise click.BadParameter(f"{text!r} is no duration: it is below 0")
    return number


def signed_seconds(text: str | float) -> float:
    """Parse a number of seconds."""
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise click.BadParameter(f"{text!r} is no number of seconds")
    return number


def json_array(text: str) -> list[Any]:
    """Parse a JSON array."""
    return json_of(text, list, "an array such as '[2, 3]'")


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object."""
    return json_of(text, dict, """an object such as '{"x": 2}'""")


def json_of(text: str, kind: type[T], shown: str) -> T:
    """Parse JSON of one kind."""
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not JSON: {error}") from None
    if not isinstance(parsed, kind):
        raise click.BadParameter(f"{text!r} is JSON, but not {shown}")
    return parsed


def moment(text: str) -> datetime:
    """Parse ISO 8601; without an offset it is in the app's time zone, as ``apply_async`` takes it."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a moment such as 2030-01-31T08:00:00+01:00") from None


def moment_or_seconds(text: str) -> datetime | float:
    """Parse seconds from now, or ISO 8601."""
    try:
        float(text)
    except ValueError:
        return moment(text)
    return signed_seconds(text)


def tasks_at_a_time(text: str) -> int:
    """Parse a number of tasks; 0 for ``auto``."""
    if text == "auto":
        return 0
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise click.BadParameter(f"{text!r} is neither a number of tasks nor 'auto'")
    return number
