"""Conf: what the user set, by Celery's names, and the typed sections that it amounts to.

In a program's life: ``app.conf``. It may be changed until and after tasks are declared; whoever computed something from it
compares ``revision``. Each value is checked when it is set, so that a mistake surfaces on the line that made it. A source,
such as a module, is read when something first asks for a setting, not before: it may import the app. Strongest first: the
environment; what was set since the source was named; what the app was made with; the source; added defaults; our defaults.
Safe in any thread. Does not know: files, modules (``sources.py`` reads those), what the settings are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from copy import deepcopy
from threading import RLock
from typing import Any

from celeriac.config.aliases import modern_name
from celeriac.config.catalog import DEFAULTS, FALLS_BACK, NAMES, PLACES, default_of, mark_of
from celeriac.config.checking import checked, tell_once, unknown_setting
from celeriac.config.intake import take_in
from celeriac.config.reading import Reading, Source
from celeriac.config.sections import SECTIONS, Settings
from celeriac.config.sources import from_environment
from celeriac.config.views import Views
from celeriac.core.errors import ImproperlyConfigured


class Conf(Reading, Views, MutableMapping[str, Any]):
    """The settings of one app: attribute and item access by Celery's lower-case names.

    Example:
        >>> conf = Conf({"task_default_queue": "mail"})
        >>> conf.task_default_queue, conf["task_serializer"], conf.explicit("task_serializer")
        ('mail', 'json', False)
    """

    revision: int
    """Grows with each change."""
    _overrides: dict[str, Any] | None = None
    """What the environment said when the source was read."""
    _origin: str = "the configuration"
    _settings: Settings = DEFAULTS
    _checked_at: int = -1
    """Revision to which ``_settings`` belong."""

    def __init__(
        self,
        *given: Mapping[str, Any] | None,
        environ: Mapping[str, str] | None = None,
        deprecated_settings: Iterable[str] | None = None,
        **settings: Any,
    ) -> None:
        """Begin with what the app was made with.

        Args:
            given: Settings, the strongest mapping first.
            environ: Its variables win over whatever is set.
            deprecated_settings: Old names that were used for them.
            settings: More of them, the strongest of all.

        Raises:
            ImproperlyConfigured: a setting does not exist or has a value that it cannot have.
        """
        Reading.__init__(self)
        self.__dict__["revision"] = 0
        self._environ = environ or {}
        self._changes: dict[str, Any] = {}
        self._given: dict[str, Any] = {}
        self._found: dict[str, Any] = {}
        self._added: dict[str, Any] = {}
        self._others: dict[str, Any] = {}
        """Names that are no settings of ours, kept for whoever put them there."""
        self._copies: dict[str, Any] = {}
        """Defaults that programs write into: each app has its own."""
        self._old_names: set[str] = set(deprecated_settings or ())
        self._lock = RLock()
        for values in (*reversed(given), settings):
            self._given.update(self._begun(values or {}))

    def _begun(self, values: Mapping[str, Any]) -> dict[str, Any]:
        for name in values:
            if modern_name(name, NAMES) not in NAMES:
                raise unknown_setting(name)
        return self._take_in(values)[0]

    def read_from(self, source: Source, *, origin: str) -> None:
        """Forget what was set, but for what the app was made with; ``source`` is asked when a setting is first needed.

        Args:
            source: Returns names and values.
            origin: What it is called in messages.
        """
        with self._lock:
            if self._changes:
                names = ", ".join(sorted(self._changes))
                tell_once(
                    f"{origin} {names}", f"{origin} replaces what was set before it was named: {names} must be set after that"
                )
            self._changes.clear()
            self._found, self._others = {}, {}
            self._source, self._origin, self._unread, self._named = source, origin, True, True
            self._announced = False
            self.touch()

    @property
    def is_untold(self) -> bool:
        """Whether the program has set nothing yet."""
        return not (self._changes or self._given or self._added or self._promises)

    def _take(self, values: Mapping[str, Any]) -> None:
        try:
            found, others = self._take_in(values, told=False)
        except ImproperlyConfigured as error:
            raise ImproperlyConfigured(f"in {self._origin}: {error}") from None
        with self._lock:
            self._found, self._others = found, {**others, **self._others}
            self._overrides = from_environment(self._environ)

    def settings(self) -> Settings:
        """Return the sections as they are now. The same object until something is changed."""
        if self._checked_at != self.revision or self._unread:
            self._build()
        return self._settings

    def _build(self) -> None:
        if self._unread:
            self.read()
        with self._lock:
            revision = self.revision
            parts: dict[str, dict[str, Any]] = {}
            for name, value in {**self._copies, **self._said(), "timezone": self._value("timezone")}.items():
                section, field = PLACES[name]
                try:
                    parts.setdefault(section, {})[field] = checked(name, value)
                except ImproperlyConfigured:
                    # Of one that is not honoured it was told when it was set; then it is as if it had not been.
                    if mark_of(name) is None:
                        raise
            built: dict[str, Any] = {section: SECTIONS[section][1](**fields) for section, fields in parts.items()}
            self._settings = Settings(**built)
            self._checked_at = revision

    def explicit(self, name: str) -> bool:
        """Say whether the program or the environment, and not a default of ours, gave the setting its value."""
        if self._unread:
            self.read()
        return any(name in layer for layer in self._layers())

    def without_defaults(self) -> dict[str, Any]:
        """Return what was set, by today's names."""
        if self._unread:
            self.read()
        return self._said()

    def _said(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for layer in reversed(self._layers()):
            found.update(layer)
        return found

    def _layers(self) -> tuple[dict[str, Any], ...]:
        """Return what was set, the strongest first."""
        return self._overrides or {}, self._changes, self._given, self._found, self._added

    def __getitem__(self, name: str) -> Any:
        modern = modern_name(name, NAMES)
        if self._unread:
            self.read()
        if modern in NAMES:
            return self._value(modern)
        if name in self._others:
            return self._others[name]
        raise KeyError(name)

    def _value(self, name: str) -> Any:
        for layer in self._layers():
            if name in layer:
                value = layer[name]
                break
        else:
            value = default_of(name)
            if isinstance(value, dict):
                value = self._copies.setdefault(name, deepcopy(value))
        if value is None and name in FALLS_BACK:
            return self._value(FALLS_BACK[name])
        if value is None and name == "timezone":
            return self._others.get("TIME_ZONE")
        return value

    # ---- writing -----------------------------------------------------------------------------------------------

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, *others: Any, **named: Any) -> None:
        """Set what mappings, or pairs, say: all of it, or, when there is a mistake, nothing.

        The configuration of a whole program may be handed over, as Flask's is: upper-case names that resemble none of ours are
        left alone. Of an old and a new name of one setting, the new one counts.

        Raises:
            ImproperlyConfigured: a misspelt setting, or a value that one cannot have.
        """
        values: dict[str, Any] = {}
        for other in others:
            values.update(other if isinstance(other, Mapping) else dict(other))
        found, unknown = self._take_in({**values, **named})
        with self._lock:
            self._changes.update(found)
            self._others.update(unknown)
            self.touch()

    def add_defaults(self, defaults: Mapping[str, Any] | Source) -> None:
        """Add defaults: weaker than what is set, stronger than ours. A function is called when a setting is first needed.

        Source: Celery's reference of ``Celery.add_defaults``.

        Raises:
            ImproperlyConfigured: a misspelt setting, or a value that one cannot have.
        """
        if not callable(defaults):
            self._add(defaults)
        elif self._unread:
            self._promises.append(defaults)
        else:
            self._add(defaults())

    def _add(self, defaults: Mapping[str, Any]) -> None:
        found, others = self._take_in(defaults)
        with self._lock:
            self._added = {**self._added, **found}
            self._others = {**others, **self._others}
            if not self._reading:
                self.touch()

    def _take_in(self, values: Mapping[str, Any], *, told: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
        taken = take_in(values, told=told)
        self._old_names |= taken.old_names
        return taken.settings, taken.others

    def touch(self) -> None:
        """Have everybody who computed something from the settings compute it again."""
        self.__dict__["revision"] += 1

    def abandon(self) -> None:
        """Forget the threads of the process that forked this one: one of them may have been reading."""
        self._lock, self._reading_lock, self._reading = RLock(), RLock(), False
        self.touch()

    def __delitem__(self, name: str) -> None:
        with self._lock:
            del self._changes[modern_name(name, NAMES)]
            self.touch()

    def pop(self, name: str, default: Any = None) -> Any:
        """Return the value of a setting, and have it as if it had not been set."""
        value = self.get(name, default)
        with self._lock:
            self._changes.pop(modern_name(name, NAMES), None)
            self.touch()
        return value

    def clear(self) -> None:
        """Forget what was set since the source was named."""
        with self._lock:
            self._changes.clear()
            self.touch()

    # ---- being a mapping, and an object ------------------------------------------------------------------------

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(NAMES))

    def __len__(self) -> int:
        return len(NAMES)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (modern_name(name, NAMES) in NAMES or name in self._others)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(str(unknown_setting(name))) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"the setting {name} was not set") from None

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *NAMES]

    def __getstate__(self) -> dict[str, Any]:
        """Return what was set; the environment and the hooks are those of a process."""
        self.read()
        kept = ("_changes", "_given", "_found", "_added", "_others", "_copies")
        return {name: dict(getattr(self, name)) for name in kept} | {"_overrides": dict(self._overrides or {})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Conf.__init__(self)
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self._unread = False

    def copy(self) -> Conf:
        """Return settings of their own with what these hold. Nobody is called when they are read."""
        twin = Conf.__new__(Conf)
        twin.__setstate__(self.__getstate__())
        return twin

    def swap_with(self, other: Conf) -> None:
        """Hold what ``other`` holds, instead of what these did."""
        state = other.__getstate__()
        with self._lock:
            for name, value in state.items():
                object.__setattr__(self, name, value)
            self._unread = False
            self.touch()

    def __repr__(self) -> str:
        # Names only: values may be secrets.
        said = {*(self._overrides or {}), *self._changes, *self._given, *self._found, *self._added}
        return f"<Conf: {', '.join(sorted(said)) or 'defaults'}>"


__all__ = ["NAMES", "Conf", "ImproperlyConfigured", "unknown_setting"]
