"""The memory store, observed: after each call the ledger hears what really happened and looks at every message.

The broken models of the tests are subclasses of it. Does not know: faults; they strike on the way to it (``line``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from celeriac.abc import LEASE_S, PUBLISH_DEADLINE_S, Fetched, Lessee, Pulse
from celeriac.core import states, taskmeta
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.settlement import Settled, Settlement, StoredResult
from celeriac.drivers.memory.queues import Letter
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.simulation.ledger import Key, Ledger
from celeriac.testing.simulation.report import Violation


class SimulatedStore(MemoryStore):
    """A MemoryStore that a ledger watches."""

    def __init__(self, *, runtime: VirtualRuntime, ledger: Ledger) -> None:
        super().__init__(runtime=runtime)
        self._ledger = ledger
        self.is_alive: Callable[[Lessee], bool] = _unknown
        """Whether the process of a lessee lives; the fleet knows."""

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """Publish, and tell."""
        super().publish(messages, deadline_s=deadline_s)
        self._ledger.published(sorted(self.places().keys() - self._ledger.known))
        self.compare()

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """Fetch, and tell."""
        held = {tag for tag, _ in self._holdings.of(lessee)}
        fetched = super().fetch(queues, lessee=lessee, limit=limit, wait_s=wait_s)
        if fetched.deliveries:
            self._ledger.fetched(lessee, fetched.deliveries, again=held)
            self.compare()
        return fetched

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """Settle, and tell."""
        answers = self.carry_out(settlements, lessee)
        self._ledger.settled(settlements, answers)
        self.compare()
        self._compare_results([result for one in settlements for result in one.results])
        return answers

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        """Settle: what a broken model does differently."""
        return super().settle(settlements, lessee=lessee)

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        """Keep, and tell."""
        pulse = super().keep(node, name=name, info=info, queues=queues, lease_s=lease_s)
        self._ledger.kept(node, pulse, self._runtime.monotonic())
        return pulse

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        """Adopt, and tell."""
        before = {tag: letter.raw for tag, letter in self._holdings.of(lost)}
        deliveries = self.take_over(lost, by, limit)
        taken = {tag: before[tag] for tag in before.keys() - dict(self._holdings.of(lost)).keys()}
        self._ledger.adopted(lost, by, taken, lost_is_alive=self.is_alive(lost), now=self._runtime.monotonic())
        self.compare()
        return deliveries

    def take_over(self, lost: Lessee, by: Lessee, limit: int) -> Sequence[Delivery]:
        """Adopt: what a broken model does differently."""
        return super().adopt(lost, by=by, limit=limit)

    def leave(self, node: str) -> None:
        """Leave, and look."""
        left = [lessee for lessee in self._holdings.lessees() if lessee.node == node]
        if left:
            raise Violation(f"{node} leaves, and something is held by {left}")
        super().leave(node)

    def revoke(self, ids: Sequence[str], *, ttl_s: float | None = None) -> None:
        """Revoke, and tell."""
        super().revoke(ids, ttl_s=ttl_s)
        for id in ids:
            self._ledger.revoke(id)

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """Pause, and tell."""
        super().pause(queues=queues, tasks=tasks)
        self._ledger.pause(queues, tasks)

    def resume(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """Resume, and tell."""
        self._ledger.resume(queues, tasks)
        self.bring_back(queues, tasks)
        self.compare()

    def bring_back(self, queues: Sequence[str], tasks: Sequence[str]) -> None:
        """Resume: what a broken model does differently."""
        super().resume(queues=queues, tasks=tasks)

    def release(self, task: str, *, queues: Sequence[str], limit: int) -> int:
        """Release, and look."""
        released = super().release(task, queues=queues, limit=limit)
        self.compare()
        return released

    def let_everything_go_on(self) -> None:
        """Resume what is paused: in the end an operator wants everything to be done."""
        if self._rules.paused_queues or self._rules.paused_tasks:
            self.resume(queues=sorted(self._rules.paused_queues), tasks=sorted(self._rules.paused_tasks))

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """Store, and look: what is said without a lease replaces no end, unless it is an end too."""
        before = self.load([one.id for one in results])
        self.put_results(results)
        for result, body in zip(results, before, strict=True):
            known = states.PENDING if body is None else taskmeta.decode(body).status
            if known in states.READY_STATES and result.state not in states.READY_STATES and self.load([result.id]) != [body]:
                raise Violation(f"{result.id} had ended as {known}, and a late {result.state} took its place")
        self._compare_results(results)

    def put_results(self, results: Sequence[StoredResult]) -> None:
        """Store results: what a broken model does differently."""
        super().store_results(results)

    def places(self) -> Counter[Key]:
        """Count the copies of each attempt, wherever it lies. What is held to call a body is none: it has run."""
        key = self._ledger.key
        lying = (*self._queues.letters(), *self._schedule.letters(), *self._parked.letters())
        copies = Counter(key(letter.raw) for letter in lying)
        copies.update(key(letter.raw) for _, letter in self._held() if not letter.joined)
        copies.update(key(record.raw) for record in self._dead.page(limit=1_000_000, after=None))
        return copies

    def compare(self) -> None:
        """Compare what is held with what ought to be."""
        self._ledger.compare(self.places(), Counter(tag for tag, letter in self._held() if letter.joined))

    def _held(self) -> list[tuple[int, Letter]]:
        return [held for lessee in self._holdings.lessees() for held in self._holdings.of(lessee)]

    def unfinished_chords(self) -> Mapping[str, int]:
        """Return how many parts there are of each chord that is not over."""
        return self._chords.unfinished()

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits, is scheduled, parked or leased."""
        return not (self._queues.letters() or self._schedule.letters() or self._parked.letters() or self._holdings.lessees())

    @property
    def longest_wait_s(self) -> float:
        """Seconds until everything that is scheduled now is due."""
        last = self._schedule.last_due()
        return 0.0 if last is None else max(0.0, last - self._runtime.time())

    def _compare_results(self, results: Sequence[StoredResult]) -> None:
        for result in results:
            accepted = self._ledger.successes.get(result.id)
            if accepted is not None and self.load([result.id]) != [accepted]:
                raise Violation(f"{result.id} had succeeded, and its result was overwritten by {result.state}")


def _unknown(lessee: Lessee) -> bool:
    raise NotImplementedError(f"nobody has said who knows whether {lessee} lives")
