"""What options hold that click has no type for: lists, JSON, moments. Each fails with a sentence that shows what is allowed.

Plain functions from text to value, as click takes them for ``type``. Does not know: options.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TypeVar

import click

T = TypeVar("T")


def comma_list(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split ``a,b,c``; blanks around names do not count."""
    if isinstance(text, tuple):  # a default
        return text
    return tuple(name.strip() for name in text.split(",") if name.strip())


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
        return float(text)
    except ValueError:
        return moment(text)


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
