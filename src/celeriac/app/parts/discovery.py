"""Import the modules that hold an app's tasks.

In a program's life: a worker's first step, so that it knows what it can run. Does not know: apps, tasks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from celeriac.app.parts.blame import place_of
from celeriac.core.errors import ImproperlyConfigured


def import_all(modules: Iterable[str], setting: str) -> None:
    """Import each of these modules, which ``setting`` names.

    Raises:
        ImproperlyConfigured: there is no such module, or what it imports itself is not there.
    """
    for name in modules:
        try:
            import_module(name)
        except ImportError as error:
            raise ImproperlyConfigured(f"{setting} names the module {name!r}: {_told(name, error)}") from error


def _told(name: str, error: ImportError) -> str:
    """Say whether the module itself is absent, or something that it imports."""
    if isinstance(error, ModuleNotFoundError) and error.name is not None and f"{name}.".startswith(f"{error.name}."):
        return f"there is no module {error.name!r}"
    place = place_of(error)
    return f"importing it failed with {type(error).__name__}: {error}" + (f" ({place})" if place else "")


def discover(packages: Iterable[str], related_name: str | None = "tasks") -> None:
    """Import ``related_name`` of each package that has such a module; without one, the packages themselves.

    Raises:
        ImproperlyConfigured: there is no such package, or what it or the module imports is not there.
    """
    for named in packages:
        package = _package_of(named)
        if related_name is None:
            continue
        module = f"{package}.{related_name}"
        if hasattr(sys.modules[package], "__path__") and find_spec(module) is not None:
            try:
                import_module(module)
            except ImportError as error:
                raise ImproperlyConfigured(f"autodiscover_tasks found the module {module!r}: {_told(module, error)}") from error


def _package_of(name: str) -> str:
    """Import the package of this name, or the one whose configuration class has it (Django's ``"shop.apps.ShopConfig"``)."""
    parent, _, last = name.rpartition(".")
    package = name
    try:
        if parent and isinstance(config := getattr(import_module(parent), last, None), type):
            package = getattr(config, "name", None) or parent.rpartition(".")[0] or parent
        import_module(package)
    except ImportError as error:
        raise ImproperlyConfigured(f"autodiscover_tasks names the package {name!r}: {_told(package, error)}") from error
    return package
