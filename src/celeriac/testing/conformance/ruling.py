# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on what is throttled, and on all that operators have said as one thing with one revision."""

from __future__ import annotations

from collections.abc import Callable

from celeriac.abc import Lessee, Store
from celeriac.core.rules import Rules
from celeriac.testing.conformance.pausing import CHARGE, REFUND, park, parked
from celeriac.testing.conformance.subject import HOUR_S, Contract, Subject, an_outgoing, ended, take, take_ids
from celeriac.testing.conformance.waiting import Threads, ids_of


class Throttling(Contract):
    """What is parked because its rate limit is used up comes back a few at a time."""

    def throttled(self, store: Store, lessee: Lessee, ids: str, *, queue: str = "q") -> None:
        store.publish([an_outgoing(id, queue=queue) for id in ids])
        deliveries = take(store, lessee, queues=(queue,))
        store.settle([park(delivery, throttled=True) for delivery in deliveries], lessee=lessee)

    def test_it_is_parked_although_nobody_has_paused_it(self, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "ab")

        assert (store.parked(), take_ids(store, me)) == ({CHARGE: 2}, [])

    def test_the_oldest_are_released_to_the_front(self, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "abc")
        store.publish([an_outgoing("d")])

        released = store.release(CHARGE, queues=["q"], limit=2)

        assert (released, take_ids(store, me), store.parked()) == (2, ["a", "b", "d"], {CHARGE: 1})

    def test_what_is_parked_again_keeps_behind_nobody_who_came_later(self, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "ab")
        store.release(CHARGE, queues=["q"], limit=2)
        deliveries = take(store, me)
        store.settle([park(delivery, throttled=True) for delivery in deliveries], lessee=me)
        self.throttled(store, me, "c")

        store.release(CHARGE, queues=["q"], limit=9)

        assert take_ids(store, me) == ["a", "b", "c"]

    def test_only_of_the_queues_that_are_named(self, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "a")
        self.throttled(store, me, "b", queue="r")

        released = store.release(CHARGE, queues=["r", "s"], limit=9)

        assert (released, take_ids(store, me, queues=("q", "r"))) == (1, ["b"])

    def test_the_oldest_of_several_queues_come_first(self, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "a", queue="r")
        self.throttled(store, me, "b")

        store.release(CHARGE, queues=["q", "r"], limit=1)

        assert take_ids(store, me, queues=("q", "r")) == ["a"]

    def test_nothing_is_released_of_a_type_that_is_paused_or_unknown(self, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "a")
        store.pause(tasks=[CHARGE])

        released = [store.release(task, queues=["q"], limit=9) for task in (CHARGE, REFUND)]

        assert (released, store.parked()) == ([0, 0], {CHARGE: 1})

    def test_a_resumption_brings_all_of_it_back(self, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "abc")

        store.resume(tasks=[CHARGE])

        assert take_ids(store, me) == ["a", "b", "c"]

    def test_who_says_that_he_is_alive_hears_of_types_that_can_be_released(self, store: Store, me: Lessee) -> None:
        before = store.keep(me.node, name="n", info={}, queues=["q"], lease_s=HOUR_S)
        self.throttled(store, me, "a")
        parked(store, me, "b", task=REFUND)

        after = store.keep(me.node, name="n", info={}, queues=["q"], lease_s=HOUR_S)
        store.release(CHARGE, queues=["q"], limit=1)
        in_the_end = store.keep(me.node, name="n", info={}, queues=["q"], lease_s=HOUR_S)

        assert [list(pulse.throttled) for pulse in (before, after, in_the_end)] == [[], [CHARGE], []]

    def test_those_who_wait_are_woken_for_what_is_released(self, subject: Subject, store: Store, me: Lessee) -> None:
        self.throttled(store, me, "a")
        with Threads(store) as threads:
            waiting = threads.fetch(me)
            assert not ended(waiting)

            subject.another().release(CHARGE, queues=["q"], limit=1)

            assert ids_of(waiting) == ["a"]


class Ruling(Contract):
    """What operators have said is one thing with one revision."""

    def test_in_the_beginning_nobody_has_said_anything(self, store: Store) -> None:
        rules = store.rules()

        assert rules == Rules(rules.revision)

    def test_each_change_raises_the_revision_that_everybody_is_told(self, store: Store, me: Lessee) -> None:
        changes: list[Callable[[], None]] = [
            lambda: store.revoke(["a"]),
            lambda: store.revoke_stamps({"customer": ["7"]}),
            lambda: store.pause(queues=["q"]),
            lambda: store.pause(tasks=[CHARGE]),
            lambda: store.resume(tasks=[CHARGE]),
            lambda: store.resume(queues=["q"]),
        ]
        told = []
        for change in changes:
            change()
            pulse = store.keep(me.node, name="n", info={}, queues=["q"], lease_s=HOUR_S)
            fetched = store.fetch(["q"], lessee=me, limit=1, wait_s=0)
            told.append({pulse.revision, fetched.revision, store.rules().revision})

        assert all(len(revisions) == 1 for revisions in told)
        numbers = [revision for revisions in told for revision in revisions]
        assert numbers == sorted(set(numbers))

    def test_what_was_said_before_changes_nothing(self, store: Store) -> None:
        store.pause(queues=["q"], tasks=[CHARGE])
        before = store.rules()

        store.pause(queues=["q"], tasks=[CHARGE])
        store.resume(queues=["r"], tasks=[REFUND])
        store.pause()
        store.revoke([])
        store.revoke_stamps({})

        assert store.rules() == before

    def test_stamps_are_revoked_for_a_time(self, subject: Subject, store: Store) -> None:
        store.revoke_stamps({"customer": ["7", "8"], "täg": ["x\ny"]})
        store.revoke_stamps({"customer": ["9"]}, ttl_s=subject.lease_s)
        before = store.rules().revoked_stamps

        subject.advance(subject.lease_s * 1.1)

        assert before == {"customer": {"7", "8", "9"}, "täg": {"x\ny"}}
        assert store.rules().revoked_stamps == {"customer": {"7", "8"}, "täg": {"x\ny"}}
