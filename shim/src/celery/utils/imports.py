"""Find objects and modules by their names, by the names of Celery and kombu."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module, reload
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


class NotAPackage(Exception):
    """What was asked for inside a module that has no inside."""


def qualname(obj: object) -> str:
    """Return module and name of a class or function; of another object, those of its class."""
    named = obj if hasattr(obj, "__name__") else type(obj)
    return f"{named.__module__}.{named.__qualname__}" if hasattr(named, "__qualname__") else named.__name__


def symbol_by_name(
    name: Any,
    aliases: Mapping[str, str] | None = None,
    imp: Callable[..., ModuleType] | None = None,
    package: str | None = None,
    sep: str = ".",
    default: Any = None,
    **kwargs: Any,
) -> Any:
    """Return the object that ``module:name`` or ``module.name`` names; what is no text as it is.

    Args:
        name: The name, or one of ``aliases``.
        aliases: Short name -> name.
        imp: What imports instead of ``importlib.import_module``.
        package: Where a relative module begins.
        sep: Between module and name, where there is no colon.
        default: Returned, unless ``None``, when there is no such thing.
        kwargs: For ``imp``.
    """
    if not isinstance(name, str):
        return name
    name = (aliases or {}).get(name) or name
    module, _, attribute = name.partition(":") if ":" in name else name.rpartition(sep)
    if not module:
        module, attribute = (package, attribute) if package else (attribute, "")
    try:
        found = (imp or import_module)(module, package=package, **kwargs)
        return getattr(found, attribute) if attribute else found
    except (ImportError, AttributeError):
        if default is None:
            raise
        return default


def instantiate(name: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ``symbol_by_name(name)(*args, **kwargs)``."""
    return symbol_by_name(name)(*args, **kwargs)


@contextmanager
def cwd_in_path() -> Iterator[None]:
    """Let modules be found in the current folder first."""
    here = os.getcwd()
    if here in sys.path:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


def find_module(module: str, path: Any = None, imp: Callable[[str], ModuleType] | None = None) -> Any:
    """Return the spec of a module, found in the current folder too; ``None``: there is none.

    Raises:
        NotAPackage: what stands before the last dot is no package.
    """
    del path
    with cwd_in_path():
        parent = module.rpartition(".")[0]
        if parent and not hasattr((imp or import_module)(parent), "__path__"):
            raise NotAPackage(parent)
        return find_spec(module)


def import_from_cwd(module: str, imp: Callable[..., ModuleType] | None = None, package: str | None = None) -> ModuleType:
    """Import a module, found in the current folder too."""
    with cwd_in_path():
        return (imp or import_module)(module, package=package)


def reload_from_cwd(module: ModuleType, reloader: Callable[[ModuleType], ModuleType] | None = None) -> ModuleType:
    """Load a module again."""
    with cwd_in_path():
        return (reloader or reload)(module)


def module_file(module: ModuleType) -> str:
    """Return the file of a module's source."""
    return str(Path(module.__file__ or "").with_suffix(".py"))


def gen_task_name(app: Any, name: str, module_name: str) -> str:
    """Return the name of a task of this app."""
    return str(app.gen_task_name(name, module_name))


def load_extension_class_names(namespace: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of the entry points of a group."""
    for point in entry_points(group=namespace):
        yield point.name, point.value


def load_extension_classes(namespace: str) -> Iterator[tuple[str, Any]]:
    """Yield names and objects of the entry points of a group."""
    for point in entry_points(group=namespace):
        yield point.name, point.load()
