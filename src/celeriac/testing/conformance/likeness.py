# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter that compares: random calls from a seed, made on the memory store and on the driver, give the same answers.

It finds what nobody thought of when the other chapters were written. A seed that fails is repeated by its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest
from msgspec.structs import replace

from celeriac.abc import Lessee, Store
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.settlement import DeadLetter, Done, Requeue, Settlement, StoredResult
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.conformance.subject import HOUR_S, Contract, Subject, a_result, alive, an_outgoing, id_of

STEPS = 120
LESSEES = [Lessee(node, child) for node in ("node-1", "node-2") for child in ("child-1", "child-2")]
T = TypeVar("T")
Twins = tuple[Delivery, Delivery]
"""One delivery of the model and the same of the driver: their tags differ."""


class Comparison:
    """The model, the driver, and what the lessees of both hold."""

    def __init__(self, subject: Subject, seed: int) -> None:
        self._chance = VirtualRuntime(seed)
        self._model: Store = MemoryStore(runtime=VirtualRuntime(seed, start=subject.runtime.now()))
        self._driver = subject.store
        # Whose results know of no leases keeps a FAILURE where the model shows a RETRY.
        self._on_its_way = "RETRY" if subject.one_step else ""
        self._held: dict[Lessee, list[Twins]] = {lessee: [] for lessee in LESSEES}
        self._settled: list[Twins] = []
        self._later = subject.later(HOUR_S)
        self._sent = 0
        for store in (self._model, self._driver):
            for lessee in LESSEES:
                alive(store, lessee.node)

    def step(self) -> None:
        """Make one random call on both, and compare."""
        calls = (
            self._publish,
            self._fetch,
            self._fetch,
            self._settle,
            self._settle,
            self._adopt,
            self._bury,
            self._say,
            self._rule,
        )
        self._one_of(calls)()
        self._look()

    def _publish(self) -> None:
        batch = [self._an_outgoing() for _ in range(self._up_to(5))]
        for store in (self._model, self._driver):
            store.publish(batch)

    def _fetch(self) -> None:
        lessee, limit = self._one_of(LESSEES), self._up_to(4)
        queues = self._one_of([["q"], ["r"], ["q", "r"], ["r", "q"]])
        ours, theirs = (store.fetch(queues, lessee=lessee, limit=limit, wait_s=0) for store in (self._model, self._driver))
        self._held[lessee] += self._alike(ours.deliveries, theirs.deliveries)
        assert theirs.more == ours.more

    def _settle(self) -> None:
        lessee = self._one_of(LESSEES)
        # Some that are held, and now and then one that somebody else has settled or adopted.
        chosen = [twins for twins in self._held[lessee] if self._chance.random() < 0.6]
        if self._settled and self._chance.random() < 0.3:
            chosen.append(self._one_of(self._settled))
        pairs = [self._settlements(twins) for twins in chosen]
        ours = self._model.settle([pair[0] for pair in pairs], lessee=lessee)
        theirs = self._driver.settle([pair[1] for pair in pairs], lessee=lessee)
        assert list(theirs) == list(ours)
        self._held[lessee] = [twins for twins in self._held[lessee] if twins not in chosen]
        self._settled += chosen

    def _adopt(self) -> None:
        lost, heir = self._one_of(LESSEES), self._one_of(LESSEES)
        if lost == heir:
            return
        limit = self._up_to(7) - 1
        ours, theirs = (store.adopt(lost, by=heir, limit=limit) for store in (self._model, self._driver))
        kept = {twins[0].tag for twins in self._held[lost]} - {delivery.tag for delivery in ours}
        self._held[lost] = [twins for twins in self._held[lost] if twins[0].tag in kept]
        self._held[heir] = self._alike(ours, theirs)

    def _bury(self) -> None:
        """Replay or forget one dead letter, or purge a queue, or revoke something: what people do now and then."""
        letters = [(store, store.dead_letters(limit=1)) for store in (self._model, self._driver)]
        choice = self._chance.random()
        for store, found in letters:
            if choice < 0.5:
                store.replay([record.id for record in found])
            elif choice < 0.6:
                store.purge_dead([record.id for record in found])
            elif choice < 0.7:
                store.revoke([f"id-{self._sent}"])
        if choice > 0.95:
            assert self._driver.purge(["q"]) == self._model.purge(["q"])

    def _say(self) -> None:
        """Store states without a lease, such as those of a child that has lost it."""
        states = [self._one_of(["STARTED", "PROGRESS", "REVOKED", "FAILURE", "RETRY"]) for _ in range(self._up_to(3))]
        results = [a_result(f"id-{self._up_to(self._sent + 1) - 1}", state=state, value=self._sent) for state in states]
        for store in (self._model, self._driver):
            store.store_results(results)

    def _rule(self) -> None:
        """Pause or resume a queue, or a type of which nothing is parked."""
        queues, tasks = self._one_of([(["q"], []), (["r"], []), ([], ["shop.charge"])])
        paused = self._chance.random() < 0.4
        for store in (self._model, self._driver):
            (store.pause if paused else store.resume)(queues=queues, tasks=tasks)

    def _look(self) -> None:
        """Compare what can be seen without changing anything."""
        ids = [f"id-{number}" for number in range(self._sent)]

        def seen(store: Store) -> list[object]:
            dead = [(one.queue, one.reason, one.task_id) for one in store.dead_letters(limit=1000)]
            return [
                list(store.depth(["q", "r"])),
                store.scheduled(),
                list(store.load(ids)),
                replace(store.rules(), revision=0),
                dead,
            ]

        assert seen(self._driver) == seen(self._model)

    def _settlements(self, twins: Twins) -> tuple[Settlement, Settlement]:
        """Decide one end for both deliveries."""
        id = id_of(twins[0])
        dead, changed = DeadLetter("rejected", task_id=id), Requeue(self._an_outgoing(id))
        fates: list[Done | Requeue | DeadLetter] = [Done(), Done(), Requeue(), changed, dead]
        fate = self._one_of(fates)
        state = self._one_of(["SUCCESS", "FAILURE", self._on_its_way, ""])
        result: StoredResult | None = a_result(id, state=state, value=self._sent) if state else None
        followups = tuple(self._an_outgoing() for _ in range(self._up_to(3) - 1))
        ours, theirs = (Settlement(tag=one.tag, fate=fate, result=result, followups=followups) for one in twins)
        return ours, theirs

    def _an_outgoing(self, id: str = "") -> Outgoing:
        if not id:
            id, self._sent = f"id-{self._sent}", self._sent + 1
        eta = self._later if self._chance.random() < 0.1 else None
        return an_outgoing(id, queue=self._one_of("qqr"), priority=self._one_of([0, 3, 6, 9]), eta=eta)

    def _alike(self, ours: Sequence[Delivery], theirs: Sequence[Delivery]) -> list[Twins]:
        """Compare deliveries; return them in pairs."""

        def told(deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
            return [(delivery.queue, id_of(delivery)) for delivery in deliveries]

        assert told(theirs) == told(ours)
        return list(zip(ours, theirs, strict=True))

    def _one_of(self, choices: Sequence[T]) -> T:
        return choices[int(self._chance.random() * len(choices))]

    def _up_to(self, most: int) -> int:
        return 1 + int(self._chance.random() * most)


class Likeness(Contract):
    """A driver is told from the memory store by nothing but its speed."""

    @pytest.mark.parametrize("seed", range(10))
    def test_random_calls_are_answered_as_the_memory_store_answers_them(self, subject: Subject, seed: int) -> None:
        comparison = Comparison(subject, seed)

        for _ in range(STEPS):
            comparison.step()
