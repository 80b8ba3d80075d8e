# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on publish, fetch, order and the schedule."""

from __future__ import annotations

from celeriac.abc import Lessee, Store
from celeriac.core import envelope
from celeriac.core.message import Parcel
from celeriac.testing.conformance.subject import HOUR_S, Contract, Subject, alive, an_outgoing, done, take, take_ids

HUNDRED_YEARS_S = 100 * 365 * 86400.0


class Publishing(Contract):
    """What is published is fetched: all of it, as it was, in order, when it is due."""

    def test_a_message_arrives_as_it_was_sent(self, store: Store, me: Lessee) -> None:
        sent = an_outgoing("a", body=bytes(range(256)))

        store.publish([sent])

        [delivery] = take(store, me)
        assert isinstance(delivery.parcel, Parcel)
        assert delivery.queue == "q"
        assert (delivery.parcel.body, delivery.parcel.headers) == (sent.parcel.body, sent.parcel.headers)
        assert delivery.parcel.content_type == sent.parcel.content_type
        assert delivery.parcel.content_encoding == sent.parcel.content_encoding

    def test_a_large_message_arrives_whole(self, store: Store, me: Lessee) -> None:
        body = b"x" * 3_000_000

        store.publish([an_outgoing("a"), an_outgoing("b", body=body), an_outgoing("c")])

        # Large messages come fewer at a time.
        [_, delivery, _] = [each for _ in range(3) for each in take(store, me)]
        assert isinstance(delivery.parcel, Parcel)
        assert delivery.parcel.body == body

    def test_a_queue_is_served_in_the_order_of_publishing(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        store.publish([an_outgoing("c")])

        ids = take_ids(store, me)

        assert ids == ["a", "b", "c"]

    def test_a_batch_of_thousands_goes_in_whole_and_in_order(self, store: Store, me: Lessee) -> None:
        sent = [f"id-{number}" for number in range(3000)]

        store.publish([an_outgoing(id) for id in sent])

        assert store.depth(["q"]) == [3000]
        assert [id for _ in range(3) for id in take_ids(store, me, limit=1000)] == sent

    def test_nothing_to_do_is_done(self, store: Store, me: Lessee) -> None:
        store.publish([])
        store.store_results([])
        store.forget([])
        store.revoke([])

        answers = [store.settle([], lessee=me), store.load([]), store.depth([])]

        assert [list(answer) for answer in answers] == [[], [], []]
        assert (store.purge([]), store.replay([]), store.purge_dead([])) == (0, 0, 0)

    def test_the_lowest_priority_number_comes_first(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing(f"p{priority}", priority=priority) for priority in (9, 0, 6, 3)])

        ids = take_ids(store, me)

        assert ids == ["p0", "p3", "p6", "p9"]

    def test_priority_counts_across_queues_before_their_order(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("late", queue="q", priority=9), an_outgoing("urgent", queue="r", priority=0)])

        ids = take_ids(store, me, queues=("q", "r"))

        assert ids == ["urgent", "late"]

    def test_what_is_scheduled_for_some_queues_can_be_looked_at_the_earliest_first(self, subject: Subject, store: Store) -> None:
        dates = {hours: subject.later(hours * HOUR_S) for hours in (3, 1, 2)}
        store.publish([an_outgoing(f"in-{hours}", eta=eta) for hours, eta in dates.items()])
        store.publish([an_outgoing("elsewhere", queue="r", eta=subject.later(60))])

        found = store.dated(["q", "none"])

        assert [each.queue for each in found] == ["q", "q", "q"]
        assert [round(each.due - dates[hours].timestamp(), 1) for each, hours in zip(found, (1, 2, 3), strict=True)] == [0, 0, 0]
        parcels = [envelope.unpack(each.raw) for each in store.dated(["r", "q"], limit=2)]
        assert [parcel.headers["id"] for parcel in parcels if isinstance(parcel, Parcel)] == ["elsewhere", "in-1"]
        assert (store.dated([]), store.scheduled()) == ([], 4)

    def test_what_is_scheduled_for_some_queues_can_be_hastened_the_earliest_first(
        self, store: Store, subject: Subject, me: Lessee
    ) -> None:
        store.publish([an_outgoing(f"in-{hours}", eta=subject.later(hours * HOUR_S)) for hours in (3, 1, 2)])
        store.publish([an_outgoing("elsewhere", queue="r", eta=subject.later(HOUR_S))])

        moved = (store.hasten(["q"], limit=2), store.hasten(["q"]), store.hasten(["q"]), store.hasten([]))

        assert moved == (2, 1, 0, 0)
        assert take_ids(store, me) == ["in-1", "in-2", "in-3"]
        assert store.scheduled() == 1

    def test_queues_are_tried_in_the_order_given(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("in-q", queue="q"), an_outgoing("in-r", queue="r")])

        ids = take_ids(store, me, queues=("r", "q"))

        assert ids == ["in-r", "in-q"]

    def test_only_the_named_queues_are_served(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("theirs", queue="r")])

        ids = take_ids(store, me, queues=("q",))

        assert ids == []
        assert store.depth(["q", "r", "unheard-of"]) == [0, 1, 0]

    def test_a_fetch_takes_no_more_than_its_limit_and_says_that_there_is_more(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b"), an_outgoing("c")])

        first = store.fetch(["q"], lessee=me, limit=2, wait_s=0)
        rest = store.fetch(["q"], lessee=me, limit=2, wait_s=0)

        assert (len(first.deliveries), first.more) == (2, True)
        assert (len(rest.deliveries), rest.more) == (1, False)

    def test_tags_grow(self, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing(id) for id in "abcd"])

        tags = [delivery.tag for lessee in (me, other, me, me) for delivery in take(store, lessee, limit=1)]

        mine = [tags[0], *tags[2:]]
        assert mine == sorted(set(mine))
        assert len(set(tags)) == 4

    def test_two_objects_see_the_same_storage(self, subject: Subject, store: Store, me: Lessee) -> None:
        another = subject.another()
        store.publish([an_outgoing("a")])

        [delivery] = take(another, me)

        assert store.depth(["q"]) == [0]
        assert len(another.settle([done(delivery)], lessee=me)) == 1

    def test_a_store_that_was_closed_connects_anew(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])

        store.close()

        assert take_ids(store, me) == ["a"]

    def test_a_message_whose_eta_has_passed_goes_to_its_queue_at_once(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a", eta=subject.later(-HOUR_S))])

        ids = take_ids(store, me)

        assert ids == ["a"]
        assert store.scheduled() == 0

    def test_a_message_with_an_eta_waits_in_the_schedule(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a", eta=subject.later(HOUR_S))])

        pulse = store.keep(me.node, name="n", info={}, queues=["q"], lease_s=HOUR_S)

        assert take(store, me) == []
        assert (store.scheduled(), store.depth(["q"])) == (1, [0])
        assert pulse.next_due is not None
        assert abs(pulse.next_due - HOUR_S) < 60  # a server may count in milliseconds, and on a clock of its own

    def test_there_is_no_upper_bound_on_the_delay(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a", eta=subject.later(HUNDRED_YEARS_S))])

        pulse = store.keep(me.node, name="n", info={}, queues=["q"], lease_s=HOUR_S)

        assert store.scheduled() == 1
        assert pulse.next_due is not None
        assert abs(pulse.next_due - HUNDRED_YEARS_S) < HOUR_S

    def test_what_is_due_goes_to_its_queue_with_the_next_keep(self, subject: Subject, store: Store) -> None:
        store.publish([an_outgoing("far", eta=subject.later(HOUR_S))])
        store.publish([an_outgoing("near", priority=3, eta=subject.later(subject.lease_s))])
        subject.advance(subject.lease_s * 1.1)

        me = alive(store, "node-1")

        assert take_ids(store, me) == ["near"]
        assert store.scheduled() == 1

    def test_what_was_delayed_keeps_its_priority(self, subject: Subject, store: Store) -> None:
        eta = subject.later(subject.lease_s)
        store.publish([an_outgoing("p9", priority=9, eta=eta), an_outgoing("p0", priority=0, eta=eta)])
        subject.advance(subject.lease_s * 1.1)

        me = alive(store, "node-1")

        assert take_ids(store, me) == ["p0", "p9"]

    def test_two_equal_messages_in_the_schedule_are_two(self, subject: Subject, store: Store) -> None:
        twin = an_outgoing("twin", eta=subject.later(HOUR_S))

        store.publish([twin, twin])

        assert store.scheduled() == 2

    def test_an_empty_schedule_has_no_next_date(self, store: Store) -> None:
        pulse = store.keep("node-1", name="n", info={}, queues=["q"])

        assert pulse.next_due is None
        assert list(pulse.orphans) == []
