"""Events as tests tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celeriac.events.types import Event, Here

NODE = "celery@one"


def here(hostname: str = NODE, *, start: int = 0) -> Here:
    """Return somebody whose clocks go on by one with each look."""
    ticks = iter(range(start, start + 1_000_000))
    numbers = iter(range(start + 1, start + 1_000_000))
    return Here(hostname, 17, lambda: float(next(ticks)), lambda: next(numbers), lambda: 0.0)


def told(
    type: str, uuid: str | None = "a", *, at: float = 1.0, clock: int | None = None, hostname: str = NODE, **fields: Any
) -> Event:
    """Return an event as a receiver hands it on."""
    event: dict[str, Any] = {"type": type, "hostname": hostname, "timestamp": at, "local_received": at, "pid": 17, "utcoffset": 0}
    if uuid is not None:
        event["uuid"] = uuid
    return {**event, "clock": int(at) if clock is None else clock, **fields}


def received(uuid: str = "a", name: str = "shop.add", **fields: Any) -> Event:
    """Return ``task-received``."""
    return told("task-received", uuid, name=name, args="(1,)", kwargs="{}", **fields)


def fields_of(event: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    """Return these fields of an event."""
    return tuple(event.get(name) for name in names)
