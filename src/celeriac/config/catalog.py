"""Which settings there are: where each one is in the sections, its default, its type, whether it is honoured.

In a program's life: asked whenever a setting is written or read. Types are read from the sections when they are first needed,
since a program sets few settings and ``import celeriac`` must not wait for all. Does not know: values that were set.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import Struct

from celeriac.config.sections import SECTIONS, Settings
from celeriac.config.sections.kinds import Harmless, Later, Mark, Unhonoured


def _places() -> dict[str, tuple[str, str]]:
    return {prefix + field: (section, field) for section, (prefix, kind) in SECTIONS.items() for field in kind.__struct_fields__}


PLACES: Final[Mapping[str, tuple[str, str]]] = _places()
"""Name of a setting -> its section and field there."""
NAMES: Final = frozenset(PLACES)
DEFAULTS: Final = Settings()
FALLS_BACK: Final[Mapping[str, str]] = {
    "broker_read_url": "broker_url",
    "broker_write_url": "broker_url",
    "task_default_exchange": "task_default_queue",
    "task_default_routing_key": "task_default_queue",
}
"""Read when the first one has no value: the second. Source: Celery's page on configuration."""


class Option(Struct, frozen=True, kw_only=True):
    """One setting, described."""

    name: str
    section: str
    """Field of ``Settings``; the setting's namespace in Celery's words, empty for a setting without a prefix."""
    key: str
    """Name within the section."""
    default: Any
    kind: Any
    """Type, as ``typing`` writes it, with bounds and unit in ``Annotated``."""
    mark: Mark | None
    """Why it is not honoured. ``None``: it is."""


def default_of(name: str) -> Any:
    """Return the default of a setting. A mapping is shared by all: whoever hands it out copies it."""
    section, field = PLACES[name]
    return getattr(getattr(DEFAULTS, section), field)


def kind_of(name: str) -> Any:
    """Return the type of a setting, without the mark."""
    return _types(PLACES[name][0])[PLACES[name][1]][0]


def mark_of(name: str) -> Mark | None:
    """Say why a setting is not honoured. ``None``: it is."""
    return _types(PLACES[name][0])[PLACES[name][1]][1]


def option(name: str) -> Option:
    """Return what there is to know about a setting.

    Raises:
        KeyError: there is none of this name.
    """
    section, field = PLACES[name]
    prefix = SECTIONS[section][0]
    return Option(
        name=name,
        section=section if prefix else "",
        key=field,
        default=default_of(name),
        kind=kind_of(name),
        mark=mark_of(name),
    )


@cache
def _types(section: str) -> Mapping[str, tuple[Any, Mark | None]]:
    return {field.name: _split(field.type) for field in msgspec.structs.fields(SECTIONS[section][1])}


def _split(kind: Any) -> tuple[Any, Mark | None]:
    """Take the mark out of ``Annotated[type, mark]``."""
    if get_origin(kind) is not Annotated:
        return kind, None
    inner, *notes = get_args(kind)
    marks = [note for note in notes if isinstance(note, Later | Harmless | Unhonoured)]
    others = tuple(note for note in notes if note not in marks)
    return (Annotated[(inner, *others)] if others else inner), (marks[0] if marks else None)
