"""Is this a value that the setting can have? And what is said of one that it cannot.

In a program's life: each value passes here when it is set, so that a mistake surfaces on the line that made it.
Does not know: where values come from.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import tzinfo
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from celeriac.config.aliases import nearest
from celeriac.config.catalog import NAMES, default_of, kind_of, mark_of
from celeriac.config.sections.kinds import Count, Harmless, Later, Mark
from celeriac.config.transport_options import doubts, faults
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.masking import censored
from celeriac.core.representation import safe_repr

log = logging.getLogger("celeriac.config")

_told: set[str] = set()
_TRUTH: Final = {"yes": True, "on": True, "no": False, "off": False}
"""Words that Celery reads, too, beside true, false, 1 and 0."""
_LISTS: Final = frozenset({"imports", "include"})
"""Lists of which Celery takes a single one without brackets, too."""
_SHAPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "timezone": ((NoneType, str, tzinfo), "the IANA name of a time zone, or a tzinfo"),
    "task_queues": ((NoneType, Mapping, list, tuple, set, frozenset), "a mapping of names to options, or a list of Queues"),
}
"""Settings of which a value is an object of somebody's class -> the classes, in words."""
_OPTIONS: Final = frozenset({"broker_transport_options", "result_backend_transport_options"})


def checked(name: str, value: Any) -> Any:
    """Return ``value`` as its section wants it.

    Text that can mean only one number or truth value, as environments and command lines give it, is read as that.

    Raises:
        ImproperlyConfigured: it is none that the setting can have; names the setting, the value and what is allowed.
    """
    kind = kind_of(name)
    try:
        return _converted(value, kind)
    except msgspec.ValidationError as error:
        raise ImproperlyConfigured(f"the setting {name}{_shown(name, value)} is wrong: {_allowed(error, kind)}") from None


def accepted(name: str, value: Any) -> Any:
    """Return ``value`` as ``Conf`` keeps it; tell once of what will have no effect.

    A wrong value of a setting that is not honoured is told, too, but stops no program: nothing reads it.

    Raises:
        ImproperlyConfigured: as ``checked``, for a setting that is honoured.
    """
    mark = mark_of(name)
    if mark is not None:
        _tell_of(name, value, mark)
        return value
    if name in _LISTS and isinstance(value, str):
        value = (value,)
    section_wants = checked(name, value)
    if name in _OPTIONS:
        for fault in faults(value):
            raise ImproperlyConfigured(f"the setting {name} is wrong: {fault}")
        for doubt in doubts(value):
            tell_once(f"{name}: {doubt}", f"the setting {name}: {doubt}")
    if name == "task_annotations":
        _check_annotations(value)
    if name in _SHAPES and not isinstance(value, _SHAPES[name][0]):
        raise ImproperlyConfigured(f"the setting {name}{_shown(name, value)} is wrong: expected {_SHAPES[name][1]}")
    return section_wants if isinstance(value, str) or isinstance(section_wants, bool) else value


def unknown_setting(name: str) -> ImproperlyConfigured:
    """Return the error for a setting that does not exist; it names the nearest that does."""
    near = nearest(name, NAMES, cutoff=0.7)
    hint = f"did you mean {near!r}?" if near else "Celery's page on configuration lists them all"
    return ImproperlyConfigured(f"there is no setting {name!r}: {hint}")


def tell_once(key: str, text: str) -> None:
    """Log a warning, unless this process has logged it before."""
    if key not in _told:
        _told.add(key)
        log.warning(text)


def _tell_of(name: str, value: Any, mark: Mark) -> None:
    if value == default_of(name):
        return
    wrong = ""
    try:
        checked(name, value)
    except ImproperlyConfigured as error:
        wrong = f"; {error}"
    if isinstance(mark, Harmless):
        if wrong:
            tell_once(name, wrong.removeprefix("; "))
        return
    why = f"it comes with {mark.what}" if isinstance(mark, Later) else mark.why
    tell_once(name, f"the setting {name} is known, and not honoured by this version: {why}{wrong}")


def _converted(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        kinds = (kind, *get_args(kind))
        if isinstance(value, int) and value in {0, 1} and bool in kinds:
            return bool(value)
        if not isinstance(value, str):
            raise
        word = value.lower()
        if type(None) in kinds and word in {"", "none"}:
            return None
        return _TRUTH[word] if bool in kinds and word in _TRUTH else msgspec.convert(value, kind, strict=False)


def _check_annotations(value: Any) -> None:
    several = value if isinstance(value, list | tuple) else [value]
    for each in several:
        if each is None or isinstance(each, str | Mapping | type) or hasattr(each, "annotate"):
            continue
        raise ImproperlyConfigured(
            f"the setting task_annotations holds {each!r}: it takes a mapping of task names to attributes, an object with"
            " annotate(task), the dotted name of one, or a list of these"
        )


def _shown(name: str, value: Any) -> str:
    if isinstance(value, str | int | float | Mapping | list | tuple | set | None) or "pass" in name:
        return f" = {safe_repr(censored(name, value), 200)}"
    # An object of somebody else's: its repr may hold a password.
    return f", of type {type(value).__name__},"


def _allowed(error: msgspec.ValidationError, kind: Any) -> str:
    """Return what msgspec says; of a choice, which it only calls invalid, what there is to choose."""
    choices = [choice for part in (kind, *get_args(kind)) if get_origin(part) is Literal for choice in get_args(part)]
    if choices:
        others = [part for part in get_args(kind) if get_origin(part) is not Literal and get_origin(kind) is not Literal]
        also = ", or a number of 0 or more" if Count in others else ""
        return f"expected one of {', '.join(map(repr, choices))}{also}"
    text = str(error)
    return text[:1].lower() + text[1:]
