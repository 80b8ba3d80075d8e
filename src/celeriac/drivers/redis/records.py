"""What people ask of a store: depths, nodes, dead letters.

Beside the life of a job: nobody waits for these, so they are plain commands. Does not know: leases, results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import json

from celeriac.abc import DeadRecord, NodeRecord, Runtime, Scheduled
from celeriac.core.settlement import DeadLetter
from celeriac.drivers.redis.connection import Connections, Script
from celeriac.drivers.redis.keys import Keys

AT_ONCE = 500


class Records:
    """The book-keeping of one store."""

    def __init__(self, connections: Connections, *, keys: Keys, runtime: Runtime) -> None:
        self._connections, self._keys, self._runtime = connections, keys, runtime
        self._own = keys.own
        self._leave, self._hasten = Script("leave"), Script("hasten")

    # Nodes

    def leave(self, node: str) -> None:
        """Forget a node; should a lessee of it hold something after all, its lease ends now and others take over."""
        self._connections.run(self._leave, [self._own, node])

    def nodes(self) -> list[NodeRecord]:
        """Return the nodes whose lease holds."""
        now, leases, records = self._connections.pipeline(
            [("TIME",), ("ZRANGE", self._own + "nodes", 0, -1, "WITHSCORES"), ("HGETALL", self._own + "records")]
        )
        now_ms = int(now[0]) * 1000 + int(now[1]) // 1000
        ends = dict(zip(leases[::2], map(float, leases[1::2]), strict=True))
        alive = []
        for node, value in zip(records[::2], records[1::2], strict=True):
            if ends.get(node, 0.0) > now_ms:
                seen, record = value.split(b"\n", 1)
                said = json.decode(record)
                alive.append(NodeRecord(node=said["name"], info=said["info"], seen_s=max(0, now_ms - int(seen)) / 1000))
        return sorted(alive, key=lambda record: record.node)

    # Queues

    def depth(self, queues: Sequence[str]) -> list[int]:
        """Return how many messages wait in each queue: in its lists, and in the lanes that are served before them."""
        commands = [("LLEN", key) for queue in queues for key in self._keys.lists(queue)]
        if not commands:
            return []
        detours, *lengths = self._connections.pipeline([("HGETALL", self._own + "detours"), *commands])
        width = len(self._keys.suffixes)
        depths = [sum(lengths[first : first + width]) for first in range(0, len(lengths), width)]
        for place, queue in enumerate(queues):
            if lanes := [key for _, _, key in self._lanes(detours, queue)]:
                depths[place] += sum(self._connections.pipeline([("ZCARD", key) for key in lanes]))
        return depths

    def scheduled(self) -> int:
        """Return how many messages wait for their date."""
        return int(self._connections.call("ZCARD", self._own + "schedule"))

    def dated(self, queues: Sequence[str], limit: int) -> list[Scheduled]:
        """Return the first that are scheduled for these queues."""
        wanted = {queue.encode() for queue in queues}
        found: list[Scheduled] = []
        rank, page = 0, [b""]
        while page and len(found) < limit:
            page = self._connections.call("ZRANGE", self._own + "schedule", rank, rank + AT_ONCE - 1, "WITHSCORES")
            for value, score in zip(page[::2], page[1::2], strict=True):
                queue, _, raw = value.split(b"\n", 2)
                if queue in wanted:
                    found.append(Scheduled(raw, queue.decode("utf-8", "surrogateescape"), float(score) / 1000))
            rank += AT_ONCE
        return found[:limit]

    def hasten(self, queues: Sequence[str], limit: int) -> int:
        """Move the first that are scheduled for these queues to the back of them."""
        heads = tuple(queue.encode() + b"\n" for queue in queues)
        rank = moved = 0
        while moved < limit:
            page = self._connections.call("ZRANGE", self._own + "schedule", rank, rank + AT_ONCE - 1)
            early = [value for value in page if value.startswith(heads)][: limit - moved]
            if early:
                moved += int(self._connections.run(self._hasten, [self._own, self._keys.prefix, *early]))
            if len(page) < AT_ONCE:
                break
            rank += len(page) - len(early)
        return moved

    def purge(self, queues: Sequence[str]) -> int:
        """Drop what waits in these queues and what is scheduled for them."""
        dropped = sum(self.depth(queues))
        keys = [key for queue in queues for key in self._keys.lists(queue)]
        if keys:
            self._connections.call("DEL", *keys)
        for queue in queues:
            dropped += self._purge_aside(queue)
        heads = tuple(queue.encode() + b"\n" for queue in queues)
        cursor: Any = 0
        while True:
            cursor, flat = self._connections.call("ZSCAN", self._own + "schedule", cursor, "COUNT", 1000)
            doomed = [value for value in flat[::2] if value.startswith(heads)]
            if doomed:
                dropped += int(self._connections.call("ZREM", self._own + "schedule", *doomed))
            if int(cursor) == 0:
                return dropped

    def _purge_aside(self, queue: str) -> int:
        """Drop the lanes of a queue, and what is parked for it; return how much was parked."""
        detours, parked = self._connections.pipeline([("HGETALL", self._own + "detours"), ("HKEYS", self._own + "parked")])
        head, own = queue.encode() + b"\n", self._own.encode()
        fields = [field for field in parked if field.startswith(head)]
        aside = [(self._own + "parked", field, own + b"parked:" + field) for field in fields]
        aside += self._lanes(detours, queue)
        if not aside:
            return 0
        counts = self._connections.pipeline([("ZCARD", own + b"parked:" + field) for field in fields]) if fields else []
        commands = [command for kept, field, key in aside for command in (("DEL", key), ("HDEL", kept, field))]
        self._connections.pipeline([("MULTI",), *commands, ("EXEC",)])
        return sum(counts)

    def _lanes(self, detours: Sequence[bytes], queue: str) -> list[tuple[str, bytes, bytes]]:
        """Return the lanes of a queue: the hash and the field that name them, and their own keys."""
        head, own = b"l" + queue.encode() + b"\n", self._own.encode()
        return [
            (self._own + "detours", field, own + b"lane:" + number)
            for field, numbers in zip(detours[::2], detours[1::2], strict=True)
            if field.startswith(head)
            for number in numbers.split(b",")
        ]

    # Dead letters

    def dead_letters(self, limit: int, after: str | None) -> list[DeadRecord]:
        """Return the oldest, beginning after one."""
        first = "-inf" if after is None else f"({int(after)}"
        ids = self._connections.call("ZRANGEBYSCORE", self._own + "dead:order", first, "+inf", "LIMIT", 0, limit)
        return list(self._read([id.decode() for id in ids]))

    def dead_letter(self, id: str) -> DeadRecord | None:
        """Return one."""
        return next(self._read([id]), None)

    def replay(self, ids: Sequence[str]) -> int:
        """Put them at the back of their queues."""
        replayed = 0
        for id in ids:
            value = self._connections.call("HGET", self._own + "dead", id)
            if value is not None:
                _, _, queue, suffix, raw = value.split(b"\n", 4)
                prefix = self._keys.prefix.encode()
                # In one step, so that a replay made twice puts one message into the queue.
                moved = self._connections.call("EVAL", _REPLAY, 0, self._own, id, prefix + queue + suffix, raw, queue)
                replayed += int(moved)
        return replayed

    def purge_dead(self, ids: Sequence[str] | None) -> int:
        """Forget some, or all."""
        if ids is None:
            count, *_ = self._connections.pipeline(
                [("ZCARD", self._own + "dead:order"), ("DEL", self._own + "dead:order", self._own + "dead")]
            )
            return int(count)
        if not ids:
            return 0
        count, _ = self._connections.pipeline([("ZREM", self._own + "dead:order", *ids), ("HDEL", self._own + "dead", *ids)])
        return int(count)

    def _read(self, ids: Sequence[str]) -> Iterator[DeadRecord]:
        for first in range(0, len(ids), AT_ONCE):
            part = ids[first : first + AT_ONCE]
            for id, value in zip(part, self._connections.call("HMGET", self._own + "dead", *part), strict=True):
                if value is not None:
                    at, head, queue, _, raw = value.split(b"\n", 4)
                    letter = json.decode(head, type=DeadLetter)
                    yield DeadRecord(
                        id=id,
                        at=int(at) / 1000,
                        queue=queue.decode("utf-8", "replace"),
                        reason=letter.reason,
                        detail=letter.detail,
                        task=letter.task,
                        task_id=letter.task_id,
                        raw=raw,
                    )


_REPLAY = """
if redis.call('HEXISTS', ARGV[1] .. 'dead', ARGV[2]) == 0 then return 0 end
redis.call('LPUSH', ARGV[3], ARGV[4])
redis.call('HDEL', ARGV[1] .. 'dead', ARGV[2])
redis.call('ZREM', ARGV[1] .. 'dead:order', ARGV[2])
redis.call('ZADD', ARGV[1] .. 'wake:' .. ARGV[5], 0, 1)
return 1
"""
