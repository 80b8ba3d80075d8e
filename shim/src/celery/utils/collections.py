"""Mappings whose keys are attributes, and other collections, by Celery's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


class AttributeDictMixin:
    """Lets the keys of a mapping be read and set as attributes."""

    def __getattr__(self, k: str) -> Any:
        """Return ``self[k]``."""
        try:
            return self[k]  # type: ignore[index]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {k!r}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        """Do ``self[key] = value``."""
        self[key] = value


class AttributeDict(dict[str, Any], AttributeDictMixin):
    """A dict whose keys are attributes too."""


class DictAttribute(MutableMapping[str, Any]):
    """An object, seen as a mapping of its public attributes."""

    obj: Any = None

    def __init__(self, obj: Any) -> None:
        object.__setattr__(self, "obj", obj)

    def __getattr__(self, key: str) -> Any:
        return getattr(self.obj, key)

    def __setattr__(self, key: str, value: Any) -> None:
        setattr(self.obj, key, value)

    def __getitem__(self, key: str) -> Any:
        try:
            return getattr(self.obj, key)
        except AttributeError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self.obj, key, value)

    def __delitem__(self, key: str) -> None:
        delattr(self.obj, key)

    def __iter__(self) -> Iterator[str]:
        return iter(dir(self.obj))

    def __len__(self) -> int:
        return len(dir(self.obj))

    def __contains__(self, key: object) -> bool:
        return hasattr(self.obj, str(key))

    iterkeys = MutableMapping.keys
    itervalues = MutableMapping.values
    iteritems = MutableMapping.items


def force_mapping(m: Any) -> Mapping[str, Any]:
    """Return a mapping as it is, and an object seen as one."""
    return m if isinstance(m, Mapping) else DictAttribute(m)
