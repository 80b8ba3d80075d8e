"""Who is alive: one lease for each node, renewed by ``keep``.

A lease is held by a living node, not by a clock: what its children took stays theirs as long as the node says so in time.
Plain data under the store's lock. Does not know: clocks (it is told what time it is), what the nodes hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct

from celeriac.abc import NodeRecord


class _Node(Struct):
    name: str
    info: Mapping[str, object]
    seen: float
    ends: float


class Nodes:
    """Leases of nodes. All moments are seconds of one monotonic clock, so that steps of the wall clock kill nobody."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._last_keep: float | None = None

    def keep(self, node: str, *, name: str, info: Mapping[str, object], lease_s: float, now: float) -> None:
        """Renew the lease of ``node``."""
        # When nobody spoke for a while, the store was away or the machine slept: that is no proof of death.
        if self._last_keep is not None and now - self._last_keep > lease_s / 6:
            for other in self._nodes.values():
                other.ends = max(other.ends, now + lease_s / 3)
        self._last_keep = now
        self._nodes[node] = _Node(name=name, info=dict(info), seen=now, ends=now + lease_s)

    def alive(self, node: str, now: float) -> bool:
        """Say whether the lease of ``node`` holds."""
        record = self._nodes.get(node)
        return record is not None and now < record.ends

    def lease(self, node: str, now: float) -> tuple[str, float]:
        """Return the name of ``node`` for people, and how long its lease runs; ``""`` and 0 if there is no such node."""
        record = self._nodes.get(node)
        return ("", 0.0) if record is None else (record.name, max(0.0, record.ends - now))

    def records(self, now: float) -> list[NodeRecord]:
        """Return the living."""
        return [
            NodeRecord(node=node.name, info=node.info, seen_s=now - node.seen) for node in self._nodes.values() if now < node.ends
        ]

    def forget(self, node: str) -> None:
        """Strike ``node`` off."""
        self._nodes.pop(node, None)

    def bury(self, *, unless: Collection[str], now: float) -> None:
        """Strike off the dead that hold nothing: all but those named in ``unless``."""
        for node, record in list(self._nodes.items()):
            if record.ends <= now and node not in unless:
                del self._nodes[node]
