"""The settings as nested namespaces of options: what programs written for Celery find in ``celery.app.defaults``.

In a program's life: asked by monitors and by tools that rewrite settings; the engine has ``catalog.py``. Names and shapes:
Celery's reference of ``celery.app.defaults``. Does not know: values that were set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple

from celeriac.config.aliases import modern_name, old_names
from celeriac.config.catalog import NAMES, default_of, option
from celeriac.config.checking import checked, tell_once
from celeriac.config.sections import SECTIONS


def _true_or_false(value: Any) -> bool:
    meant: bool = checked("enable_utc", value)
    return meant


def _anything(value: Any) -> Any:
    return value


class Option:
    """One setting: its default, and how a text becomes a value of it."""

    alt: str | None = None
    """The setting to use instead of a deprecated one."""
    deprecate_by: str | None = None
    remove_by: str | None = None
    old: set[str] = set()  # noqa: RUF012 - replaced, never changed
    """Names under which it was known."""
    typemap: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "string": str, "int": int, "float": float, "any": _anything, "bool": _true_or_false, "dict": dict, "tuple": tuple,
    }  # fmt: skip

    def __init__(self, default: Any = None, *args: Any, **kwargs: Any) -> None:
        """``type`` among ``kwargs`` is a name in ``typemap``, or a function; the others become attributes."""
        del args
        kind = kwargs.pop("type", "string")
        self.default = default
        self.type: Callable[[Any], Any] = self.typemap[kind] if isinstance(kind, str) else kind
        self.__dict__.update(kwargs)

    def to_python(self, value: Any) -> Any:
        """Return what the text ``value`` means.

        Raises:
            ImproperlyConfigured: it is none that the setting can have.
        """
        return self.type(value)

    def __repr__(self) -> str:
        return f"<Option: default->{self.default!r}>"


class searchresult(NamedTuple):  # noqa: N801 - Celery's name
    """Where an option was found."""

    namespace: str
    key: str
    type: Option


def Namespace(__old__: set[str] | None = None, **options: Any) -> dict[str, Any]:  # noqa: N802 - Celery's names
    """Return options as a namespace; ``__old__`` are patterns of names that they had."""
    for key, found in options.items():
        if __old__ and isinstance(found, Option) and not found.old:
            found.old = {pattern.format(key) for pattern in __old__}
    return options


def _all() -> dict[str, Any]:
    spaces: dict[str, Any] = {}
    for section, (prefix, kind) in SECTIONS.items():
        space = spaces.setdefault(section, {}) if prefix else spaces
        for key in kind.__struct_fields__:
            found = option(prefix + key)
            old = {old.lower() for old in old_names(found.name)}
            space[key] = Option(default_of(found.name), type=partial(checked, found.name), old=old)
    return spaces


def _key(namespace: str, key: str) -> str:
    return f"{namespace}_{key}" if namespace else key


def flatten(d: Mapping[str, Any], root: str = "", keyfilter: Callable[[str, str], str] = _key) -> Iterator[tuple[str, Option]]:
    """Yield the name and the option of each setting in nested namespaces."""
    for key, found in d.items():
        if isinstance(found, Mapping):
            yield from flatten(found, keyfilter(root, key), keyfilter)
        else:
            yield keyfilter(root, key), found


def find(name: str, namespace: str = "celery") -> searchresult:
    """Return where the setting ``name`` is: in the namespace, in any other, or among those without one.

    Raises:
        KeyError: there is none of this name.
    """
    wanted, space = name.lower(), namespace.lower()
    if wanted in NAMESPACES.get(space, {}):
        return searchresult(space, wanted, NAMESPACES[space][wanted])
    for other, found in NAMESPACES.items():
        if isinstance(found, Option):
            if other == wanted:
                return searchresult("", wanted, found)
        elif wanted.removeprefix(f"{other}_") in found:
            key = wanted.removeprefix(f"{other}_")
            return searchresult(other, key, found[key])
    raise KeyError(name)


def find_deprecated_settings(source: Any) -> Any:
    """Return ``source``, a mapping or object; tell of each old name that it uses."""
    for name in source if isinstance(source, Mapping) else dir(source):
        modern = modern_name(name, NAMES)
        if modern in NAMES and modern != name:
            tell_once(name, f"the setting {name} is now called {modern}")
    return source


NAMESPACES: Final[dict[str, Any]] = _all()
TO_NEW_KEY: Final = {old: name for name in sorted(NAMES) for old in old_names(name)}
"""Old name -> today's."""
TO_OLD_KEY: Final = {name: old_names(name)[0] for name in sorted(NAMES)}
"""Today's name -> the old one."""
