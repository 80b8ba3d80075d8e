"""What the type of a setting is made of: bounds, units, and whether it is honoured.

In a program's life: read once, with the sections. A field without a mark is honoured; ``Later``, ``Harmless`` and ``Unhonoured``
in the ``Annotated`` of its type say that it is not, and why. Does not know: settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct


class Later(Struct, frozen=True):
    """The setting is known and has no effect yet: whoever sets it is told once."""

    what: str
    """The part of the engine that will honour it."""


class Harmless(Struct, frozen=True):
    """The setting needs no effect: nobody misses anything, nobody is told."""

    why: str
    """What makes it unneeded."""


class Unhonoured(Struct, frozen=True):
    """The setting will never have its effect: whoever sets it is told once."""

    why: str
    """What there is instead."""


Mark = Later | Harmless | Unhonoured


class Secretive(Struct, frozen=True):
    """A section that may hold passwords: its text, which tracebacks and error reports show, has no values."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


Text = str | None
Count = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=0, extra={"unit": "seconds"})]
Limit = Annotated[float, Meta(ge=0, le=1e9, extra={"unit": "seconds"})]
"""Of a run. Workers take a longer one, thirty years, for a mistake."""
Milliseconds = Annotated[float, Meta(ge=0, extra={"unit": "milliseconds"})]
Kibibytes = Annotated[int, Meta(ge=1, extra={"unit": "KiB"})]
Priority = Annotated[int, Meta(ge=0, le=255)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Options = Mapping[str, Any]
Names = tuple[str, ...]
Tls = bool | Mapping[str, Any]

WITH_RABBITMQ: Final = Later("RabbitMQ")
WITH_STORES: Final = Later("the result backend of that name")
WITH_SECURITY: Final = Later("signed messages")
