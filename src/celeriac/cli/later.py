"""Options of Celery's worker that this version does not have: so that a script that moves over is told what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MISSING: Final[Mapping[str, str]] = MappingProxyType({
    **dict.fromkeys(("-B", "--beat", "-s", "--schedule", "--schedule-filename", "--scheduler"), "periodic tasks"),
})  # fmt: skip
"""Option -> what it would need."""


def told_missing(option: str) -> str | None:
    """Say that this version does not have it, if Celery does."""
    return f"{option}: this version has no {MISSING[option]}" if option in MISSING else None
