# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on pauses, of queues and of task types, and on what is parked meanwhile."""

from __future__ import annotations

import pytest

from celeriac.abc import Lessee, Store
from celeriac.core.message import Delivery
from celeriac.core.settlement import Park, Settled, Settlement
from celeriac.testing.conformance.subject import (
    Contract,
    Subject,
    alive,
    an_outgoing,
    back,
    done,
    ended,
    id_of,
    take,
    take_ids,
)
from celeriac.testing.conformance.waiting import Threads, ids_of

CHARGE, REFUND = "shop.charge", "shop.refund"


def park(delivery: Delivery, task: str = CHARGE, *, throttled: bool = False) -> Settlement:
    """Return the settlement of a delivery that is put aside."""
    return Settlement(tag=delivery.tag, fate=Park(task, throttled))


def parked(store: Store, lessee: Lessee, ids: str, *, task: str = CHARGE, queue: str = "q") -> None:
    """Publish messages, one for each letter, and park them under a type that is paused."""
    store.pause(tasks=[task])
    store.publish([an_outgoing(id, queue=queue) for id in ids])
    store.settle([park(delivery, task) for delivery in take(store, lessee, queues=(queue,))], lessee=lessee)


class PausedQueues(Contract):
    """Of a paused queue nothing comes, until it is resumed."""

    def test_nothing_is_fetched_from_a_paused_queue(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b", queue="r")])

        store.pause(queues=["q"])
        fetched = store.fetch(["q", "r"], lessee=me, limit=10, wait_s=0)

        assert ([id_of(delivery) for delivery in fetched.deliveries], fetched.more) == (["b"], False)
        assert list(store.depth(["q"])) == [1]

    def test_a_resumed_queue_is_fetched_from_again(self, store: Store, me: Lessee) -> None:
        store.pause(queues=["q", "r"])
        store.publish([an_outgoing("a"), an_outgoing("b")])

        store.resume(queues=["q"])

        assert take_ids(store, me, queues=("q", "r")) == ["a", "b"]
        assert store.rules().paused_queues == {"r"}

    def test_a_pause_is_known_to_everybody_at_once(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])

        subject.another().pause(queues=["q"])

        assert take_ids(store, me) == []

    def test_what_is_leased_can_be_settled_during_a_pause(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        a, b = take(store, me)

        store.pause(queues=["q"])
        answers = store.settle([done(a), back(b)], lessee=me)

        assert (list(answers), take_ids(store, me), list(store.depth(["q"]))) == ([Settled.APPLIED] * 2, [], [1])

    def test_what_becomes_due_during_a_pause_waits(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.pause(queues=["q"])
        store.publish([an_outgoing("a", eta=subject.later(subject.lease_s))])

        subject.advance(subject.lease_s * 1.1)
        alive(store, me.node)

        assert (take_ids(store, me), list(store.depth(["q"]))) == ([], [1])

    def test_a_message_for_a_paused_queue_wakes_nobody(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.pause(queues=["q"])
        with Threads(store) as threads:
            waiting = threads.fetch(me)
            assert not ended(waiting)

            subject.another().publish([an_outgoing("a")])

            assert not ended(waiting)

    def test_those_who_wait_are_woken_by_a_resumption(self, subject: Subject, store: Store, me: Lessee, other: Lessee) -> None:
        store.pause(queues=["q"])
        store.publish([an_outgoing("a"), an_outgoing("b")])
        with Threads(store) as threads:
            waiting = [threads.fetch(who) for who in (me, other)]
            assert not ended(*waiting)

            subject.another().resume(queues=["q"])

            assert sorted(id for waited in waiting for id in ids_of(waited)) == ["a", "b"]

    def test_who_began_to_wait_before_the_pause_is_woken_by_a_resumption(
        self, subject: Subject, store: Store, me: Lessee
    ) -> None:
        with Threads(store) as threads:
            waiting = threads.fetch(me)
            assert not ended(waiting)

            another = subject.another()
            another.pause(queues=["q"])
            another.publish([an_outgoing("a")])
            assert not ended(waiting)
            another.resume(queues=["q"])

            assert ids_of(waiting) == ["a"]

    def test_whose_queues_are_all_open_is_not_kept_by_pauses_of_others(self, store: Store, me: Lessee) -> None:
        store.pause(queues=["r"], tasks=[CHARGE])
        store.publish([an_outgoing("a")])

        assert take_ids(store, me) == ["a"]


class PausedTasks(Contract):
    """What is parked waits in no queue until its type is resumed, and nothing of it is lost."""

    def test_what_is_parked_is_neither_fetched_nor_counted_as_waiting(self, store: Store, me: Lessee) -> None:
        parked(store, me, "ab")

        assert (take_ids(store, me), list(store.depth(["q"])), store.parked()) == ([], [0], {CHARGE: 2})

    def test_what_is_parked_is_held_by_nobody(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.pause(tasks=[CHARGE])
        store.publish([an_outgoing("a")])
        [a] = take(store, me)

        answers = [store.settle([park(a)], lessee=me), store.settle([done(a)], lessee=me)]

        assert list(map(list, answers)) == [[Settled.APPLIED], [Settled.LEASE_LOST]]
        assert list(store.adopt(me, by=heir)) == []

    def test_a_resumption_brings_back_what_was_parked_before_all_that_came_later(self, store: Store, me: Lessee) -> None:
        parked(store, me, "abc")
        store.publish([an_outgoing("d"), an_outgoing("e")])

        store.resume(tasks=[CHARGE])

        assert (list(store.depth(["q"])), store.parked()) == ([5], {})
        assert [take_ids(store, me, limit=2) for _ in range(3)] == [["a", "b"], ["c", "d"], ["e"]]

    def test_it_comes_back_as_it_was(self, store: Store, me: Lessee) -> None:
        store.pause(tasks=[CHARGE])
        store.publish([an_outgoing("a", priority=6, body='"Zoë\n"'.encode())])
        [before] = take(store, me)
        store.settle([park(before)], lessee=me)

        store.resume(tasks=[CHARGE])

        [after] = take(store, me)
        assert (after.raw, after.queue) == (before.raw, before.queue)

    def test_its_order_is_that_in_which_it_was_fetched(self, store: Store, me: Lessee, other: Lessee) -> None:
        store.pause(tasks=[CHARGE])
        store.publish([an_outgoing(id) for id in "abcd"])
        first, second = take(store, me, limit=2), take(store, other, limit=2)

        for lessee, deliveries in ((other, second), (me, first)):
            store.settle([park(delivery) for delivery in deliveries], lessee=lessee)
        store.resume(tasks=[CHARGE])

        assert take_ids(store, me) == list("abcd")

    def test_it_keeps_its_priority_and_its_queue(self, store: Store, me: Lessee) -> None:
        store.pause(tasks=[CHARGE])
        store.publish([an_outgoing("a", priority=9), an_outgoing("b", priority=3), an_outgoing("c", queue="r")])
        store.settle([park(delivery) for delivery in take(store, me, queues=("q", "r"))], lessee=me)
        store.publish([an_outgoing("d", priority=3)])

        store.resume(tasks=[CHARGE])

        assert (take_ids(store, me), take_ids(store, me, queues=("r",))) == (["b", "d", "a"], ["c"])

    def test_only_the_types_that_are_resumed_come_back(self, store: Store, me: Lessee) -> None:
        parked(store, me, "a")
        parked(store, me, "b", task=REFUND)

        store.resume(tasks=[REFUND])

        assert (take_ids(store, me), store.parked()) == (["b"], {CHARGE: 1})
        assert store.rules().paused_tasks == {CHARGE}

    def test_two_types_that_are_resumed_one_after_the_other_both_come_back(self, store: Store, me: Lessee) -> None:
        parked(store, me, "ab")
        parked(store, me, "cd", task=REFUND)

        store.resume(tasks=[CHARGE])
        store.resume(tasks=[REFUND])

        assert sorted(take_ids(store, me)) == list("abcd")

    def test_what_goes_back_while_there_is_more_of_what_was_resumed_goes_before_it(self, store: Store, me: Lessee) -> None:
        parked(store, me, "abc")
        store.resume(tasks=[CHARGE])
        a, b = take(store, me, limit=2)

        store.settle([back(a), back(b)], lessee=me)

        assert take_ids(store, me) == ["a", "b", "c"]

    def test_a_type_can_be_paused_again_before_all_of_it_has_come_back(self, store: Store, me: Lessee) -> None:
        parked(store, me, "abc")
        store.resume(tasks=[CHARGE])
        [a] = take(store, me, limit=1)

        store.pause(tasks=[CHARGE])
        store.settle([done(a)], lessee=me)
        store.settle([park(delivery) for delivery in take(store, me)], lessee=me)
        store.resume(tasks=[CHARGE])

        assert take_ids(store, me) == ["b", "c"]

    def test_what_is_parked_too_late_goes_back_to_the_front(self, store: Store, me: Lessee) -> None:
        store.pause(tasks=[CHARGE])
        store.publish([an_outgoing("a"), an_outgoing("b")])
        [a] = take(store, me, limit=1)

        store.resume(tasks=[CHARGE])
        store.settle([park(a)], lessee=me)

        assert (store.parked(), take_ids(store, me)) == ({}, ["a", "b"])

    def test_those_who_wait_are_woken_for_what_was_parked(self, subject: Subject, store: Store, me: Lessee) -> None:
        parked(store, me, "a")
        with Threads(store) as threads:
            waiting = threads.fetch(me)
            assert not ended(waiting)

            subject.another().resume(tasks=[CHARGE])

            assert ids_of(waiting) == ["a"]

    def test_a_lease_that_was_lost_parks_nothing(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.pause(tasks=[CHARGE])
        store.publish([an_outgoing("a")])
        [a] = take(store, me)
        store.adopt(me, by=heir)

        answers = store.settle([park(a)], lessee=me)

        assert (list(answers), store.parked()) == ([Settled.LEASE_LOST], {})

    def test_a_purge_drops_what_is_parked_and_what_has_come_back(self, store: Store, me: Lessee) -> None:
        parked(store, me, "ab")
        parked(store, me, "c", task=REFUND)
        parked(store, me, "d", queue="r")
        store.resume(tasks=[CHARGE])

        dropped = store.purge(["q"])

        assert (dropped, store.parked(), take_ids(store, me)) == (3, {}, [])
        assert take_ids(store, me, queues=("r",)) == ["d"]

    @pytest.mark.parametrize("task", ["", "spaced out", "täsk", "new\nline", "x" * 300])
    def test_any_name_can_be_parked(self, store: Store, me: Lessee, task: str) -> None:
        parked(store, me, "a", task=task)
        kept = dict(store.parked())

        store.resume(tasks=[task])

        assert (kept, take_ids(store, me)) == ({task: 1}, ["a"])
