"""A timetable in one place whose messages go to another: for brokers that keep none.

In a tick's life: ``change`` -> **here** -> the entry moves and holds its messages (one step) -> they are published -> it lets go
of them. Who dies in between leaves an entry with messages: the leader publishes them when it next attends. So no tick is lost;
one whose scheduler died between the publish and the last step is published twice, both times with the same ids. Messages that
the broker refuses stay with their entry, which waits a minute and keeps no other from being sent.
Does not know: what an entry says, which broker it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct, msgpack, structs

from celeriac.abc import Timetable
from celeriac.core.errors import StoreRefused
from celeriac.core.message import Outgoing
from celeriac.core.schedules.timetable import Agenda, Change, Record

log = logging.getLogger("celeriac.beat")

REFUSED_S: Final = 60.0
"""Messages that were refused are tried again after so long."""
_MARK = b"\x00"
"""What a state begins with that holds messages: a scheduler's never does."""
_NEVER_SEEN: Final = -1
"""A revision that no entry has: who read it cannot change the entry, and lose the messages that it holds."""


class _Outbox(Struct, frozen=True, kw_only=True):
    state: bytes
    due: float | None
    messages: list[Outgoing]


class Outboxed:
    """A ``Timetable``. Any thread, any process."""

    def __init__(self, timetable: Timetable, publish: Callable[[Sequence[Outgoing]], None]) -> None:
        self._inner, self._publish = timetable, publish

    def attend(self, who: str, *, lease_s: float, limit: int) -> Agenda:
        """See ``Timetable.attend``. First it sends what somebody left behind."""
        agenda = self._inner.attend(who, lease_s=lease_s, limit=limit)
        left = [record for record in agenda.records if record.state.startswith(_MARK)]
        for record in left:
            try:
                self._deliver(record)
            except StoreRefused as refusal:
                log.error("entry %s: its messages are refused, trying again in %.0f s: %s", record.name, REFUSED_S, refusal)
                later = Change(name=record.name, seen=record.revision, state=record.state, due=agenda.now + REFUSED_S)
                self._inner.change([later])
        if left:
            return self.attend(who, lease_s=lease_s, limit=limit)
        return agenda

    def resign(self, who: str) -> None:
        """See ``Timetable.resign``."""
        self._inner.resign(who)

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        """See ``Timetable.change``; three steps for those that have messages."""
        said = self._inner.change([_holding(change) for change in changes])
        moved = [change.name for change, done in zip(changes, said, strict=True) if done and change.messages]
        refused: StoreRefused | None = None
        for record in self._inner.read(moved):
            try:
                if record is not None and record.state.startswith(_MARK):
                    self._deliver(record)
            except StoreRefused as refusal:
                refused = refusal
        if refused is not None:
            raise refused
        return said

    def remove(self, names: Sequence[str]) -> int:
        """See ``Timetable.remove``."""
        return self._inner.remove(names)

    def read(self, names: Sequence[str]) -> Sequence[Record | None]:
        """See ``Timetable.read``. What somebody left behind is sent first: whoever reads may be about to change the entry.

        An entry whose messages are refused can be looked at and removed, not changed.
        """
        records = self._inner.read(names)
        left = [record for record in records if record is not None and record.state.startswith(_MARK)]
        if not left:
            return records
        for record in left:
            try:
                self._deliver(record)
            except StoreRefused as refusal:
                log.warning("entry %s: its messages are refused: %s", record.name, refusal)
        return [None if record is None else _plain(record) for record in self._inner.read(names)]

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[Record]:
        """See ``Timetable.page``."""
        return [_plain(record) for record in self._inner.page(after=after, limit=limit)]

    def count(self) -> int:
        """See ``Timetable.count``."""
        return self._inner.count()

    def _deliver(self, record: Record) -> None:
        box = _opened(record.state)
        self._publish(box.messages)
        self._inner.change([Change(name=record.name, seen=record.revision, state=box.state, due=box.due)])


def _holding(change: Change) -> Change:
    if not change.messages:
        return change
    box = _Outbox(state=change.state, due=change.due, messages=list(change.messages))
    # Due at once, until the messages are away.
    return structs.replace(change, state=_MARK + msgpack.encode(box), due=0.0, messages=())


def _opened(state: bytes) -> _Outbox:
    return msgpack.decode(state[len(_MARK) :], type=_Outbox)


def _plain(record: Record) -> Record:
    """Return a record as its scheduler wrote it, to look at."""
    if not record.state.startswith(_MARK):
        return record
    box = _opened(record.state)
    return structs.replace(record, state=box.state, due=box.due, revision=_NEVER_SEEN)
