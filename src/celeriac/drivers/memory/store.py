"""The memory store: every sentence of ``celeriac.abc.Store``, in one process, in the plainest way.

In a job's life: publish -> ``Queues`` or ``Schedule`` -> fetch -> ``Holdings`` -> settle -> ``Results``, ``DeadLetters``.
It is the model that other drivers are compared with, and the ground of the simulation: one lock, every call a few plain
steps under it, all time from the Runtime. With ``wait_s=0`` nothing blocks and there is no thread; whoever watches a
result is told after the lock was released, in the thread that stored it.

Leases, lives of results and revocations count on the monotonic clock; only dates (eta, the time of a death) are read from
the wall clock, so a step of it harms nobody. Messages are kept as envelopes, as Redis and SQLite keep them.
Does not know: tasks, what results say. Does not survive its process; a forked child has a copy of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import structs

from celeriac.abc import (
    LEASE_S,
    PUBLISH_DEADLINE_S,
    DeadRecord,
    Fetched,
    Lessee,
    NodeRecord,
    Place,
    Pulse,
    Runtime,
    Scheduled,
)
from celeriac.core import envelope
from celeriac.core.errors import BrokerUnreachable, LeaseExpired
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.settlement import DeadLetter, Done, Park, Requeue, Settled, Settlement
from celeriac.core.wanted import Wanted
from celeriac.drivers.memory import whereabouts
from celeriac.drivers.memory.backend import MemoryBackend
from celeriac.drivers.memory.bells import Bell, Bells, Ring
from celeriac.drivers.memory.broadcast import MemoryBroadcast
from celeriac.drivers.memory.dead import DeadLetters
from celeriac.drivers.memory.holdings import Holdings
from celeriac.drivers.memory.nodes import Nodes
from celeriac.drivers.memory.queues import PRIORITIES, Letter, Queues
from celeriac.drivers.memory.results import Announcement, announce
from celeriac.drivers.memory.ruling import MemoryRules
from celeriac.drivers.memory.schedule import Schedule
from celeriac.drivers.memory.timetable import MemoryTimetable


class MemoryStore(MemoryBackend, MemoryRules):
    """A Store in the memory of one process, for any number of its threads."""

    def __init__(self, *, runtime: Runtime) -> None:
        # Reentrant: a signal handler may call ``interrupt`` while its thread is in any of these methods.
        MemoryBackend.__init__(self, runtime=runtime, lock=threading.RLock())
        MemoryRules.__init__(self, runtime=runtime, lock=self._lock)
        self._queues = Queues()
        self._schedule = Schedule()
        self._nodes = Nodes()
        self._holdings = Holdings()
        self._dead = DeadLetters()
        self._bells = Bells()
        self._timetables: dict[str, MemoryTimetable] = {}
        self.broadcast = MemoryBroadcast()
        self._losing = False
        self._unanswered: dict[Lessee, frozenset[int]] = {}

    # --- messages -------------------------------------------------------------------------------------------------

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """See ``Broker.publish``. All in one step; ``deadline_s`` is always met."""
        del deadline_s
        letters = self._pack(messages)
        with self._lock:
            self._post(letters)

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """See ``Broker.fetch``."""
        deadline = self._runtime.monotonic() + wait_s
        over = False
        while True:
            with self._lock:
                fetched = self._lease(queues, lessee, limit)
                left_s = deadline - self._runtime.monotonic()
                if fetched.deliveries or over or left_s <= 0:
                    return fetched
                bell = self._bells.hang(queues)
            # A virtual clock stands still while we wait: one ring that does not come ends the wait, whatever it says.
            over = self._wait(bell, left_s) is not Ring.CALLED

    def interrupt(self) -> None:
        """See ``Broker.interrupt``."""
        with self._lock:
            self._bells.interrupt()

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """See ``Broker.settle``."""
        followups = [self._pack(settlement.followups) for settlement in settlements]
        replacements = [self._replacement(settlement) for settlement in settlements]
        answers: list[Settled] = []
        returned: list[Letter] = []
        announcements: list[Announcement] = []
        with self._lock:
            now = self._runtime.monotonic()
            for settlement, letters, replacement in zip(settlements, followups, replacements, strict=True):
                letter = self._holdings.release(lessee, settlement.tag)
                if letter is None:
                    answers.append(Settled.LEASE_LOST)
                    continue
                if settlement.join is not None and self._chords.claimed(settlement.join.chord, str(settlement.tag), now):
                    # The answer to this settlement was lost.
                    self._holdings.hold_under(lessee, settlement.tag, letter)
                    answers.append(Settled.JOINED)
                    continue
                letter = structs.replace(letter, joined=False)
                for result in settlement.results:
                    announcements += self._results.store(result, now, fenced=True)
                for opening in settlement.opens:
                    self._chords.open_if_new(opening, now)
                self._post(letters)
                match settlement.fate:
                    case Requeue():
                        returned.append(replacement or letter)
                    case Park(task, throttled):
                        if throttled or task in self._rules.paused_tasks:
                            self._parked.add(task, settlement.tag, letter)
                        else:
                            returned.append(letter)
                    case DeadLetter() as why:
                        self._dead.add(letter, why, self._runtime.time())
                    case Done():
                        pass
                joined = self._join(settlement, now)
                if joined or settlement.stays:
                    self._holdings.hold_under(lessee, settlement.tag, structs.replace(letter, joined=True))
                answers.append(Settled.JOINED if joined else Settled.APPLIED)
            self._put_first(returned)
        announce(announcements)
        return answers

    # --- life and death -------------------------------------------------------------------------------------------

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        """See ``Broker.keep``."""
        with self._lock:
            now = self._runtime.monotonic()
            self._nodes.keep(node, name=name, info=info, lease_s=lease_s, now=now)
            self._results.drop_expired(now)
            self._chords.drop_expired(now)
            for letter in self._schedule.take_due(self._runtime.time()):
                self._put_last(letter)
            self._call_for(queues)
            self._bells.hush()
            orphans = [lessee for lessee in self._holdings.lessees() if not self._nodes.alive(lessee.node, now)]
            self._nodes.bury(unless={lessee.node for lessee in orphans}, now=now)
            due = self._schedule.next_due()
            throttled = sorted(self._parked.counts().keys() - self._rules.paused_tasks)
            next_due = None if due is None else max(0.0, due - self._runtime.time())
            return Pulse(orphans, next_due, self._rules.revision, throttled)

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        """See ``Broker.adopt``."""
        with self._lock:
            if lost.node == by.node or not self._nodes.alive(lost.node, self._runtime.monotonic()):
                self._holdings.move(lost, by, limit)
                if not self._holdings.of(lost):
                    self._unanswered.pop(lost, None)
            return [_delivery(tag, letter) for tag, letter in self._holdings.of(by)]

    def doze(self, seconds: float) -> None:
        """See ``Broker.doze``."""
        with self._lock:
            bell = self._bells.hang(alarm=True)
        self._wait(bell, seconds)

    def leave(self, node: str) -> None:
        """See ``Broker.leave``."""
        with self._lock:
            self._nodes.forget(node)

    def nodes(self) -> Sequence[NodeRecord]:
        """See ``Broker.nodes``."""
        with self._lock:
            return self._nodes.records(self._runtime.monotonic())

    # --- looking and tidying --------------------------------------------------------------------------------------

    def depth(self, queues: Sequence[str]) -> Sequence[int]:
        """See ``Broker.depth``."""
        with self._lock:
            return [self._queues.count(queue) for queue in queues]

    def scheduled(self) -> int:
        """See ``Broker.scheduled``."""
        with self._lock:
            return len(self._schedule)

    def dated(self, queues: Sequence[str], *, limit: int = 1000) -> Sequence[Scheduled]:
        """See ``Broker.dated``."""
        with self._lock:
            found = [Scheduled(letter.raw, letter.queue, due) for due, letter in self._schedule.dates() if letter.queue in queues]
            return found[:limit]

    def hasten(self, queues: Sequence[str], *, limit: int = 1000) -> int:
        """See ``Broker.hasten``."""
        with self._lock:
            letters = self._schedule.take(frozenset(queues), limit)
            for letter in letters:
                self._put_last(letter)
            return len(letters)

    def purge(self, queues: Sequence[str]) -> int:
        """See ``Broker.purge``."""
        with self._lock:
            waiting = sum(self._queues.drop(queue) + self._parked.drop(queue) for queue in queues)
            return waiting + self._schedule.drop(frozenset(queues))

    def whereabouts(self, id: str, *, queues: Sequence[str]) -> Sequence[Place]:
        """See ``Broker.whereabouts``. All in one step."""
        wanted = Wanted(id)
        with self._lock:
            return [
                *whereabouts.waiting(wanted, self._queues, queues),
                *whereabouts.scheduled(wanted, self._schedule),
                *whereabouts.put_aside(wanted, self._parked),
                *whereabouts.held(wanted, self._holdings, self._nodes, self._runtime.monotonic()),
                *whereabouts.dead(wanted, self._dead.page(limit=len(self._dead), after=None)),
            ]

    def dead_letters(self, *, limit: int = 100, after: str | None = None) -> Sequence[DeadRecord]:
        """See ``Broker.dead_letters``."""
        with self._lock:
            return self._dead.page(limit=limit, after=after)

    def dead_letter(self, id: str) -> DeadRecord | None:
        """See ``Broker.dead_letter``."""
        with self._lock:
            return self._dead.get(id)

    def replay(self, ids: Sequence[str]) -> int:
        """See ``Broker.replay``."""
        with self._lock:
            letters = self._dead.take(ids)
            for letter in letters:
                self._put_last(letter)
            return len(letters)

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        """See ``Broker.purge_dead``."""
        with self._lock:
            return self._dead.drop_all() if ids is None else len(self._dead.take(ids))

    # --- what operators say ---------------------------------------------------------------------------------------

    def resume(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.resume``."""
        with self._lock:
            self._rules.resume(queues, tasks)
            for task in tasks:
                self._put_first(self._parked.take(task))
            self._call_for(queues)

    def release(self, task: str, *, queues: Sequence[str], limit: int) -> int:
        """See ``Broker.release``."""
        with self._lock:
            if task in self._rules.paused_tasks:
                return 0
            letters = self._parked.take(task, queues=frozenset(queues), limit=limit)
            self._put_first(letters)
            return len(letters)

    # --- periodic tasks -------------------------------------------------------------------------------------------

    def timetable(self, name: str) -> MemoryTimetable:
        """See ``Timetables.timetable``."""
        with self._lock:
            if name not in self._timetables:
                self._timetables[name] = MemoryTimetable(
                    locked=lambda: self._lock, pack=self._pack, post=self._post, runtime=self._runtime
                )
            return self._timetables[name]

    # --- the process ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """See ``Broker.close``. There is no connection; what is kept stays."""

    def abandon(self) -> None:
        """See ``Broker.abandon``. This process goes on with its copy; those who waited or watched were the parent's."""
        self._lock = threading.RLock()
        self._bells, self.broadcast = Bells(), MemoryBroadcast()
        self._results.unwatch_all()

    # --- for tests ------------------------------------------------------------------------------------------------

    def inject(self, queue: str, raw: bytes) -> None:
        """Put any bytes at the back of ``queue``, as a stranger would who knows nothing of bells: nobody is woken."""
        with self._lock:
            self._queues.add_last(Letter(queue, 0, raw))

    def lose_next_answer(self) -> None:
        """Make the next fetch that leases something do so, and then raise BrokerUnreachable instead of its answer."""
        with self._lock:
            self._losing = True

    # --- steps under the lock -------------------------------------------------------------------------------------

    def _lease(self, queues: Sequence[str], lessee: Lessee, limit: int) -> Fetched:
        if not self._nodes.alive(lessee.node, self._runtime.monotonic()):
            # The message that woke this call must not lie there while another call waits for it.
            self._call_for(queues)
            raise LeaseExpired(f"the store takes node {lessee.node!r} for dead: it must call keep before it may fetch")
        deliveries = self._unheard(lessee)
        if not deliveries:
            letters = self._queues.take(self._open(queues), limit)
            deliveries = [_delivery(self._holdings.hold(lessee, letter), letter) for letter in letters]
        if deliveries and self._losing:
            self._losing = False
            self._unanswered[lessee] = frozenset(delivery.tag for delivery in deliveries)
            raise BrokerUnreachable("the answer of a fetch was lost, as a test asked for")
        more = any(self._queues.count(queue) for queue in self._open(queues))
        return Fetched(deliveries, self._rules.revision, more)

    def _unheard(self, lessee: Lessee) -> list[Delivery]:
        """Return what ``lessee`` holds and was never told of."""
        tags = self._unanswered.pop(lessee, frozenset())
        return [_delivery(tag, letter) for tag, letter in self._holdings.of(lessee) if tag in tags]

    def _post(self, letters: Sequence[tuple[datetime | None, Letter]]) -> None:
        for eta, letter in letters:
            if eta is None or eta.timestamp() <= self._runtime.time():
                self._put_last(letter)
            elif self._schedule.add(eta.timestamp(), letter):
                self._bells.alarm()

    def _join(self, settlement: Settlement, now: float) -> bool:
        """Do what concerns chords; say whether its part was the last."""
        if settlement.closes is not None:
            self._chords.close(settlement.closes, now)
        return settlement.join is not None and self._chords.join(settlement.join, str(settlement.tag), now)

    def _put_last(self, letter: Letter) -> None:
        self._queues.add_last(letter)
        for queue in self._open([letter.queue]):
            self._bells.call(queue, 1)

    def _put_first(self, letters: Sequence[Letter]) -> None:
        """Put these before all others; the first of them is the first to be fetched: it comes last to the front."""
        for letter in reversed(letters):
            self._queues.add_first(letter)
            for queue in self._open([letter.queue]):
                self._bells.call(queue, 1)

    def _open(self, queues: Sequence[str]) -> Sequence[str]:
        """Return those that are not paused."""
        paused = self._rules.paused_queues
        return [queue for queue in queues if queue not in paused] if paused else queues

    def _call_for(self, queues: Sequence[str]) -> None:
        """Wake somebody for each message that waits in ``queues``."""
        for queue in self._open(queues):
            self._bells.call(queue, self._queues.count(queue))

    # --- steps without the lock -----------------------------------------------------------------------------------

    def _wait(self, bell: Bell, seconds: float) -> Ring:
        try:
            return bell.wait(seconds)
        except BaseException:
            # Such as KeyboardInterrupt: somebody else must hear of what this call was woken for.
            with self._lock:
                self._call_for(list(bell.queues))
            raise
        finally:
            with self._lock:
                self._bells.take_down(bell)

    def _pack(self, messages: Sequence[Outgoing]) -> list[tuple[datetime | None, Letter]]:
        return [(message.eta, self._letter(message)) for message in messages]

    def _replacement(self, settlement: Settlement) -> Letter | None:
        """Return the letter that goes back instead. Its eta is not looked at: it was due when it was fetched."""
        fate = settlement.fate
        return self._letter(fate.replacement) if isinstance(fate, Requeue) and fate.replacement is not None else None

    def _letter(self, message: Outgoing) -> Letter:
        priority = min(max(message.priority, PRIORITIES.start), PRIORITIES.stop - 1)
        return Letter(message.queue, priority, envelope.pack(message, tag=self._runtime.new_id()))


def _delivery(tag: int, letter: Letter) -> Delivery:
    return Delivery(tag, letter.queue, envelope.unpack(letter.raw), letter.raw, letter.joined)
