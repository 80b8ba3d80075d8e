"""Worker: what a monitor knows of one node.

In an event's life: receiver -> state -> **here**. A node is alive as long as its last sign of life is younger than twice the time
between two of them. Names and meanings: Celery's reference of ``celery.events.state``. Does not know: other nodes, tasks.
"""

from __future__ import annotations

import logging
from bisect import insort
from collections.abc import Mapping
from datetime import UTC, datetime
from time import time
from typing import Any, ClassVar, Final

log = logging.getLogger("celeriac.events")

HEARTBEAT_EXPIRE_WINDOW: Final = 200
"""Percent of the time between two signs of life after which a node that gave none is not alive."""
HEARTBEAT_DRIFT_MAX: Final = 16
"""Seconds between an event's time and its arrival from which on a clock is said to be wrong."""
DRIFT_WARNING: Final = (
    "Substantial drift from %s may mean clocks are out of sync.  Current drift is %s seconds.  [orig: %s recv: %s]"
)
_MOST_WARNED: Final = 1000
_FIELDS: Final = (
    "hostname", "pid", "freq", "heartbeats", "clock", "active", "processed", "loadavg", "sw_ident", "sw_ver", "sw_sys",
)  # fmt: skip

_warned: Final[set[str]] = set()
"""Whose clocks were told to be wrong: once is enough."""


def heartbeat_expires(timestamp: float, freq: float = 60, expire_window: float = HEARTBEAT_EXPIRE_WINDOW) -> float:
    """Return the moment after which a node that gave its last sign of life at ``timestamp`` is not alive."""
    return float(timestamp) + float(freq) * expire_window / 100


class Worker:
    """One node."""

    heartbeat_max: ClassVar[int] = 4
    """Signs of life that are remembered."""
    expire_window: ClassVar[float] = HEARTBEAT_EXPIRE_WINDOW
    nowfun = staticmethod(time)
    """The present moment, seconds since 1970: programs ask ``alive`` without handing in a clock."""
    _fields: ClassVar[tuple[str, ...]] = _FIELDS
    """What programs of Celery go through."""

    hostname: str | None
    pid: int | None
    freq: float
    """Seconds between two signs of life."""
    heartbeats: list[float]
    """When the last ones arrived."""
    clock: int
    active: int | None
    """Tasks that run."""
    processed: int | None
    """Tasks that have ended."""
    loadavg: Any
    sw_ident: str | None
    """Which program it is; with ``sw_ver``, its version, and ``sw_sys``, its system."""
    sw_ver: str | None
    sw_sys: str | None

    def __init__(
        self,
        hostname: str | None = None,
        pid: int | None = None,
        freq: float = 60,
        heartbeats: list[float] | None = None,
        clock: int = 0,
        active: int | None = None,
        processed: int | None = None,
        loadavg: Any = None,
        sw_ident: str | None = None,
        sw_ver: str | None = None,
        sw_sys: str | None = None,
    ) -> None:
        self.hostname, self.pid, self.freq, self.clock = hostname, pid, freq, clock or 0
        self.heartbeats = [] if heartbeats is None else heartbeats
        self.active, self.processed, self.loadavg = active, processed, loadavg
        self.sw_ident, self.sw_ver, self.sw_sys = sw_ident, sw_ver, sw_sys

    def event(
        self,
        type_: str | None,
        timestamp: float | None = None,
        local_received: float | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Take note of one event of it; ``type_`` is what comes after ``worker-``, or ``None`` for one of a task."""
        if fields:
            self.update({name: fields[name] for name in _FIELDS if name in fields and name != "heartbeats"})
        if type_ == "offline":
            self.heartbeats.clear()
        elif local_received and timestamp:
            drift = abs(int(local_received) - int(timestamp))
            if drift > HEARTBEAT_DRIFT_MAX:
                _warn(str(self.hostname), drift, local_received, timestamp)
            insort(self.heartbeats, local_received)
            del self.heartbeats[: -self.heartbeat_max]

    def update(self, f: Mapping[str, Any], **kw: Any) -> None:
        """Set attributes."""
        for name, value in {**f, **kw}.items():
            if name != "freq" or (isinstance(value, int | float) and value > 0):
                setattr(self, name, value)

    @property
    def heartbeat_expires(self) -> float:
        """The moment after which it is not alive unless it gives another sign of life."""
        return heartbeat_expires(self.heartbeats[-1], self.freq, self.expire_window)

    @property
    def alive(self) -> bool:
        """Whether it has given a sign of life lately."""
        return bool(self.heartbeats) and self.nowfun() < self.heartbeat_expires

    @property
    def status_string(self) -> str:
        """``ONLINE`` or ``OFFLINE``."""
        return "ONLINE" if self.alive else "OFFLINE"

    @property
    def id(self) -> str:
        """Its name and its process."""
        return f"{self.hostname}.{self.pid}"

    def __eq__(self, other: object) -> bool:
        return self.hostname == other.hostname if isinstance(other, Worker) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.hostname)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in _FIELDS)

    def __repr__(self) -> str:
        return f"<Worker: {self.hostname} ({self.status_string} clock:{self.clock})>"


def _warn(hostname: str, drift: int, received: float, timestamp: float) -> None:
    if hostname not in _warned and len(_warned) < _MOST_WARNED:
        _warned.add(hostname)
        log.warning(DRIFT_WARNING, hostname, drift, datetime.fromtimestamp(received, UTC), datetime.fromtimestamp(timestamp, UTC))
