"""Where the messages of one task lie, in the memory store.

Beside a job's life, under the store's lock. Does not know: who asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from celeriac.abc import DeadRecord, Held, Parked, Place, Scheduled, Waiting
from celeriac.core.wanted import Wanted
from celeriac.drivers.memory import parked
from celeriac.drivers.memory.holdings import Holdings
from celeriac.drivers.memory.nodes import Nodes
from celeriac.drivers.memory.queues import Queues
from celeriac.drivers.memory.schedule import Schedule


def waiting(wanted: Wanted, queues: Queues, names: Sequence[str]) -> Iterator[Place]:
    """Look into these queues."""
    for name in dict.fromkeys(names):
        for ahead, letter in enumerate(queues.line(name)):
            if wanted.is_in(letter.raw):
                yield Waiting(letter.raw, name, ahead)


def scheduled(wanted: Wanted, schedule: Schedule) -> Iterator[Place]:
    """Look into the schedule."""
    for due, letter in schedule.dates():
        if wanted.is_in(letter.raw):
            yield Scheduled(letter.raw, letter.queue, due)


def put_aside(wanted: Wanted, aside: parked.Parked) -> Iterator[Place]:
    """Look at what is parked."""
    for task in aside.counts():
        older: dict[str, int] = {}
        for letter in aside.of(task):
            if wanted.is_in(letter.raw):
                yield Parked(letter.raw, letter.queue, task, older.get(letter.queue, 0))
            older[letter.queue] = older.get(letter.queue, 0) + 1


def held(wanted: Wanted, holdings: Holdings, nodes: Nodes, now: float) -> Iterator[Place]:
    """Look at what is leased."""
    for lessee in holdings.lessees():
        for tag, letter in holdings.of(lessee):
            if wanted.is_in(letter.raw):
                name, lease_s = nodes.lease(lessee.node, now)
                yield Held(letter.raw, letter.queue, lessee, tag, letter.joined, name, lease_s)


def dead(wanted: Wanted, records: Sequence[DeadRecord]) -> Iterator[Place]:
    """Look at dead letters."""
    return (record for record in records if wanted.is_in(record.raw))
