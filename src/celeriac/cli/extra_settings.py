"""Settings at the end of a command line: ``worker_prefetch_multiplier=1 task_acks_late=true``. Pure.

Values are read as JSON, and as text where they are none; the app's ``conf`` checks names and types.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click


def extra_settings(words: Sequence[str]) -> dict[str, Any]:
    """Return the settings that the words say.

    Raises:
        click.UsageError: a word without ``=``.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise click.UsageError(f"{word!r} is neither an option nor a setting such as task_acks_late=true")
        found[name.replace(".", "_")] = parsed(value)
    return found


def parsed(text: str) -> Any:
    """Read JSON, or Python's words for true, false and none; anything else is text."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    try:
        return json.loads(text)
    except ValueError:
        return text
