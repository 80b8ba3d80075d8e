"""Import the modules that hold an app's tasks.

In a program's life: a worker's first step, so that it knows what it can run. Does not know: apps, tasks.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec


def import_all(modules: Iterable[str]) -> None:
    """Import each of these modules; one that fails to import is an error of the program, and raises."""
    for name in modules:
        import_module(name)


def discover(packages: Iterable[str], related_name: str | None) -> None:
    """Import ``related_name`` of each package that has such a module; without one, the packages themselves."""
    for package in packages:
        if related_name is None:
            import_module(package)
            continue
        found = import_module(package)
        if hasattr(found, "__path__") and find_spec(f"{package}.{related_name}") is not None:
            import_module(f"{package}.{related_name}")
