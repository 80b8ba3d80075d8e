"""Fetch, and wait for what is not there yet.

In a job's life: publish -> **here** -> the child. A call that waits costs nothing, but for a glance every few seconds
in case a ring was lost. Does not know: settlement, results.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from celeriac.abc import Fetched, Lessee, Runtime
from celeriac.core import envelope
from celeriac.core.errors import LeaseExpired
from celeriac.core.message import Delivery
from celeriac.drivers.sqlite import leases, nodes, queueing, rules, waiters
from celeriac.drivers.sqlite.bells import Bell, Bells, Ring
from celeriac.drivers.sqlite.connection import Connections
from celeriac.drivers.sqlite.leases import Held
from celeriac.drivers.sqlite.ringing import ring
from celeriac.drivers.sqlite.waiters import Call
from celeriac.drivers.sqlite.waits import Waits

GLANCE_S: Final = 5.0


def deliver(held: Sequence[Held]) -> list[Delivery]:
    """Return what is leased as the child sees it."""
    return [Delivery(one.tag, one.queue, envelope.unpack(one.raw), one.raw, one.joined) for one in held]


class Fetching:
    """The calls of one store object that may wait."""

    def __init__(self, connections: Connections, bells: Callable[[], Bells], *, runtime: Runtime) -> None:
        self._connections, self._bells, self._runtime = connections, bells, runtime
        self._waits = Waits()
        self._told: dict[Lessee, int] = {}
        """The last tag that a lessee was handed."""
        self._unsure: set[Lessee] = set()
        """Lessees that may hold more than they were told: an answer was lost."""
        self.known_due: float | None = None
        """The first date of the schedule when the supervisor last heard of it."""
        self._paused: frozenset[str] = frozenset()
        self._revision = 0
        """Of the rules, when the paused queues were read."""

    def fetch(self, names: Sequence[str], lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """See ``Broker.fetch``."""
        deadline = self._runtime.monotonic() + wait_s
        bells = self._bells()
        bell = bells.take() if wait_s > 0 else None
        try:
            fetched = self._lease(names, lessee, limit, bell)
            while bell is not None and not fetched.deliveries:
                left_s = deadline - self._runtime.monotonic()
                called = self._wait(bell, left_s, lambda: self._look(names)) is Ring.CALLED
                fetched = self._lease(names, lessee, limit, bell, hang=called)
                if not called:
                    break
            return fetched
        except BaseException:
            # Such as KeyboardInterrupt: what was leased comes with the next fetch, what this call was woken for goes to others.
            self._unsure.add(lessee)
            if bell is not None:
                self._pass_on(bell, names)
            raise
        finally:
            if bell is not None:
                bells.give_back(bell)

    def doze(self, seconds: float) -> None:
        """See ``Broker.doze``."""
        bells = self._bells()
        bell = bells.take()
        try:
            with self._connections.writing() as db:
                due = queueing.next_due(db)
                if self._is_news(due):
                    self.known_due = due
                    return
                waiters.hang_for_alarm(db, bell.name)
            self._wait(bell, seconds, lambda: self._look(()))
            with self._connections.writing() as db:
                waiters.take_down(db, bell.name)
                self.known_due = queueing.next_due(db)
        finally:
            bells.give_back(bell)

    def interrupt(self) -> None:
        """See ``Broker.interrupt``."""
        self._waits.interrupt()

    # --- steps ----------------------------------------------------------------------------------------------------

    def _lease(self, asked: Sequence[str], lessee: Lessee, limit: int, bell: Bell | None, *, hang: bool = True) -> Fetched:
        calls: list[Call] = []
        held: list[Held] = []
        left: list[str] = []
        with self._connections.writing() as db:
            if bell is not None:
                waiters.take_down(db, bell.name)
            revision = rules.revision(db)
            names = self._open(db, asked, revision)
            alive = nodes.is_alive(db, lessee.node, self._runtime.time())
            if alive:
                if lessee in self._unsure:
                    held = leases.held_by(db, lessee, above=self._told.get(lessee, 0))
                if not held:
                    held, left = leases.take(db, names, holder=leases.enter_lessee(db, lessee), limit=limit)
                if not held and bell is not None and hang:
                    waiters.hang(db, bell.name, asked)
            else:
                # The message that woke this call must not lie there while another call waits for it.
                left = [name for name in names if queueing.any_waits(db, name)]
            calls = waiters.choose(db, dict.fromkeys(left, 1))
        if calls:
            ring(self._connections, self._bells().folder, calls)
        if not alive:
            raise LeaseExpired(f"the store takes node {lessee.node!r} for dead: it must call keep before it may fetch")
        deliveries = deliver(held)
        if deliveries:
            self._told[lessee] = deliveries[-1].tag
        self._unsure.discard(lessee)
        return Fetched(deliveries, revision, bool(left))

    def _open(self, db: sqlite3.Connection, names: Sequence[str], revision: int) -> Sequence[str]:
        """Return the queues that are not paused; read which are when the rules have changed."""
        if revision != self._revision:
            self._paused, self._revision = rules.paused(db, "queue"), revision
        return [name for name in names if name not in self._paused] if self._paused else names

    def _wait(self, bell: Bell, seconds: float, look: Callable[[], bool]) -> Ring:
        left_s = seconds
        while True:
            part_s = min(left_s, GLANCE_S)
            ended = self._waits.wait(bell, part_s)
            left_s -= part_s
            if ended is not Ring.TIMED_OUT or left_s <= 0:
                return ended
            if bell.is_lost():
                bell.renew()
                return Ring.CALLED
            if look():
                return Ring.CALLED

    def _look(self, names: Sequence[str]) -> bool:
        with self._connections.reading() as db:
            if names:
                return any(queueing.any_waits(db, name) for name in self._open(db, names, rules.revision(db)))
            return self._is_news(queueing.next_due(db))

    def _is_news(self, due: float | None) -> bool:
        return due is not None and (self.known_due is None or due < self.known_due)

    def _pass_on(self, bell: Bell, names: Sequence[str]) -> None:
        with self._connections.writing() as db:
            waiters.take_down(db, bell.name)
            calls = waiters.choose(db, {name: 1 for name in names if queueing.any_waits(db, name)})
        ring(self._connections, self._bells().folder, calls)
