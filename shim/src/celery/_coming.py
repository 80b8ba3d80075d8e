"""Modules of Celery that celeriac has no counterpart of yet: importing one says so, instead of "no module named"."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType
from typing import Final

COMING: Final[Mapping[str, str]] = MappingProxyType({
    "celery.app.annotations": "annotations are read by celeriac's own settings",
    "celery.app.autoretry": "retries are part of the task",
    "celery.app.backends": "its result stores are no classes of Celery's form",
    "celery.app.routes": "routes are read by celeriac's own settings",
    "celery.apps.multi": "several nodes are started by the command line only",
    "celery.backends": "its result stores are no classes of Celery's form",
    "celery.bootsteps": "no boot steps",
    "celery.concurrency": "its pools are no classes of Celery's form",
    "celery.contrib.django": "no integration of Django",
    "celery.contrib.pytest": "no fixtures for tests",
    "celery.contrib.rdb": "no debugger at a distance",
    "celery.contrib.sphinx": "no extension of Sphinx",
    "celery.contrib.testing": "no worker for tests",
    "celery.fixups": "no integration of Django",
    "celery.loaders": "an app imports its modules itself",
    "celery.security": "no signed messages",
    "celery.worker": "a worker is no class of Celery's form",
})  # fmt: skip
"""Module, with all that is below it -> what this version has not, or has otherwise."""


class Teller(MetaPathFinder):
    """Asked last, when nobody knows the module."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Raise for a module of the table; know nothing of others."""
        del path, target
        for module, reason in COMING.items():
            if name == module or name.startswith(f"{module}."):
                raise ModuleNotFoundError(
                    f"No module named {name!r} in celeriac's shim of Celery: {reason} in this version", name=name
                )
        return None


def tell() -> None:
    """Be asked from now on."""
    if not any(isinstance(finder, Teller) for finder in sys.meta_path):
        sys.meta_path.append(Teller())
