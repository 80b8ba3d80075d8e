"""Where settings come from: a mapping, a module, a class, an object, a dotted name, the environment.

In a program's life: asked by ``Conf`` when a setting is first needed. Returns plain mappings, in which ``Conf`` tells settings
from what else a module holds. Does not know: what the settings mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from os import getcwd
from types import ModuleType
from typing import Any, Final

from celeriac.config.aliases import OLD_NAMES, modern_name
from celeriac.config.catalog import NAMES
from celeriac.core.errors import ImproperlyConfigured

ENVIRONMENT: Final[Mapping[str, str]] = {
    "CELERY_BROKER_URL": "broker_url",
    "CELERY_BROKER_READ_URL": "broker_read_url",
    "CELERY_BROKER_WRITE_URL": "broker_write_url",
    "CELERY_RESULT_BACKEND": "result_backend",
}
"""Variables that win over what the program says. Source: Celery's page on configuration."""
MODULE_VARIABLE: Final = "CELERY_CONFIG_MODULE"
DEFAULT_MODULES: Final = ("celeriacconfig", "celeryconfig")
"""Read by an app that was told nothing at all. Source: Celery's page on configuration, "Example configuration file"."""


class StillImported(Exception):
    """The module of settings is being imported in this very thread, and asks for a setting: half of it is there."""


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that environment variables give."""
    return {name: environ[variable] for variable, name in ENVIRONMENT.items() if environ.get(variable)}


def from_object(source: Any, *, namespace: str | None = None) -> dict[str, Any]:
    """Return the names and values that ``source`` holds and that may be settings.

    Args:
        source: A mapping, module, class or object, or the dotted name of one (``"pkg.mod"``, ``"pkg.mod:Class"``).
        namespace: Take only names that begin with this and ``_`` (``"CELERY"``), without it; and old names that begin so.

    Raises:
        ImproperlyConfigured: it cannot be imported.
        StillImported: it is a module whose import has not ended.
    """
    found = load(source) if isinstance(source, str) else source
    if getattr(getattr(found, "__spec__", None), "_initializing", False):
        raise StillImported(source)
    if isinstance(found, Mapping):
        values = dict(found)
    else:
        prefix = namespace or ""
        values = {name: getattr(found, name) for name in dir(found) if _may_be_setting(name, found, prefix)}
    return _without(namespace.rstrip("_") + "_", values) if namespace else values


def _may_be_setting(name: str, holder: Any, prefix: str) -> bool:
    """A module also holds what it has imported and defined, an object what it can do: that is nobody's setting.

    Only what may be one is read: reading may compute, or warn.
    """
    if name.startswith("_"):
        return False
    if modern_name(name, NAMES) in NAMES or name == "TIME_ZONE" or (prefix and name.startswith(prefix)):
        return True
    kind = holder if isinstance(holder, type) else type(holder)
    for place in (holder, *kind.__mro__):
        if name in getattr(place, "__dict__", {}):
            value = place.__dict__[name]
            return not (isinstance(value, ModuleType) or callable(value) or hasattr(type(value), "__get__"))
    return False


def _without(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        short = name.removeprefix(prefix).lower()
        if name.startswith(prefix) and (short in NAMES or name not in OLD_NAMES):
            found[short] = value
        elif (name in OLD_NAMES and name.startswith("CELERY")) or name == "TIME_ZONE":
            # CELERYD_CONCURRENCY, CELERY_ALWAYS_EAGER: what was written for an old Celery means what it did.
            found[name] = value
    return found


def default_source(environ: Mapping[str, str], *, told_nothing: bool) -> dict[str, Any]:
    """Return the settings of an app that named no source.

    The module that ``CELERY_CONFIG_MODULE`` names; if there is no such variable, and the app was told nothing in any other way
    (``told_nothing``), the module ``celeriacconfig`` or ``celeryconfig``, if there is one.

    Raises:
        ImproperlyConfigured: the module fails to be imported, or the variable names none that there is.
    """
    if name := environ.get(MODULE_VARIABLE):
        return from_object(name)
    for name in DEFAULT_MODULES if told_nothing else ():
        try:
            return from_object(name)
        except ImproperlyConfigured as error:
            if not is_absent(error, name):
                raise
    return {}


def is_absent(error: ImproperlyConfigured, name: str) -> bool:
    """Say whether ``load(name)`` failed since there is no such module, and not since the module itself fails."""
    cause = error.__cause__
    module = name.partition(":")[0]
    return isinstance(cause, ModuleNotFoundError) and cause.name is not None and f"{module}.".startswith(f"{cause.name}.")


def load(name: str, *, what: str = "the configuration") -> Any:
    """Import what a dotted name means; the working folder is looked in, too. Messages call it ``what``.

    Raises:
        ImproperlyConfigured: there is no such module, it fails, or there is nothing of that name in it.
    """
    module_name, colon, attribute = name.partition(":")
    try:
        with _working_folder_importable():
            found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        parent, dot, last = module_name.rpartition(".")
        if colon or not dot or error.name not in {module_name, parent}:
            raise _unusable(name, what, error) from error
        found, attribute = load(parent, what=what), last
    except ImproperlyConfigured:
        raise
    except Exception as error:  # a module may raise anything
        raise _unusable(name, what, error) from error
    for part in attribute.split(".") if attribute else ():
        if not hasattr(found, part):
            raise ImproperlyConfigured(f"cannot import {what} {name!r}: there is no {part!r} in it")
        found = getattr(found, part)
    return found


def _unusable(name: str, what: str, error: Exception) -> ImproperlyConfigured:
    said = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
    return ImproperlyConfigured(f"cannot import {what} {name!r}: {said}")


@contextmanager
def _working_folder_importable() -> Iterator[None]:
    """Look for modules in the working folder, as Celery's loaders do; a program elsewhere has its own folder first."""
    try:
        here = getcwd()
    except OSError:  # it was deleted
        here = ""
    if not here or here in sys.path or "" in sys.path:
        yield
        return
    sys.path.append(here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)
