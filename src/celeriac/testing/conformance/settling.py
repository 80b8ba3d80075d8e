# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on settle: each fate, whole or not at all."""

from __future__ import annotations

import pytest

from celeriac.abc import Lessee, Store
from celeriac.core.message import Delivery, Parcel
from celeriac.core.settlement import DeadLetter, Join, Part, Settled, Settlement, StoredResult
from celeriac.testing.conformance.subject import (
    HOUR_S,
    Contract,
    Subject,
    a_result,
    an_outgoing,
    back,
    dead,
    done,
    id_of,
    take,
    take_ids,
)

APPLIED, LEASE_LOST, REFUSED = Settled.APPLIED, Settled.LEASE_LOST, Settled.REFUSED
NO_TEXT = "half of a pair \ud800"
"""JSON can hold it, as an escape; so it may come in a message. UTF-8 cannot."""
LARGE = 700_000
"""Bytes: of messages like that a fetch brings only a few at once."""


def nothing_happened(store: Store, lessee: Lessee) -> bool:
    """Say whether the queue ``after``, the result ``a``, the schedule and the dead letters are empty."""
    return (
        take_ids(store, lessee, queues=("q", "after")) == []
        and list(store.load(["a"])) == [None]
        and store.scheduled() == 0
        and list(store.dead_letters()) == []
    )


def take_all(store: Store, lessee: Lessee) -> list[Delivery]:
    """Fetch until nothing comes any more."""
    taken: list[Delivery] = []
    while some := take(store, lessee):
        taken += some
    return taken


def an_odd_end(delivery: Delivery, odd: str) -> Settlement:
    """Return a settlement in which something is as nobody expects it: a store may refuse it, but only it."""
    queue, chord = NO_TEXT if odd == "queue" else "after", NO_TEXT if odd == "chord" else "c"
    return Settlement(
        tag=delivery.tag,
        fate=DeadLetter("rejected"),
        result=a_result(id_of(delivery)),
        further=(StoredResult(NO_TEXT, "SUCCESS", b"{}"),) if odd == "result" else (),
        followups=(an_outgoing("x", queue="after"), an_outgoing("y", queue=queue)),
        join=Join(chord, (Part(id_of(delivery), 2**70 if odd == "place" else 0, b"[]"),)),
    )


class Settling(Contract):
    """A settlement is carried out in one step, by the one who holds the delivery."""

    def test_a_delivery_that_is_done_is_over(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)

        answers = store.settle([done(delivery)], lessee=me)

        assert list(answers) == [APPLIED]
        assert take(store, me) == []
        assert list(store.adopt(me, by=heir)) == []

    def test_result_followups_and_release_are_one_step(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)
        result = a_result("a")
        followups = (an_outgoing("next", queue="after"), an_outgoing("retry", eta=subject.later(HOUR_S)))

        answers = store.settle([done(delivery, result=result, followups=followups)], lessee=me)

        assert list(answers) == [APPLIED]
        assert list(store.load(["a"])) == [result.body]
        assert take_ids(store, me, queues=("q", "after")) == ["next"]
        assert store.scheduled() == 1

    def test_followups_are_published_in_their_order(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)

        store.settle([done(delivery, followups=tuple(an_outgoing(id) for id in "xyz"))], lessee=me)

        assert take_ids(store, me) == ["x", "y", "z"]

    def test_a_delivery_is_settled_once(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)
        settlement = done(delivery, followups=(an_outgoing("next"),))

        together = store.settle([settlement, settlement], lessee=me)
        later = store.settle([settlement], lessee=me)

        assert (list(together), list(later)) == ([APPLIED, LEASE_LOST], [LEASE_LOST])
        assert take_ids(store, me) == ["next"]

    def test_a_lost_lease_changes_nothing(self, subject: Subject, store: Store, me: Lessee, heir: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)
        [adopted] = store.adopt(me, by=heir)
        followups = (an_outgoing("next", queue="after"), an_outgoing("later", eta=subject.later(HOUR_S)))
        late = [
            done(delivery, result=a_result("a"), followups=followups),
            back(delivery),
            back(delivery, an_outgoing("changed")),
            dead(delivery),
        ]

        answers = [answer for settlement in late for answer in store.settle([settlement], lessee=me)]

        assert answers == [LEASE_LOST] * 4
        assert nothing_happened(store, me)
        assert list(store.settle([done(adopted)], lessee=heir)) == [APPLIED]

    def test_an_unknown_tag_changes_nothing(self, store: Store, me: Lessee) -> None:
        unknown = Delivery(tag=4711, queue="q", parcel=an_outgoing("a").parcel, raw=b"")

        answers = store.settle([done(unknown, result=a_result("a"), followups=(an_outgoing("next"),))], lessee=me)

        assert list(answers) == [LEASE_LOST]
        assert nothing_happened(store, me)

    def test_a_lost_lease_does_not_hold_up_its_neighbours(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.publish([an_outgoing(id) for id in "abc"])
        a, b, c = take(store, me)
        store.adopt(me, by=heir, limit=1)

        answers = store.settle([done(b, result=a_result("b")), done(a), done(c, result=a_result("c"))], lessee=me)

        assert list(answers) == [APPLIED, LEASE_LOST, APPLIED]
        assert None not in store.load(["b", "c"])

    def test_a_requeued_message_is_the_next_of_its_priority_and_unchanged(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a", priority=3), an_outgoing("b", priority=3), an_outgoing("c", priority=0)])
        c, a = take(store, me, limit=2)

        store.settle([back(a), done(c)], lessee=me)

        again, b = take(store, me)
        assert (again.raw, again.queue, id_of(b)) == (a.raw, "q", "b")
        assert again.tag > a.tag

    def test_a_replacement_takes_the_place_of_what_is_requeued(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        [a] = take(store, me, limit=1)

        store.settle([back(a, an_outgoing("a", body=b"changed"))], lessee=me)

        again, b = take(store, me)
        assert isinstance(again.parcel, Parcel)
        assert (id_of(again), again.parcel.body, id_of(b)) == ("a", b"changed", "b")

    def test_several_requeues_keep_their_order(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing(id) for id in "abcdef"])
        a, b, c, d = take(store, me, limit=4)

        store.settle([back(a), back(b, an_outgoing("b")), done(c), back(d)], lessee=me)

        assert take_ids(store, me) == ["a", "b", "d", "e", "f"]

    def test_large_messages_go_back_whole_and_in_their_order(self, store: Store, me: Lessee) -> None:
        sent = {id: id.encode() * LARGE for id in "abcd"}
        store.publish([an_outgoing(id, body=body) for id, body in sent.items()])
        taken = take_all(store, me)

        answers = store.settle([back(delivery) for delivery in taken], lessee=me)

        again = take_all(store, me)
        assert list(answers) == [APPLIED] * 4
        assert [delivery.raw for delivery in again] == [delivery.raw for delivery in taken]
        assert {id_of(one): one.parcel.body for one in again if isinstance(one.parcel, Parcel)} == sent

    def test_a_large_replacement_takes_the_place_of_what_is_requeued(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        [a] = take(store, me, limit=1)
        changed = an_outgoing("a", body=b"x" * 2 * LARGE)

        store.settle([back(a, changed)], lessee=me)

        first, second = take_all(store, me)
        assert isinstance(first.parcel, Parcel)
        assert (id_of(first), first.parcel.body, id_of(second)) == ("a", changed.parcel.body, "b")

    def test_a_dead_letter_leaves_its_queue_and_is_kept(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)

        answers = store.settle([dead(delivery)], lessee=me)

        assert list(answers) == [APPLIED]
        assert take(store, me) == []
        assert [record.raw for record in store.dead_letters()] == [delivery.raw]

    def test_a_dead_letter_may_leave_a_result_and_followups(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)
        fate = dead(delivery, reason="worker-lost").fate
        failure = a_result("a", state="FAILURE")

        store.settle([Settlement(tag=delivery.tag, fate=fate, result=failure, followups=(an_outgoing("errback"),))], lessee=me)

        assert list(store.load(["a"])) == [failure.body]
        assert take_ids(store, me) == ["errback"]
        assert len(store.dead_letters()) == 1

    def test_a_settlement_never_overwrites_success(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("a")])
        first, second = take(store, me)
        success = a_result("a")

        store.settle([done(first, result=success)], lessee=me)
        answers = store.settle([done(second, result=a_result("a", state="FAILURE"))], lessee=me)

        assert list(answers) == [APPLIED]
        assert list(store.load(["a"])) == [success.body]

    def test_the_holder_of_a_delivery_may_say_that_a_failed_task_is_on_its_way_again(
        self, subject: Subject, store: Store, me: Lessee
    ) -> None:
        if not subject.one_step:
            pytest.skip("the results of this store know of no leases")
        # Such as a dead letter that was replayed, and is to be tried again.
        store.store_results([a_result("a", state="FAILURE")])
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)
        retry = a_result("a", state="RETRY")

        store.settle([done(delivery, result=retry)], lessee=me)

        assert list(store.load(["a"])) == [retry.body]

    def test_a_thousand_settlements_are_one_call(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.publish([an_outgoing(f"id-{number}") for number in range(1000)])
        deliveries = take(store, me, limit=1000)

        answers = store.settle([done(delivery, result=a_result(id_of(delivery))) for delivery in deliveries], lessee=me)

        assert list(answers) == [APPLIED] * 1000
        assert None not in store.load([id_of(delivery) for delivery in deliveries])
        assert list(store.adopt(me, by=heir)) == []

    @pytest.mark.parametrize("odd", ["queue", "result", "chord", "place"])
    def test_what_a_store_cannot_carry_out_is_refused_whole_and_holds_up_nobody(
        self, store: Store, me: Lessee, heir: Lessee, odd: str
    ) -> None:
        store.publish([an_outgoing(id) for id in "abcd"])
        a, b, c, d = take(store, me)

        answers = store.settle([back(a), an_odd_end(b, odd), done(c, result=a_result("c")), back(d)], lessee=me)

        assert [answer for answer in answers if answer is not REFUSED] == [APPLIED] * (4 if answers[1] is APPLIED else 3)
        assert None not in store.load(["c"])
        assert take_ids(store, me) == ["a", "d"]
        if answers[1] is REFUSED:
            assert "b" in [id_of(held) for held in store.adopt(me, by=heir)]
            assert (list(store.load(["b"])), list(store.depth(["after"])), list(store.dead_letters())) == ([None], [0], [])
            assert list(store.settle([done(b)], lessee=heir)) == [APPLIED]
