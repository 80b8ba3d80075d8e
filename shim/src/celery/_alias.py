"""Modules whose names are replaced by others: importing one gives celeriac's own module."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Final

_ITS_OWN: Final = frozenset({"__name__", "__spec__", "__loader__", "__class__"})
"""What the import system asks of the module that it loads."""


class _Forwarding(ModuleType):
    """What the import system has made for the alias. Tools that wait for an import are handed it, and patch it."""

    def __getattribute__(self, name: str) -> Any:
        if name in _ITS_OWN:
            return super().__getattribute__(name)
        return getattr(_real[super().__getattribute__("__name__")], name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _ITS_OWN:
            super().__setattr__(name, value)
        else:
            setattr(_real[self.__name__], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_real[self.__name__], name)


_real: Final[dict[str, ModuleType]] = {}


def stand_in(name: str, real: ModuleType) -> None:
    """Let the module ``name``, which is being loaded, be ``real``."""
    _real[name] = real
    sys.modules[name].__class__ = _Forwarding
    sys.modules[name] = real
