"""From names and values that somebody hands over to settings by today's names, checked, and names of others.

In a program's life: each time that settings are set, or a source was read. Old names are told, misspelt ones refused, and what is
nobody's is kept for whoever put it there. Does not know: where it came from, which value wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from celeriac.config.aliases import modern_name, nearest
from celeriac.config.catalog import NAMES, PLACES
from celeriac.config.checking import accepted, tell_once, unknown_setting

EXTENSIONS: Final = ("redbeat_", "django_", "flower_", "sentry_")
"""Prefixes of settings of others that are known to live beside ours."""


class Intake(NamedTuple):
    """What was handed over."""

    settings: dict[str, Any]
    """By today's names, checked."""
    others: dict[str, Any]
    """Names that are no settings of ours."""
    old_names: set[str]
    """Old names that were used."""


def take_in(values: Mapping[str, Any], *, told: bool = True) -> Intake:
    """Divide ``values`` into settings and names of others.

    Args:
        values: Names and values. Of an old and a new name of one setting, the new one counts.
        told: Tell, once, of a lower-case name that is nobody's: it may be a mistake.

    Raises:
        ImproperlyConfigured: a misspelt setting, or a value that one cannot have.
    """
    taken = Intake({}, {}, set())
    # Old names first, so that the new ones, which are written over them, count.
    for name in sorted(values, key=lambda name: name in NAMES):
        modern = modern_name(name, NAMES)
        if modern not in NAMES:
            _refuse_misspelt(name)
            if told and not name.isupper() and not name.startswith(EXTENSIONS):
                tell_once(name, f"{unknown_setting(name)}; it is kept for whoever reads it")
            taken.others[name] = values[name]
        elif name != modern and name.lower() == modern and PLACES[modern][0] == "stores":
            # S3_BUCKET may be another part's of the program; a store that we lack is told by its URL.
            taken.settings[modern] = values[name]
        else:
            if name != modern:
                taken.old_names.add(name)
                tell_once(name, f"the setting {name} is now called {modern}")
            taken.settings[modern] = accepted(modern, values[name])
    return taken


def _refuse_misspelt(name: str) -> None:
    near = nearest(name, NAMES) if name != "TIME_ZONE" else None
    if near is None:
        return
    if not name.isupper() or name.startswith("CELERY"):
        raise unknown_setting(name)
    tell_once(name, f"there is no setting {name!r}: did you mean {near!r}?")
