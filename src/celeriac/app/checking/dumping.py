"""Models and whatever else pydantic can write, as plain data that any serializer takes.

In a job's life: arguments on their way out, results on their way to the store; loaded with ``schema.py``. Only what has no
form on the wire is changed: dates, UUIDs, decimals and bytes have one and stay what they are. A model is dumped by the names
of its fields. Does not know: annotations, tasks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, Secret, SecretBytes, SecretStr, TypeAdapter
from pydantic_core import PydanticSerializationError, to_jsonable_python

from celeriac.app.checking.secrets import holds_secret
from celeriac.core.typedjson import has_form

_SECRETS: Final = (Secret, SecretBytes, SecretStr)
_ASTERISKS: Final = str(SecretStr("x"))
_SETS: Final = (set, frozenset, deque)
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_DEEPEST: Final = 128
"""Lists and objects inside each other that are looked into: as deep as a serializer writes. Python's own limit may be too high
for the stack, where a program has raised it."""


class _TooDeep(Exception):
    """It is deeper than anybody would write it, or holds itself."""


class Dumping:
    """How models are dumped. ``reveal``: secrets travel as they are; otherwise pydantic's asterisks stand for them."""

    def __init__(self, *, reveal: bool, context: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """``context`` and ``options`` are those of ``BaseModel.model_dump``."""
        self._reveal, self._options = reveal, {"context": dict(context), **options}

    def plain(self, value: Any) -> Any:
        """Return ``value`` as plain data; itself, where there is nothing to change, or nothing that can be done."""
        try:
            return self._plain(value, _DEEPEST)
        except _TooDeep:  # the serializer tells where
            return value

    def _plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _SCALARS:
            return value
        if depth == 0:
            raise _TooDeep
        if kind is list or kind is tuple:
            return kind([self._plain(item, depth - 1) for item in value])
        if kind is dict:
            return {name: self._plain(item, depth - 1) for name, item in value.items()}
        if hasattr(kind, "__json__"):  # it has a form of its own on the wire
            return value
        if isinstance(value, BaseModel):
            return self._dumped(value, value.model_dump)
        if is_dataclass(kind):
            adapter = _adapter_of(kind)
            return self._dumped(value, lambda **options: adapter.dump_python(value, **options))
        if isinstance(value, _SECRETS):
            return self._plain(value.get_secret_value(), depth - 1) if self._reveal else str(value)
        if isinstance(value, _SETS):
            return [self._plain(item, depth - 1) for item in value]
        return value if has_form(value) else self._written(value)

    def _dumped(self, value: Any, dump: Any) -> Any:
        found = dump(**self._options)
        if self._reveal and (holds_secret(type(value)) or _has_asterisks(found)):
            # In JSON's mode pydantic writes asterisks. In Python's it leaves the secret in its place, so we look there.
            bare = dump(**{**self._options, "mode": "python"})
            return self._revealed(found, bare)
        return found

    def _revealed(self, found: Any, bare: Any) -> Any:
        """Return ``found`` with its asterisks replaced by the secrets that stand at the same place in ``bare``."""
        if isinstance(bare, _SECRETS):
            return self._plain(bare, _DEEPEST)
        if isinstance(found, dict) and isinstance(bare, Mapping) and len(found) == len(bare):
            return {name: self._revealed(*pair) for name, *pair in zip(found, found.values(), bare.values(), strict=True)}
        if isinstance(found, list) and isinstance(bare, list | tuple | set | frozenset | deque) and len(found) == len(bare):
            return [self._revealed(*pair) for pair in zip(found, bare, strict=True)]
        return found

    @staticmethod
    def _written(value: Any) -> Any:
        try:
            return to_jsonable_python(value)
        except PydanticSerializationError:
            return value  # the serializer may know it (pickle), or says what it is and where


def _has_asterisks(found: Any) -> bool:
    """Say whether pydantic has hidden something: a field that may hold anything can hold a secret, too."""
    if isinstance(found, dict):
        return any(map(_has_asterisks, found.values()))
    if isinstance(found, list):
        return any(map(_has_asterisks, found))
    return isinstance(found, str) and found == _ASTERISKS


@lru_cache(maxsize=1024)
def _adapter_of(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
