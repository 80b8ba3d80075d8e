"""Settings as words of a command line: ``worker_prefetch_multiplier=1 worker.concurrency=2``.

In a program's life: at its start. Pure. Values are read as JSON, and as text where they are none, or where only text can be
meant; ``Conf`` checks names and types. Source: Celery's guide, "Workers", on late settings. Does not know: command lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, get_args, get_origin

from celeriac.config.catalog import NAMES, kind_of
from celeriac.config.sections.kinds import Text

_WORDS: Final = {"True": True, "False": False, "None": None}


def settings_from(words: Iterable[str], *, namespace: str = "") -> dict[str, Any]:
    """Return the settings that the words say.

    Args:
        words: Each ``name=value``; a dot in a name is an underscore.
        namespace: Prefix of names that begin with a dot: of ``.concurrency``, ``worker``.

    Raises:
        ValueError: a word is none of the form; it is the argument.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name.startswith("."):
            name = namespace + name
        name = name.replace(".", "_").strip("_")
        if not name or not equals:
            raise ValueError(word)
        found[name] = parsed(value, text=name in NAMES and _is_text(kind_of(name)))
    return found


def _is_text(kind: Any) -> bool:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return bare in {str, Text}


def parsed(value: str, *, text: bool = False) -> Any:
    """Read JSON, or Python's words for true, false and none; anything else, and everything if ``text``, is text."""
    if value in _WORDS and not (text and value != "None"):
        return _WORDS[value]
    if text:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
