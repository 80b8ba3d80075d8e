"""What an operator should know, of a setting, a server, a fleet: frozen data. Does not know: who finds it, who is told."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from msgspec import Struct


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """Something does not work, or loses work."""
    WARNING = "warning"
    """It may be meant."""
    FINE = "ok"
    """Looked at and found well."""


class Remark(Struct, frozen=True):
    """One finding."""

    level: Level
    about: str
    """What it is about, in a few words: a setting, a server, a queue."""
    text: str
    """What is so, and what to do."""

    @classmethod
    def error(cls, about: str, text: str) -> Self:
        """Something does not work."""
        return cls(Level.ERROR, about, text)

    @classmethod
    def warning(cls, about: str, text: str) -> Self:
        """Something may not be meant."""
        return cls(Level.WARNING, about, text)

    @classmethod
    def fine(cls, about: str, text: str) -> Self:
        """Something is well."""
        return cls(Level.FINE, about, text)
