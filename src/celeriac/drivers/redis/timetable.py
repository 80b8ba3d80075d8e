"""The timetables of the Redis store: a tick and its message are one script. The clock is the server's.

In a tick's life: a scheduler attends (``attend.lua``) -> decides -> ``change.lua`` moves the entry and publishes its messages.
Keys, after ``celeriac:beat:<timetable>:``: ``entries`` and ``states`` are hashes, ``due`` and ``names`` sorted sets, ``revision``
a counter, ``leader`` a name with a life. Does not know: what an entry says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from celeriac.core.schedules.timetable import Agenda, Change, Record
from celeriac.drivers.redis.arguments import Arguments
from celeriac.drivers.redis.connection import Connections, Script
from celeriac.drivers.redis.keys import Keys

BATCH_CHANGES: Final = 500
BATCH_MESSAGES: Final = 1000
"""A script stops the server for everybody else: neither more changes nor many more messages in one."""


class RedisTimetable:
    """One timetable on one server."""

    def __init__(self, name: str, connections: Connections, *, keys: Keys, arguments: Arguments) -> None:
        self._connections, self._keys, self._arguments = connections, keys, arguments
        self._at = f"{keys.own}beat:{name}:"
        self._attend, self._change = Script("attend"), Script("change")

    def attend(self, who: str, *, lease_s: float, limit: int) -> Agenda:
        """See ``abc.Timetable.attend``."""
        now, leader, *rest = self._connections.run(self._attend, [self._at, who, round(lease_s * 1000), limit])
        if not rest:
            return Agenda(now=now / 1000, leader=leader.decode())
        next_due, *flat = rest
        records = [_record(*four) for four in zip(flat[::4], flat[1::4], flat[2::4], flat[3::4], strict=True)]
        return Agenda(now=now / 1000, leader=who, records=records, next_due=None if next_due < 0 else next_due / 1000)

    def resign(self, who: str) -> None:
        """See ``abc.Timetable.resign``."""
        key = f"{self._at}leader"
        # Between the two the lease may end and another lead: he finds himself without it, and takes it again.
        if self._connections.call("GET", key) == who.encode():
            self._connections.call("DEL", key)

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        """See ``abc.Timetable.change``."""
        said: list[bool] = []
        for batch in _batches(changes):
            arguments: list[Any] = [self._at, self._keys.own, self._keys.prefix]
            for change in batch:
                arguments += self._of(change)
            said += [bool(each) for each in self._connections.run(self._change, arguments)]
        return said

    def _of(self, change: Change) -> list[Any]:
        due = "" if change.due is None else round(change.due * 1000)
        arguments = [change.name, change.seen, change.state, due, int(change.entry is not None), change.entry or b""]
        arguments.append(len(change.messages))
        for message in change.messages:
            arguments += self._arguments.outgoing(message)
        return arguments

    def remove(self, names: Sequence[str]) -> int:
        """See ``abc.Timetable.remove``."""
        if not names:
            return 0
        commands = [
            ("MULTI",),
            *(("HDEL", f"{self._at}{hash_}", *names) for hash_ in ("states", "entries")),
            *(("ZREM", f"{self._at}{order}", *names) for order in ("due", "names")),
            ("EXEC",),
        ]
        return int(self._connections.pipeline(commands)[-1][0])

    def read(self, names: Sequence[str]) -> Sequence[Record | None]:
        """See ``abc.Timetable.read``."""
        if not names:
            return []
        commands = [("HMGET", f"{self._at}states", *names), ("HMGET", f"{self._at}entries", *names)]
        commands.append(("ZMSCORE", f"{self._at}due", *names))
        states, entries, dues = self._connections.pipeline(commands)
        found: list[Record | None] = []
        for name, state, entry, due in zip(names, states, entries, dues, strict=True):
            moment = None if due is None else float(due) * 1.0
            found.append(None if state is None or entry is None else _record(name.encode(), moment, state, entry))
        return found

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[Record]:
        """See ``abc.Timetable.page``."""
        start = f"({after}" if after else "-"
        names = self._connections.call("ZRANGEBYLEX", f"{self._at}names", start, "+", "LIMIT", 0, limit)
        return [record for record in self.read([name.decode() for name in names]) if record is not None]

    def count(self) -> int:
        """See ``abc.Timetable.count``."""
        return int(self._connections.call("ZCARD", f"{self._at}names"))


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    batch: list[Change] = []
    messages = 0
    for change in changes:
        batch.append(change)
        messages += len(change.messages)
        if len(batch) >= BATCH_CHANGES or messages >= BATCH_MESSAGES:
            yield batch
            batch, messages = [], 0
    if batch:
        yield batch


def _record(name: bytes, due: float | None, state: bytes, entry: bytes) -> Record:
    revision, _, kept = state.partition(b"\n")
    moment = None if due is None else due / 1000
    return Record(name=name.decode(), revision=int(revision), entry=entry, state=kept, due=moment)
