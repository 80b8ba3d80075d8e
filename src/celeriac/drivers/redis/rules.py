"""What operators have said, in Redis: revoked ids and stamps, pauses; and what is parked because of them.

Beside the life of a job; ``fetch.lua`` and ``settle.lua`` honour it. Does not know: leases, results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from msgspec import json

from celeriac.abc import Runtime
from celeriac.core.rules import Remembered, Rules
from celeriac.drivers.redis.connection import Connections, Script
from celeriac.drivers.redis.keys import Keys

_FORGOTTEN_S: Final = 30 * 86400


class RuleBook:
    """The rules of one store."""

    def __init__(self, connections: Connections, *, keys: Keys, runtime: Runtime) -> None:
        self._connections, self._keys, self._runtime = connections, keys, runtime
        self._own = keys.own
        self.remembered = Remembered()
        """How much of what was revoked."""
        self._pause = Script("pause")
        self._resume, self._release = Script("resume", after=("front",)), Script("release", after=("front",))

    def current(self) -> Rules:
        """Return what is in force now."""
        now = self._runtime.time()
        *_, [revision, ids, stamps, detours, tasks] = self._connections.pipeline(
            [
                ("MULTI",),
                ("GET", self._own + "revision"),
                ("ZRANGEBYSCORE", self._own + "revoked", now, "+inf"),
                ("ZRANGEBYSCORE", self._own + "revoked:stamps", now, "+inf"),
                ("HKEYS", self._own + "detours"),
                ("SMEMBERS", self._own + "paused:tasks"),
                ("EXEC",),
            ]
        )
        return Rules(
            int(revision or 0),
            frozenset(id.decode() for id in ids),
            _by_header(stamps),
            frozenset(_text(field[1:]) for field in detours if field.startswith(b"p")),
            frozenset(map(_text, tasks)),
        )

    def revoke(self, ids: Sequence[str], ttl_s: float | None) -> None:
        """Remember ids that must not start; the oldest beyond the bound are forgotten."""
        self._remember("revoked", ids, ttl_s)

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], ttl_s: float | None) -> None:
        """Remember stamps whose bearers must not start."""
        self._remember(
            "revoked:stamps", [json.encode([header, one]) for header, values in stamps.items() for one in values], ttl_s
        )

    def pause(self, queues: Sequence[str], tasks: Sequence[str]) -> None:
        """Note that these are paused."""
        self._connections.run(self._pause, [self._own, len(queues), *queues, *tasks])

    def resume(self, queues: Sequence[str], tasks: Sequence[str]) -> None:
        """Note that these are not paused; bring back what was parked."""
        self._connections.run(self._resume, [self._own, len(queues), *queues, *tasks])

    def release(self, task: str, queues: Sequence[str], limit: int) -> int:
        """Bring back the oldest of one type."""
        return int(self._connections.run(self._release, [self._own, self._keys.prefix, task, limit, *queues]))

    def parked(self) -> dict[str, int]:
        """Count what is parked, by task type."""
        fields = self._connections.call("HKEYS", self._own + "parked")
        if not fields:
            return {}
        counts: dict[str, int] = {}
        lengths = self._connections.pipeline([("ZCARD", self._own.encode() + b"parked:" + field) for field in fields])
        for field, length in zip(fields, lengths, strict=True):
            if length:
                task = _text(field.split(b"\n", 2)[2])
                counts[task] = counts.get(task, 0) + int(length)
        return counts

    def _remember(self, key: str, what: Sequence[str | bytes], ttl_s: float | None) -> None:
        if not what:
            return
        now, key = self._runtime.time(), self._own + key
        ends = now + (self.remembered.for_s if ttl_s is None else ttl_s)
        # A microsecond later than the one before it: of those of one call, too, the first are forgotten first.
        scored = [part for place, one in enumerate(what) for part in (ends + place / 1e6, one)]
        self._connections.pipeline(
            [
                ("MULTI",),
                ("ZADD", key, *scored),
                ("ZREMRANGEBYSCORE", key, "-inf", now),
                ("ZREMRANGEBYRANK", key, 0, -self.remembered.at_most - 1),
                ("EXPIRE", key, max(_FORGOTTEN_S, ceil(self.remembered.for_s))),
                ("INCR", self._own + "revision"),
                ("EXEC",),
            ]
        )


def _by_header(members: Sequence[bytes]) -> dict[str, frozenset[str]]:
    values: dict[str, set[str]] = {}
    for member in members:
        header, value = json.decode(member, type=tuple[str, str])
        values.setdefault(header, set()).add(value)
    return {header: frozenset(some) for header, some in values.items()}


def _text(name: Any) -> str:
    return bytes(name).decode("utf-8", "surrogateescape")
