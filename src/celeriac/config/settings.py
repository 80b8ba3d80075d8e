"""Conf: what the user set, by Celery's names, and the typed sections that it amounts to.

In a program's life: ``app.conf``. It may be changed until and after tasks are declared; whoever computed something from it
compares ``revision``. Each value is checked when it is set, so that a mistake surfaces on the line that made it.
Does not know: files, modules, the environment (``sources.py`` reads those), what the settings are for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from difflib import get_close_matches
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from celeriac.config.aliases import modern_name
from celeriac.config.known import HARMLESS, KNOWN
from celeriac.config.sections import (
    BrokerSettings,
    Count,
    GeneralSettings,
    RedisSettings,
    ResultSettings,
    Settings,
    TaskSettings,
    WorkerSettings,
)
from celeriac.core.errors import ImproperlyConfigured

log = logging.getLogger("celeriac.config")

SECTIONS: Final[Mapping[str, tuple[str, type[msgspec.Struct]]]] = {
    "general": ("", GeneralSettings),
    "broker": ("broker_", BrokerSettings),
    "result": ("result_", ResultSettings),
    "redis": ("redis_", RedisSettings),
    "task": ("task_", TaskSettings),
    "worker": ("worker_", WorkerSettings),
}
"""Field of ``Settings`` -> prefix of its settings, its type."""


def _places() -> dict[str, tuple[str, str]]:
    return {prefix + field: (section, field) for section, (prefix, kind) in SECTIONS.items() for field in kind.__struct_fields__}


PLACES: Final[Mapping[str, tuple[str, str]]] = _places()
"""Name of an honoured setting -> its section and field there."""
NAMES: Final = frozenset(PLACES) | frozenset(KNOWN)
_DEFAULTS: Final = Settings()
_SECRET: Final = ("url", "backend", "password", "secret", "key")
_told: set[str] = set()


class Conf(MutableMapping[str, Any]):
    """The settings of one app: attribute and item access by Celery's lower-case names.

    Example:
        >>> conf = Conf({"task_default_queue": "mail"})
        >>> conf.task_default_queue, conf["task_serializer"], conf.explicit("task_serializer")
        ('mail', 'json', False)
    """

    revision: int
    """Grows with each change."""

    def __init__(self, values: Mapping[str, Any] | None = None, *, overrides: Mapping[str, Any] | None = None) -> None:
        """Begin with ``values``; ``overrides`` (from the environment) win over whatever is set later."""
        own = self.__dict__
        own["revision"] = 0
        own["_set"] = {}
        own["_defaults"] = {}
        own["_overrides"] = dict(overrides or {})
        own["_settings"] = None
        own["_checked_at"] = -1
        self.update(values or {})

    def settings(self) -> Settings:
        """Return the sections as they are now. The same object until something is changed."""
        if self._checked_at != self.revision:
            revision = self.revision
            given = {**self._set, **self._overrides}
            parts: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
            for name, value in given.items():
                if name in PLACES:
                    section, field = PLACES[name]
                    parts[section][field] = _checked(name, value)
            built = {section: SECTIONS[section][1](**fields) for section, fields in parts.items()}
            self.__dict__["_settings"] = Settings(**built)  # type: ignore[arg-type]
            self.__dict__["_checked_at"] = revision
        settings: Settings = self._settings
        return settings

    def explicit(self, name: str) -> bool:
        """Say whether the user, and not a default, gave the setting its value."""
        return name in self._set or name in self._overrides

    def reset(self, values: Mapping[str, Any]) -> None:
        """Forget what was set, and begin anew with ``values``."""
        self._set.clear()
        self.update(values)
        self.touch()

    def touch(self) -> None:
        """Have everybody who computed something from the settings compute it again."""
        self.__dict__["revision"] += 1

    def __getitem__(self, name: str) -> Any:
        name = modern_name(name, NAMES)
        if name in self._overrides:
            return self._overrides[name]
        if name in self._set:
            return self._set[name]
        if name in PLACES:
            section, field = PLACES[name]
            value = getattr(getattr(_DEFAULTS, section), field)
        elif name in KNOWN:
            value = KNOWN[name]
        else:
            raise KeyError(name)
        if isinstance(value, dict):
            # Programs write into such values in place: each app has its own.
            value = self._set_default(name, value)
        return value

    def _set_default(self, name: str, value: Any) -> Any:
        return self._defaults.setdefault(name, deepcopy(value))

    def __setitem__(self, name: str, value: Any) -> None:
        modern = _modern_and_told(name)
        if modern not in NAMES:
            raise unknown_setting(name)
        if modern in PLACES:
            _checked(modern, value)
        elif modern not in HARMLESS and value != KNOWN[modern]:
            _tell_once(modern, f"the setting {modern} is known, and not honoured by this version")
        self._set[modern] = value
        self.touch()

    def __delitem__(self, name: str) -> None:
        del self._set[modern_name(name, NAMES)]
        self.touch()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(NAMES))

    def __len__(self) -> int:
        return len(NAMES)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(str(unknown_setting(name))) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __repr__(self) -> str:
        # Names only: values may be secrets.
        return f"<Conf: {', '.join(sorted({*self._set, *self._overrides})) or 'defaults'}>"


def unknown_setting(name: str) -> ImproperlyConfigured:
    """Return the error for a setting that does not exist; it names the nearest that does."""
    near = get_close_matches(name.lower(), NAMES, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "Celery's page on configuration lists them all"
    return ImproperlyConfigured(f"there is no setting {name!r}: {hint}")


def _modern_and_told(name: str) -> str:
    modern = modern_name(name, NAMES)
    if modern != name:
        _tell_once(name, f"the setting {name} is now called {modern}")
    return modern


def _tell_once(name: str, text: str) -> None:
    if name not in _told:
        _told.add(name)
        log.warning(text)


def _checked(name: str, value: Any) -> Any:
    """Return ``value`` as its section wants it, or say which setting is wrong, how, and what is allowed."""
    section, field = PLACES[name]
    try:
        return msgspec.convert(value, _TYPES[section][field])
    except msgspec.ValidationError as error:
        shown = "" if any(part in name for part in _SECRET) else f" = {value!r}"
        raise ImproperlyConfigured(f"the setting {name}{shown} is wrong: {_allowed(error, _TYPES[section][field])}") from None


def _allowed(error: msgspec.ValidationError, kind: Any) -> str:
    """Return what msgspec says; of a choice, which it only calls invalid, what there is to choose."""
    choices = [choice for part in (kind, *get_args(kind)) if get_origin(part) is Literal for choice in get_args(part)]
    if choices:
        others = [part for part in get_args(kind) if get_origin(part) is not Literal and get_origin(kind) is not Literal]
        also = ", or a number of 0 or more" if Count in others else ""
        return f"expected one of {', '.join(map(repr, choices))}{also}"
    text = str(error)
    return text[:1].lower() + text[1:]


_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    section: {field.name: field.type for field in msgspec.structs.fields(kind)} for section, (_, kind) in SECTIONS.items()
}
