"""Where the messages of one task lie, on the server.

Beside a job's life. Each command reads a page, so that nobody waits for long. Does not know: who asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import json

from celeriac.abc import Held, Lessee, Parked, Place, Scheduled, Waiting
from celeriac.core.wanted import Wanted
from celeriac.drivers.redis.connection import Connections
from celeriac.drivers.redis.keys import Keys
from celeriac.drivers.redis.records import Records

PAGE: Final = 500


class Whereabouts:
    """Looks through one store."""

    def __init__(self, connections: Connections, records: Records, *, keys: Keys) -> None:
        self._connections, self._records, self._keys, self._own = connections, records, keys, keys.own

    def find(self, id: str, queues: Sequence[str]) -> list[Place]:
        """See ``Broker.whereabouts``."""
        wanted = Wanted(id)
        return [
            *self._waiting(wanted, queues),
            *self._scheduled(wanted),
            *self._parked(wanted),
            *self._held(wanted),
            *self._dead(wanted),
        ]

    def _waiting(self, wanted: Wanted, queues: Sequence[str]) -> Iterator[Place]:
        detours = self._call("HGETALL", f"{self._own}detours")
        fields = dict(zip(detours[::2], detours[1::2], strict=True))
        for queue in dict.fromkeys(queues):
            ahead = 0
            for suffix, list_ in zip(self._keys.suffixes, self._keys.lists(queue), strict=True):
                numbers = fields.get(f"l{queue}\n{suffix}".encode(), b"")
                lanes = [raw for number in numbers.split(b",") if number for raw in self._sorted(f"lane:{number.decode()}")]
                for raw in (*lanes, *self._list(list_)):
                    if wanted.is_in(raw):
                        yield Waiting(raw, queue, ahead)
                    ahead += 1

    def _scheduled(self, wanted: Wanted) -> Iterator[Place]:
        for value, score in self._scan("ZSCAN", f"{self._own}schedule"):
            queue, _, raw = value.split(b"\n", 2)
            if wanted.is_in(raw):
                yield Scheduled(raw, _text(queue), float(score) / 1000)

    def _parked(self, wanted: Wanted) -> Iterator[Place]:
        for field in self._call("HKEYS", f"{self._own}parked"):
            queue, _, task = field.split(b"\n", 2)
            for ahead, raw in enumerate(self._sorted(b"parked:" + field)):
                if wanted.is_in(raw):
                    yield Parked(raw, _text(queue), _text(task), ahead)

    def _held(self, wanted: Wanted) -> Iterator[Place]:
        now, ends, records = self._connections.pipeline(
            [("TIME",), ("ZRANGE", f"{self._own}nodes", 0, -1, "WITHSCORES"), ("HGETALL", f"{self._own}records")]
        )
        now_ms = int(now[0]) * 1000 + int(now[1]) // 1000
        names = {node: json.decode(record.split(b"\n", 1)[1])["name"] for node, record in _pairs(records)}
        for node, end in _pairs(ends):
            lease_s = max(0.0, (float(end) - now_ms) / 1000)
            for child in self._call("SMEMBERS", self._own.encode() + b"children:" + node):
                lessee = node + b"/" + child
                for tag, raw in self._scan("HSCAN", self._own.encode() + b"leased:" + lessee):
                    if not wanted.is_in(raw):
                        continue
                    address = self._call("HGET", self._own.encode() + b"from:" + lessee, tag)
                    if address is not None:
                        who, queue = Lessee(_text(node), _text(child)), _text(address.split(b"\n", 1)[0])
                        yield Held(raw, queue, who, int(tag), address.endswith(b"\nJ"), names.get(node, ""), lease_s)

    def _dead(self, wanted: Wanted) -> Iterator[Place]:
        after: str | None = None
        while page := self._records.dead_letters(PAGE, after):
            yield from (record for record in page if wanted.is_in(record.raw))
            after = page[-1].id

    # Pages.

    def _call(self, *command: Any) -> Any:
        return self._connections.call(*command)

    def _list(self, key: str) -> Iterator[bytes]:
        """Give what is in a list, the next to be served first: that is its last."""
        for first in range(0, 1 << 60, PAGE):
            page = self._call("LRANGE", key, -(first + PAGE), -(first + 1))
            yield from reversed(page)
            if len(page) < PAGE:
                return

    def _sorted(self, key: str | bytes) -> Iterator[bytes]:
        """Give the messages of a lane or of what is parked, the oldest first; each stands behind its rank."""
        key = self._own.encode() + (key.encode() if isinstance(key, str) else key)
        for first in range(0, 1 << 60, PAGE):
            page = self._call("ZRANGE", key, first, first + PAGE - 1)
            yield from (member.split(b"\n", 1)[1] for member in page)
            if len(page) < PAGE:
                return

    def _scan(self, command: str, key: str | bytes) -> Iterator[tuple[bytes, bytes]]:
        cursor: Any = 0
        while True:
            cursor, flat = self._call(command, key, cursor, "COUNT", PAGE)
            yield from _pairs(flat)
            if int(cursor) == 0:
                return


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
