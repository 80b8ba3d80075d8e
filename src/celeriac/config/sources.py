"""Where settings come from: a mapping, a module, a class, an object, a dotted name, the environment.

In a program's life: ``app.config_from_object(...)`` and the app's first moments. Returns plain mappings for ``Conf``.
Does not know: what the settings mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from celeriac.config.aliases import modern_name
from celeriac.config.settings import NAMES, unknown_setting
from celeriac.core.errors import ImproperlyConfigured

ENVIRONMENT: Final[Mapping[str, str]] = {"CELERY_BROKER_URL": "broker_url", "CELERY_RESULT_BACKEND": "result_backend"}
"""Variables that win over what the program says. Source: Celery's page on configuration."""


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that environment variables give."""
    return {name: environ[variable] for variable, name in ENVIRONMENT.items() if environ.get(variable)}


def from_object(source: Any, *, namespace: str | None = None) -> dict[str, Any]:
    """Return the settings that ``source`` holds.

    Args:
        source: A mapping, module, class or object, or the dotted name of one (``"pkg.mod"``, ``"pkg.mod:Class"``).
        namespace: Take only names that begin with this and ``_`` (``"CELERY"``), without it.

    Raises:
        ImproperlyConfigured: it cannot be imported, or holds what looks like a misspelt setting.
    """
    found = load(source) if isinstance(source, str) else source
    if isinstance(found, Mapping):
        values = dict(found)
        strict = True
    else:
        values = {name: getattr(found, name) for name in dir(found) if not name.startswith("_")}
        strict = False
    if namespace:
        prefix = namespace + "_"
        values = {name.removeprefix(prefix).lower(): value for name, value in values.items() if name.startswith(prefix)}
        strict = True
    return {name: value for name, value in values.items() if _is_setting(name, value, strict=strict)}


def _is_setting(name: str, value: Any, *, strict: bool) -> bool:
    """A module holds other names, too; but one that nearly is a setting's was meant to be one."""
    if modern_name(name, NAMES) in NAMES:
        return True
    if strict:
        raise unknown_setting(name)
    is_value = not isinstance(value, ModuleType) and not callable(value)
    if is_value and get_close_matches(name.lower(), NAMES, n=1, cutoff=0.85):
        raise unknown_setting(name)
    return False


def load(name: str) -> Any:
    """Import what a dotted name means.

    Raises:
        ImproperlyConfigured: there is no such module, or nothing of that name in it.
    """
    module_name, colon, attribute = name.partition(":")
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        parent, dot, last = module_name.rpartition(".")
        if colon or not dot or error.name not in {module_name, parent}:
            raise ImproperlyConfigured(f"cannot import the configuration {name!r}: {error}") from error
        found, attribute = load(parent), last
    for part in attribute.split(".") if attribute else ():
        if not hasattr(found, part):
            raise ImproperlyConfigured(f"cannot import the configuration {name!r}: there is no {part!r} in it")
        found = getattr(found, part)
    return found
