# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on leases: who is alive, who holds what, who takes it over."""

from __future__ import annotations

import pytest

from celeriac.abc import Lessee, Pulse, Store
from celeriac.core.errors import BrokerUnreachable, LeaseExpired
from celeriac.core.settlement import Settled
from celeriac.testing.conformance.subject import (
    HOUR_S,
    PATIENCE_S,
    Contract,
    Subject,
    alive,
    an_outgoing,
    done,
    id_of,
    take,
    take_ids,
)

STEPS = 20
"""So many times in a lease a living node speaks: often enough never to count as silence."""


def speak(store: Store, node: str, lease_s: float) -> Pulse:
    """Let ``node`` say that it is alive."""
    return store.keep(node, name=node, info={}, queues=["q"], lease_s=lease_s)


class Leases(Contract):
    """A delivery stays with its lessee while its node is alive, and passes on whole when it is not."""

    def test_what_is_leased_is_handed_to_nobody_else(self, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing("a")])
        take(store, me)

        ids = [*take_ids(store, other), *take_ids(store, me)]

        assert ids == []
        assert store.depth(["q"]) == [0]

    def test_a_node_that_never_spoke_may_not_fetch(self, store: Store) -> None:
        stranger = Lessee("stranger", "child-1")
        store.publish([an_outgoing("a")])

        with pytest.raises(LeaseExpired):
            take(store, stranger)

        assert store.depth(["q"]) == [1]

    def test_a_node_whose_lease_has_ended_may_fetch_when_it_has_spoken(self, subject: Subject, store: Store) -> None:
        late = alive(store, "late", lease_s=subject.lease_s)
        alive(store, "survivor")
        store.publish([an_outgoing("a")])
        subject.advance(subject.lease_s * 1.1)

        with pytest.raises(LeaseExpired):
            take(store, late)
        alive(store, "late")

        assert take_ids(store, late) == ["a"]

    def test_a_lease_holds_however_long_the_task_runs(self, subject: Subject, store: Store) -> None:
        me = alive(store, "node-1", lease_s=subject.lease_s)
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)

        orphans: list[Lessee] = []
        for _ in range(3 * STEPS):
            subject.advance(subject.lease_s / STEPS)
            speak(store, "node-1", subject.lease_s)
            orphans += speak(store, "node-2", subject.lease_s).orphans

        assert orphans == []
        assert list(store.settle([done(delivery)], lessee=me)) == [Settled.APPLIED]

    def test_what_a_silent_node_held_is_orphaned_when_its_lease_has_ended(self, subject: Subject, store: Store) -> None:
        mortal = alive(store, "mortal", lease_s=subject.lease_s)
        alive(store, "survivor")
        store.publish([an_outgoing("a")])
        take(store, mortal)

        subject.advance(subject.lease_s * 1.1)
        pulse = speak(store, "survivor", HOUR_S)

        assert list(pulse.orphans) == [mortal]

    def test_orphans_are_named_until_somebody_adopts(self, subject: Subject, store: Store) -> None:
        mortal = alive(store, "mortal", lease_s=subject.lease_s)
        survivor = alive(store, "survivor")
        store.publish([an_outgoing("a")])
        take(store, mortal)
        subject.advance(subject.lease_s * 1.1)

        first = speak(store, "survivor", HOUR_S).orphans
        second = speak(store, "survivor", HOUR_S).orphans
        store.adopt(mortal, by=survivor)
        third = speak(store, "survivor", HOUR_S).orphans

        assert (list(first), list(second), list(third)) == ([mortal], [mortal], [])

    def test_a_silence_of_all_is_the_death_of_none(self, subject: Subject, store: Store) -> None:
        sleeper = alive(store, "sleeper", lease_s=subject.lease_s)
        alive(store, "waker", lease_s=subject.lease_s)
        store.publish([an_outgoing("a")])
        take(store, sleeper)

        subject.advance(subject.lease_s * 2)

        assert list(speak(store, "waker", subject.lease_s).orphans) == []

    def test_who_says_nothing_after_a_silence_of_all_is_dead_in_the_end(self, subject: Subject, store: Store) -> None:
        sleeper = alive(store, "sleeper", lease_s=subject.lease_s)
        alive(store, "waker", lease_s=subject.lease_s)
        store.publish([an_outgoing("a")])
        take(store, sleeper)
        subject.advance(subject.lease_s * 2)

        orphans: list[Lessee] = []
        deadline = subject.runtime.monotonic() + PATIENCE_S + subject.lease_s
        while not orphans and subject.runtime.monotonic() < deadline:
            orphans += speak(store, "waker", subject.lease_s).orphans
            subject.advance(subject.lease_s / STEPS)

        assert orphans == [sleeper]

    def test_who_speaks_in_time_after_a_silence_of_all_keeps_what_he_holds(self, subject: Subject, store: Store) -> None:
        sleeper = alive(store, "sleeper", lease_s=subject.lease_s)
        alive(store, "waker", lease_s=subject.lease_s)
        store.publish([an_outgoing("a")])
        [delivery] = take(store, sleeper)
        subject.advance(subject.lease_s * 2)

        speak(store, "waker", subject.lease_s)
        speak(store, "sleeper", HOUR_S)
        subject.advance(subject.lease_s * 0.5)

        assert list(speak(store, "waker", subject.lease_s).orphans) == []
        assert list(store.settle([done(delivery)], lessee=sleeper)) == [Settled.APPLIED]

    def test_what_a_node_held_that_left_all_the_same_is_orphaned(self, store: Store, me: Lessee) -> None:
        alive(store, "survivor")
        store.publish([an_outgoing("a")])
        take(store, me)

        store.leave(me.node)

        assert list(speak(store, "survivor", HOUR_S).orphans) == [me]

    def test_what_was_adopted_belongs_to_the_heir_alone(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)

        [adopted] = store.adopt(me, by=heir)

        assert (adopted.tag, adopted.raw, adopted.queue) == (delivery.tag, delivery.raw, "q")
        assert list(store.settle([done(delivery)], lessee=me)) == [Settled.LEASE_LOST]
        assert list(store.settle([done(adopted)], lessee=heir)) == [Settled.APPLIED]

    def test_what_a_dead_node_held_is_adopted_by_another(self, subject: Subject, store: Store, other: Lessee) -> None:
        mortal = alive(store, "mortal", lease_s=subject.lease_s)
        store.publish([an_outgoing("a")])
        [delivery] = take(store, mortal)
        subject.advance(subject.lease_s * 1.1)

        [adopted] = store.adopt(mortal, by=other)

        assert list(store.settle([done(delivery)], lessee=mortal)) == [Settled.LEASE_LOST]
        assert list(store.settle([done(adopted)], lessee=other)) == [Settled.APPLIED]

    def test_what_a_node_held_that_left_all_the_same_is_adopted(self, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing("a")])
        take(store, me)
        store.leave(me.node)

        adopted = store.adopt(me, by=other)

        assert [id_of(delivery) for delivery in adopted] == ["a"]

    def test_nothing_is_adopted_from_another_node_that_is_alive(self, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)

        adopted = store.adopt(me, by=other)

        assert list(adopted) == []
        assert list(store.settle([done(delivery)], lessee=me)) == [Settled.APPLIED]

    def test_a_node_that_comes_back_before_the_adoption_keeps_what_it_holds(
        self, subject: Subject, store: Store, other: Lessee
    ) -> None:
        late = alive(store, "late", lease_s=subject.lease_s)
        store.publish([an_outgoing("a")])
        [delivery] = take(store, late)
        subject.advance(subject.lease_s * 1.1)
        orphans = speak(store, other.node, HOUR_S).orphans

        speak(store, "late", HOUR_S)
        adopted = store.adopt(late, by=other)

        assert (list(orphans), list(adopted)) == ([late], [])
        assert list(store.settle([done(delivery)], lessee=late)) == [Settled.APPLIED]

    def test_adoption_is_made_in_the_order_of_the_tags(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.publish([an_outgoing(id) for id in "abcdefghijkl"])
        take(store, me)

        some = store.adopt(me, by=heir, limit=5)
        all_ = store.adopt(me, by=heir)

        assert [id_of(delivery) for delivery in some] == list("abcde")
        assert [id_of(delivery) for delivery in all_] == list("abcdefghijkl")

    def test_an_adoption_of_none_tells_what_the_heir_holds_and_moves_nothing(
        self, store: Store, me: Lessee, heir: Lessee
    ) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        [_, b] = take(store, me)
        before = store.adopt(me, by=heir, limit=0)
        store.adopt(me, by=heir, limit=1)

        held = store.adopt(me, by=heir, limit=0)

        assert (list(before), [id_of(delivery) for delivery in held]) == ([], ["a"])
        assert list(store.settle([done(b)], lessee=me)) == [Settled.APPLIED]

    def test_an_adoption_whose_answer_was_lost_is_made_again(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        take(store, me)
        first = store.adopt(me, by=heir)

        again = store.adopt(me, by=heir)

        assert [delivery.tag for delivery in first] == [delivery.tag for delivery in again]
        assert [id_of(delivery) for delivery in again] == ["a", "b"]

    def test_adopting_from_one_who_holds_nothing_gives_nothing(self, store: Store, me: Lessee, heir: Lessee) -> None:
        adopted = store.adopt(me, by=heir)

        assert list(adopted) == []

    def test_a_dead_childs_node_adopts_while_its_other_children_go_on(self, store: Store, me: Lessee) -> None:
        sibling, supervisor = Lessee(me.node, "child-2"), Lessee(me.node, "supervisor")
        store.publish([an_outgoing("a"), an_outgoing("b")])
        take(store, me, limit=1)
        [untouched] = take(store, sibling)

        adopted = store.adopt(me, by=supervisor)

        assert [id_of(delivery) for delivery in adopted] == ["a"]
        assert list(store.settle([done(untouched)], lessee=sibling)) == [Settled.APPLIED]

    def test_a_lost_answer_is_handed_out_again(self, subject: Subject, store: Store, me: Lessee) -> None:
        if subject.lose_next_answer is None:
            pytest.skip("this driver has no way to lose an answer on purpose")
        store.publish([an_outgoing(id) for id in "abcd"])
        take(store, me, limit=1)

        subject.lose_next_answer()
        with pytest.raises(BrokerUnreachable):
            take(store, me, limit=2)
        again = take(store, me, limit=2)

        assert [id_of(delivery) for delivery in again] == ["b", "c"]
        assert list(store.settle([done(delivery) for delivery in again], lessee=me)) == [Settled.APPLIED] * 2
        assert take_ids(store, me) == ["d"]

    def test_living_nodes_are_listed_with_what_they_said(self, store: Store) -> None:
        store.keep("node-1", name="celery@one", info={"pid": 17, "queues": ["q"]}, queues=["q"], lease_s=HOUR_S)

        [record] = store.nodes()

        assert (record.node, dict(record.info)) == ("celery@one", {"pid": 17, "queues": ["q"]})
        assert 0 <= record.seen_s < 60

    def test_the_dead_and_those_who_left_are_not_listed(self, subject: Subject, store: Store) -> None:
        alive(store, "mortal", lease_s=subject.lease_s)
        alive(store, "leaver")
        alive(store, "survivor")
        subject.advance(subject.lease_s * 1.1)

        store.leave("leaver")

        assert [record.node for record in store.nodes()] == ["celery@survivor"]
