"""Who tells an event in this process, and where a program of Celery wants it told.

In an event's life: before it, in whatever makes one by way of an app. Does not know: what is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import get_ident
from typing import Any, Final, Protocol

from celeriac.abc import Broadcast, Runtime, Store
from celeriac.core.lamport import LamportClock
from celeriac.events.types import Here

_HOUR_S: Final = 3600


class AppOfEvents(Protocol):
    """An app, as events need it."""

    runtime: Runtime
    clock: LamportClock

    @property
    def store(self) -> Store:
        """Where its messages are."""


def here(app: AppOfEvents, hostname: str | None = None) -> Here:
    """Return who tells; ``None``: a process that is no node."""
    runtime = app.runtime

    def utcoffset() -> float:
        offset = runtime.now().astimezone().utcoffset()
        return 0.0 if not offset else -offset.total_seconds() / _HOUR_S

    return Here(hostname or nameless(), os.getpid(), runtime.time, app.clock.forward, utcoffset)


def nameless() -> str:
    """Return the name of a process that is no node: ``gen<pid><thread>@<host>``."""
    return f"gen{os.getpid()}{get_ident() & 0xFFFF:x}@{os.uname().nodename}"


def broadcast_of(app: AppOfEvents, borrowed: Any) -> Callable[[], Broadcast]:
    """Return where events go by way of a connection or channel of an app; of anything else: by the app's own."""
    connection = getattr(borrowed, "connection", borrowed)
    if getattr(connection, "store", None) is None:
        return lambda: app.store.broadcast
    return lambda: connection.store.broadcast
