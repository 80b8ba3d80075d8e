"""What a timetable holds: entries as bytes, each with the moment when it is next to be looked at; and what may become of them.

In a tick's life: a store hands the scheduler a ``Record`` that is due -> the scheduler decides -> ``Change`` -> the store carries
it out, whole or not at all, if the entry is still as it was read. That comparison is what makes a tick happen once, however many
schedulers read the same record. Does not know: schedules, clocks, what the bytes say.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from celeriac.core.message import Outgoing


class Record(Struct, frozen=True, kw_only=True):
    """One entry, as a store keeps it."""

    name: str
    revision: int
    """Another one after each change; never the same twice in a timetable, also when an entry was removed and added again."""
    entry: bytes
    """What is to be sent, and when: changed by people."""
    state: bytes
    """What has been sent: changed by ticks."""
    due: float | None
    """When to look at it, seconds since 1970, kept to the millisecond. ``None``: never."""


class Change(Struct, frozen=True, kw_only=True):
    """What is to become of one entry, if it is still as it was read."""

    name: str
    seen: int
    """The revision that was read. 0: there was no such entry."""
    entry: bytes | None = None
    """``None``: as it is."""
    state: bytes
    due: float | None
    messages: Sequence[Outgoing] = ()
    """Published in the same step."""


class Agenda(Struct, frozen=True, kw_only=True):
    """The answer of ``attend``."""

    now: float
    """The clock of the store, seconds since 1970: the same for all who share it."""
    leader: str
    """Who leads now."""
    records: Sequence[Record] = ()
    """What is due, the longest due first. Empty for those who do not lead."""
    next_due: float | None = None
    """When the first entry beside ``records`` is due, seconds since 1970; past while there is more than was asked for. ``None``:
    there is none, or ``who`` does not lead."""
