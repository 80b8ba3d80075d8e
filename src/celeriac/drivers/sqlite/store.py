"""The SQLite store: what ``celeriac.abc.Store`` asks, each call one transaction on one file.

In a job's life: publish puts its message into a queue, fetch leases it to a child, settle ends it; the results lie in the
same file, so that a settlement is one transaction. This file turns our words into rows and transactions; the statements
are in the files beside it, one idea in each. Does not know: what a message means.

Times are the wall clock of the machine, which all its processes share; deadlines of calls the monotonic one.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from celeriac.abc import LEASE_S, PUBLISH_DEADLINE_S, DeadRecord, Fetched, Lessee, NodeRecord, Place, Pulse, Runtime, Scheduled
from celeriac.core import envelope
from celeriac.core.errors import OperationalError, StoreRefused
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.settlement import Join, Opening, Requeue, Settled, Settlement, StoredResult
from celeriac.core.wanted import Wanted
from celeriac.drivers.sqlite import chords, dead, forks, leases, nodes, parking, queueing, rules, storing, waiters, whereabouts
from celeriac.drivers.sqlite.bells import BellFolder, Bells
from celeriac.drivers.sqlite.broadcast import SqliteBroadcast
from celeriac.drivers.sqlite.connection import Connections
from celeriac.drivers.sqlite.faults import is_of_a_value
from celeriac.drivers.sqlite.fetching import Fetching, deliver
from celeriac.drivers.sqlite.finding import Tail
from celeriac.drivers.sqlite.listener import Listener
from celeriac.drivers.sqlite.queueing import Arrivals, Letter
from celeriac.drivers.sqlite.ringing import ring
from celeriac.drivers.sqlite.ruling import SqliteRules
from celeriac.drivers.sqlite.settling import Plan, carry_out, fits
from celeriac.drivers.sqlite.sweeping import sweep
from celeriac.drivers.sqlite.timetable import SqliteTimetable

BATCH_MESSAGES = 1000
BATCH_BYTES = 4 << 20
"""Others wait while a transaction writes: neither more messages nor more bytes in one."""
PRIORITIES = range(10)


class SqliteStore(SqliteRules):
    """Broker and result backend in one file, for any number of threads and processes of one machine."""

    def __init__(self, path: str, *, runtime: Runtime, synchronous: str = "normal", create_parents: bool = False) -> None:
        """Nothing is opened yet.

        Args:
            path: The file. It is created when it is missing, for this user alone.
            runtime: Clocks, ids, chance.
            synchronous: What a commit waits for: ``normal`` survives the death of any process, ``full`` a power cut too.
            create_parents: Whether missing folders above the file are created, for this user alone. Otherwise they are an error.

        Raises:
            ImproperlyConfigured: SQLite is too old, or there is no such ``synchronous``.
        """
        self._runtime = runtime
        self._connections = Connections(path, runtime=runtime, synchronous=synchronous, create_parents=create_parents)
        self._opening = threading.Lock()
        self._opened_bells: Bells | None = None
        self._tail = Tail()
        self._fetching = Fetching(self._connections, self._bells, runtime=runtime)
        self._listener = Listener(self._connections, self._bells, runtime=runtime)
        self.broadcast = SqliteBroadcast(self._connections, self._bells, runtime=runtime)
        forks.register(self)

    # --- messages -------------------------------------------------------------------------------------------------

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """See ``Broker.publish``."""
        deadline = self._runtime.monotonic() + deadline_s
        accepted = 0
        try:
            for batch in _batches(map(self._letter, messages)):
                self._post(batch, deadline - self._runtime.monotonic() if accepted else deadline_s)
                accepted += len(batch)
        except OperationalError as error:
            error.accepted = accepted
            raise

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """See ``Broker.fetch``."""
        return self._fetching.fetch(queues, lessee, limit, wait_s)

    def interrupt(self) -> None:
        """See ``Broker.interrupt``."""
        self._fetching.interrupt()

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """See ``Broker.settle``."""
        if not settlements:
            return []
        plans = [self._plan(settlement) for settlement in settlements]
        try:
            return self._settle(plans, lessee)
        except StoreRefused as refusal:
            if not is_of_a_value(refusal.__cause__):
                raise
        # Nothing has happened yet. Whose fault it is shows when each is tried for itself.
        with self._connections.writing() as db:
            now = self._runtime.time()
            fit = [fits(db, plan, lessee=lessee, now=now, tail=self._tail) for plan in plans]
        said = iter(self._settle([plan for plan, good in zip(plans, fit, strict=True) if good], lessee))
        return [next(said) if good else Settled.REFUSED for good in fit]

    def _settle(self, plans: Sequence[Plan], lessee: Lessee) -> list[Settled]:
        arrivals = Arrivals()
        with self._connections.writing() as db:
            now = self._runtime.time()
            answers, awaiting = carry_out(db, plans, lessee=lessee, now=now, arrivals=arrivals, tail=self._tail)
            calls = waiters.choose_for(db, arrivals)
        self._ring(calls, awaiting)
        return answers

    # --- life and death -------------------------------------------------------------------------------------------

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        """See ``Broker.keep``."""
        folder, arrivals = self._bells().folder, Arrivals()
        with self._connections.writing() as db:
            now = self._runtime.time()
            nodes.keep(db, node, name=name, info=info, lease_s=lease_s, now=now)
            due = queueing.move_due(db, now=now, arrivals=arrivals)
            # Programs that know nothing of our bells put messages here too.
            arrivals.queues.update(queue for queue in queues if queueing.any_waits(db, queue))
            calls = waiters.choose_for(db, arrivals)
            orphans = nodes.orphans(db, now)
            revision, throttled = rules.revision(db), parking.throttled(db)
            nodes.bury(db, now)
            sweep(db, folder, now)
        self._fetching.known_due = due
        self._ring(calls)
        return Pulse(orphans, None if due is None else max(0.0, due - now), revision, throttled)

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        """See ``Broker.adopt``."""
        with self._connections.writing() as db:
            # Asked inside the transaction: a node that spoke after it was called dead keeps what it holds.
            if lost.node == by.node or not nodes.is_alive(db, lost.node, self._runtime.time()):
                leases.adopt(db, lost, by, limit)
            held = leases.held_by(db, by)
        return deliver(held)

    def doze(self, seconds: float) -> None:
        """See ``Broker.doze``."""
        self._fetching.doze(seconds)

    def leave(self, node: str) -> None:
        """See ``Broker.leave``."""
        with self._connections.writing() as db:
            nodes.forget(db, node)

    def nodes(self) -> Sequence[NodeRecord]:
        """See ``Broker.nodes``."""
        with self._connections.reading() as db:
            return nodes.records(db, self._runtime.time())

    # --- looking and tidying --------------------------------------------------------------------------------------

    def depth(self, queues: Sequence[str]) -> Sequence[int]:
        """See ``Broker.depth``."""
        with self._connections.reading() as db:
            return [queueing.count(db, queue) for queue in queues]

    def scheduled(self) -> int:
        """See ``Broker.scheduled``."""
        with self._connections.reading() as db:
            return queueing.scheduled(db)

    def dated(self, queues: Sequence[str], *, limit: int = 1000) -> Sequence[Scheduled]:
        """See ``Broker.dated``."""
        with self._connections.reading() as db:
            return queueing.dated(db, queues, limit=limit)

    def hasten(self, queues: Sequence[str], *, limit: int = 1000) -> int:
        """See ``Broker.hasten``."""
        with self._arriving() as (db, arrivals):
            return queueing.hasten(db, queues, limit=limit, arrivals=arrivals)

    def purge(self, queues: Sequence[str]) -> int:
        """See ``Broker.purge``."""
        with self._connections.writing() as db:
            return sum(queueing.purge(db, queue) for queue in queues)

    def whereabouts(self, id: str, *, queues: Sequence[str]) -> Sequence[Place]:
        """See ``Broker.whereabouts``. All queues are looked at."""
        del queues
        wanted = Wanted(id)
        with self._connections.reading() as db:
            return [*whereabouts.alive(db, wanted, self._runtime.time()), *whereabouts.buried(db, wanted)]

    def dead_letters(self, *, limit: int = 100, after: str | None = None) -> Sequence[DeadRecord]:
        """See ``Broker.dead_letters``."""
        with self._connections.reading() as db:
            return dead.page(db, limit=limit, after=after)

    def dead_letter(self, id: str) -> DeadRecord | None:
        """See ``Broker.dead_letter``."""
        with self._connections.reading() as db:
            return dead.get(db, id)

    def replay(self, ids: Sequence[str]) -> int:
        """See ``Broker.replay``."""
        with self._arriving() as (db, arrivals):
            letters = dead.take(db, ids)
            queueing.post(db, letters, now=self._runtime.time(), arrivals=arrivals)
        return len(letters)

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        """See ``Broker.purge_dead``."""
        with self._connections.writing() as db:
            return dead.drop_all(db) if ids is None else len(dead.take(db, ids))

    # --- what operators say ---------------------------------------------------------------------------------------

    def resume(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.resume``."""
        with self._arriving() as (db, arrivals):
            rules.resume(db, "queue", queues)
            rules.resume(db, "task", tasks)
            for task in tasks:
                parking.unpark_all(db, task, arrivals)
            arrivals.queues.update({queue: queueing.count(db, queue) for queue in queues})

    def release(self, task: str, *, queues: Sequence[str], limit: int) -> int:
        """See ``Broker.release``."""
        with self._arriving() as (db, arrivals):
            if task in rules.paused(db, "task"):
                return 0
            return parking.unpark(db, task, queues=queues, limit=limit, arrivals=arrivals)

    # --- results --------------------------------------------------------------------------------------------------

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """See ``ResultBackend.store_results``."""
        with self._connections.writing() as db:
            awaiting = storing.store(db, results, fenced=False, now=self._runtime.time(), tail=self._tail)
        self._ring([], awaiting)

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        """See ``ResultBackend.load``."""
        with self._connections.reading() as db:
            return storing.load(db, ids, self._runtime.time())

    def forget(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.forget``."""
        with self._connections.writing() as db:
            storing.forget(db, ids)

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        """See ``ResultBackend.watch``."""
        self._listener.watch(ids, notify)

    def unwatch(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.unwatch``."""
        self._listener.unwatch(ids)

    # --- chords ---------------------------------------------------------------------------------------------------

    def open_chords(self, openings: Sequence[Opening]) -> None:
        """See ``Chords.open_chords``."""
        with self._connections.writing() as db:
            for opening in openings:
                chords.open_anew(db, opening, self._runtime.time())

    def parts(self, chord: str) -> Sequence[bytes] | None:
        """See ``Chords.parts``."""
        with self._connections.reading() as db:
            return chords.parts(db, chord, self._runtime.time())

    def join(self, join: Join, *, claimant: str) -> bool:
        """See ``JoiningBackend.join``: for a broker elsewhere."""
        with self._connections.writing() as db:
            return chords.join(db, join, claimant=claimant, now=self._runtime.time())

    def open_if_new(self, opening: Opening) -> None:
        """See ``JoiningBackend.open_if_new``."""
        with self._connections.writing() as db:
            chords.open_if_new(db, opening, self._runtime.time())

    def close_chord(self, chord: str) -> None:
        """See ``JoiningBackend.close_chord``."""
        with self._connections.writing() as db:
            chords.close(db, chord, self._runtime.time())

    # --- periodic tasks -------------------------------------------------------------------------------------------

    def timetable(self, name: str) -> SqliteTimetable:
        """See ``Timetables.timetable``."""
        return SqliteTimetable(name, self._connections, letter=self._letter, ring=self._ring, runtime=self._runtime)

    # --- the process ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See ``Broker.close``."""
        self._listener.close()
        self.broadcast.close()
        bells, self._opened_bells = self._opened_bells, None
        if bells is not None:
            bells.close()
        self._connections.close()
        # The next file under this path may be another one.
        self._tail = Tail()

    def abandon(self) -> None:
        """See ``Broker.abandon``. Done by itself after ``os.fork``."""
        self._opening = threading.Lock()
        self._connections.abandon()
        self._listener.abandon()
        self.broadcast.abandon()
        if self._opened_bells is not None:
            self._opened_bells.close(remove=False)
            self._opened_bells = None
        self._fetching = Fetching(self._connections, self._bells, runtime=self._runtime)

    def before_fork(self) -> None:
        """See ``Forkable``."""
        self._connections.before_fork()

    def after_fork_in_parent(self) -> None:
        """See ``Forkable``."""
        self._connections.after_fork_in_parent()

    # --- steps ----------------------------------------------------------------------------------------------------

    def _bells(self) -> Bells:
        if self._opened_bells is None:
            # What is no database of ours is refused before a folder is made beside it.
            with self._connections.reading():
                pass
        with self._opening:
            if self._opened_bells is None:
                self._opened_bells = Bells(BellFolder(self._connections.real_path), runtime=self._runtime)
            return self._opened_bells

    def _ring(self, calls: Sequence[waiters.Call], awaiting: set[str] | None = None) -> None:
        if calls or awaiting:
            ring(self._connections, self._bells().folder, calls, awaiting or ())

    def _post(self, letters: Sequence[Letter], deadline_s: float) -> None:
        arrivals = Arrivals()
        with self._connections.writing(deadline_s) as db:
            queueing.post(db, letters, now=self._runtime.time(), arrivals=arrivals)
            calls = waiters.choose_for(db, arrivals)
        self._ring(calls)

    @contextmanager
    def _arriving(self) -> Iterator[tuple[sqlite3.Connection, Arrivals]]:
        """Run the block as a transaction that brings messages; who waits for one is called when it is committed."""
        arrivals = Arrivals()
        with self._connections.writing() as db:
            yield db, arrivals
            calls = waiters.choose_for(db, arrivals)
        self._ring(calls)

    def _plan(self, settlement: Settlement) -> Plan:
        """Turn everything into bytes before the transaction: others wait while it lasts."""
        fate = settlement.fate
        # Its eta is not looked at: it was due when it was fetched.
        changed = fate.replacement if isinstance(fate, Requeue) else None
        replacement = None if changed is None else self._letter(changed)
        return Plan(settlement, replacement, [self._letter(message) for message in settlement.followups])

    def _letter(self, message: Outgoing) -> Letter:
        return Letter(
            message.queue,
            min(max(message.priority, PRIORITIES.start), PRIORITIES.stop - 1),
            envelope.pack(message, tag=self._runtime.new_id()),
            None if message.eta is None else message.eta.timestamp(),
        )


def _batches(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    batch: list[Letter] = []
    size = 0
    for letter in letters:
        batch.append(letter)
        size += len(letter.raw)
        if len(batch) == BATCH_MESSAGES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
