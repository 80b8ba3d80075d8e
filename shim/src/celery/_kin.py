"""Errors of kombu and billiard that programs catch: where one of them is imported, ours of that name count as theirs.

Celery's own errors of these names are kombu's and billiard's, so a program may catch either. Neither is imported here, and
where neither is installed nothing happens.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import MappingProxyType, ModuleType
from typing import Final

from celeriac.core import errors

KIN: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "kombu.exceptions": ("OperationalError", "EncodeError", "DecodeError", "ContentDisallowed"),
        "billiard.exceptions": ("TimeLimitExceeded", "SoftTimeLimitExceeded", "WorkerLostError", "Terminated"),
    }
)
"""Module -> its errors that ours are to be."""


class Adopting(SourceFileLoader):
    """Loads one of those modules, and makes its errors parents of ours."""

    def exec_module(self, module: ModuleType) -> None:
        """Load it."""
        super().exec_module(module)
        adopt(module)


class Watch(MetaPathFinder):
    """Asked first; has something to say of those modules only."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find one of those modules where it is found anyhow."""
        spec = PathFinder.find_spec(name, path, target) if name in KIN else None
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        spec.loader = Adopting(spec.loader.name, spec.loader.path)
        return spec


def adopt(module: ModuleType) -> None:
    """Make the module's errors parents of ours."""
    for name in KIN[module.__name__]:
        ours, theirs = getattr(errors, name), getattr(module, name, None)
        if isinstance(theirs, type) and not issubclass(ours, theirs):
            ours.__bases__ = (*ours.__bases__, theirs)


def watch() -> None:
    """Do so from now on, and for what is imported already."""
    if not any(isinstance(finder, Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, Watch())
    for name in KIN:
        if name in sys.modules:
            adopt(sys.modules[name])
