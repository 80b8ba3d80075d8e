"""Find the app that ``-A`` names, as Celery finds it.

``module:attr``, ``module.attr``, or a module with an ``app`` or ``celery`` in it, or a package with a ``celery`` module, or the
first app in the module. Looks in the current folder first. Does not know: what is done with the app.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from celeriac.app.app import Celery
from celeriac.app.parts.blame import place_of
from celeriac.cli.failures import AppNotFound

USUAL_NAMES = ("app", "celery")


def find_app(spec: str) -> Celery:
    """Return the app that ``spec`` names.

    Raises:
        AppNotFound: there is no such module or attribute, importing failed, or what was found is no app.
    """
    found = find_named(spec, "-A ", "-A shop, -A shop.tasks or -A shop:app")
    if isinstance(found, Celery):
        return found
    if isinstance(found, ModuleType) and (app := app_in(found)) is not None:
        return app
    if isinstance(found, ModuleType):
        raise AppNotFound(f"-A {spec}: the module {found.__name__!r} has no app; name it as in -A {spec}:my_app")
    raise AppNotFound(f"-A {spec}: that is no app but of type {type(found).__name__!r}")


def find_named(spec: str, option: str, examples: str) -> object:
    """Return what ``module``, ``module:attr`` or ``module.attr`` names.

    Args:
        spec: The name.
        option: What stands before it on the command line: ``"-A "``, or nothing.
        examples: Names as they should be.

    Raises:
        AppNotFound: there is no such module or attribute, or importing failed.
    """
    module_name, colon, attribute = spec.partition(":")
    if "" in module_name.split("."):
        # Python's import would complain of arguments that nobody typed.
        raise AppNotFound(f"{option}{spec!r}: that names no module; write it as in {examples}")
    if (here := os.getcwd()) not in sys.path:
        sys.path.insert(0, here)
    said = f"{option}{spec}"
    return attribute_of(import_named(module_name, said), attribute, said) if colon else resolve_dotted(spec, said)


def resolve_dotted(spec: str, said: str) -> object:
    """Return the module ``spec``, or the attribute that its last part names."""
    if module_exists(spec):
        return import_named(spec, said)
    parent, dot, last = spec.rpartition(".")
    if not dot or not parent or not module_exists(parent):
        raise no_module(said, spec)
    return attribute_of(import_named(parent, said), last, said)


def module_exists(name: str) -> bool:
    """Say whether there is such a module, though it may fail when it is imported."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError as error:
        # Absent is this module, or a package above it; otherwise a package above is there and misses something of its own.
        return not absent(name, error)
    except (Exception, SystemExit):
        return True


def absent(name: str, error: ModuleNotFoundError) -> bool:
    """Say whether the error is about this module, and not about one that it imports."""
    return error.name is not None and f"{name}.".startswith(f"{error.name}.")


def import_named(name: str, said: str) -> ModuleType:
    """Import a module; say in one sentence what went wrong in it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if absent(name, error):
            raise no_module(said, name) from error
        raise AppNotFound(f"{said}: {told(name, error)}") from error
    except (Exception, SystemExit) as error:
        raise AppNotFound(f"{said}: {told(name, error)}") from error


def no_module(said: str, name: str) -> AppNotFound:
    """Return the error that says where was looked."""
    return AppNotFound(f"{said}: there is no module {name!r} in {os.getcwd()} nor among the installed ones")


def told(name: str, error: BaseException) -> str:
    """Say which line of the user's files raised."""
    place = place_of(error)
    reason = " ".join(str(error).split())
    return f"importing {name!r} failed with {type(error).__name__}: {reason}{f' ({place})' if place else ''}"


def attribute_of(module: ModuleType, path: str, said: str) -> object:
    """Return ``module.path``, where ``path`` may have dots; the module itself when ``path`` is empty."""
    found: object = module
    for name in filter(None, path.split(".")):
        if not hasattr(found, name):
            raise AppNotFound(f"{said}: {module.__name__!r} has no attribute {path!r}")
        found = getattr(found, name)
    return found


def app_in(module: ModuleType) -> Celery | None:
    """Return the app of a module: the usual names, the ``celery`` module of a package, then any app in it."""
    for name in USUAL_NAMES:
        if isinstance(found := getattr(module, name, None), Celery):
            return found
    inner = f"{module.__name__}.celery"
    if hasattr(module, "__path__") and module_exists(inner):
        return app_in(import_named(inner, f"-A {inner}"))
    return next((value for value in vars(module).values() if isinstance(value, Celery)), None)
