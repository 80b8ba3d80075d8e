# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on what people look after: dead letters, garbage, purges, revocations."""

from __future__ import annotations

import pytest

from celeriac.abc import DeadRecord, Lessee, Store
from celeriac.core.message import Rejected
from celeriac.core.settlement import Settled
from celeriac.testing.conformance.subject import HOUR_S, Contract, Subject, an_outgoing, dead, done, id_of, take, take_ids

GARBAGE = (b"", b"\x00\xff\xfe", b"{", b"[]", b'"text"', b'{"body": 7}', b"[" * 100_000, b'{"headers": {}, "properties": []}\n\n')


def die(store: Store, lessee: Lessee, ids: str) -> list[DeadRecord]:
    """Publish a message for each letter of ``ids`` and let it become a dead letter."""
    store.publish([an_outgoing(id, priority=3) for id in ids])
    store.settle([dead(delivery) for delivery in take(store, lessee)], lessee=lessee)
    return list(store.dead_letters())


class DeadLettersAndPurges(Contract):
    """What cannot go on is kept with its reason, until a person says otherwise."""

    def test_a_dead_letter_tells_what_it_was_and_why_it_died(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)
        store.settle([dead(delivery, reason="worker-lost")], lessee=me)

        [record] = store.dead_letters()

        assert (record.queue, record.reason, record.detail) == ("q", "worker-lost", "It was not wanted.")
        assert (record.task, record.task_id, record.raw) == ("shop.charge", "a", delivery.raw)
        assert abs(record.at - subject.runtime.time()) < 60
        assert store.dead_letter(record.id) == record

    @pytest.mark.parametrize("id", ["4711", "", "nonsense"])
    def test_an_unknown_dead_letter_is_none(self, store: Store, me: Lessee, id: str) -> None:
        die(store, me, "a")

        record = store.dead_letter(id)

        assert record is None
        assert (store.replay([id]), store.purge_dead([id])) == (0, 0)

    def test_dead_letters_are_listed_page_by_page_the_oldest_first(self, store: Store, me: Lessee) -> None:
        die(store, me, "abcde")

        first = store.dead_letters(limit=2)
        second = store.dead_letters(limit=2, after=first[-1].id)
        third = store.dead_letters(limit=2, after=second[-1].id)
        end = store.dead_letters(limit=2, after=third[-1].id)

        assert [[record.task_id for record in page] for page in (first, second, third, end)] == [
            ["a", "b"],
            ["c", "d"],
            ["e"],
            [],
        ]

    def test_a_page_may_begin_after_a_letter_that_is_gone(self, store: Store, me: Lessee) -> None:
        records = die(store, me, "abc")

        store.purge_dead([records[1].id])

        assert [record.task_id for record in store.dead_letters(after=records[1].id)] == ["c"]

    def test_replayed_letters_go_to_the_back_of_their_queue(self, store: Store, me: Lessee) -> None:
        a, b, c = die(store, me, "abc")
        store.publish([an_outgoing("waiting", priority=3)])

        count = store.replay([a.id, c.id])

        again = take(store, me)
        assert (count, [id_of(delivery) for delivery in again]) == (2, ["waiting", "a", "c"])
        assert [delivery.raw for delivery in again[1:]] == [a.raw, c.raw]
        assert list(store.dead_letters()) == [b]

    def test_a_replayed_letter_keeps_its_priority(self, store: Store, me: Lessee) -> None:
        [record] = die(store, me, "a")
        store.publish([an_outgoing("late", priority=9), an_outgoing("early", priority=0)])

        store.replay([record.id])

        assert take_ids(store, me) == ["early", "a", "late"]

    def test_dead_letters_are_purged_by_id_or_all_of_them(self, store: Store, me: Lessee) -> None:
        a, b, c, d = die(store, me, "abcd")

        some = store.purge_dead([a.id, c.id, c.id])
        left = list(store.dead_letters())
        rest = store.purge_dead()

        assert (some, left, rest) == (2, [b, d], 2)
        assert list(store.dead_letters()) == []

    @pytest.mark.parametrize("raw", GARBAGE, ids=range(len(GARBAGE)))
    def test_garbage_is_delivered_as_such_and_can_be_buried(self, subject: Subject, store: Store, me: Lessee, raw: bytes) -> None:
        subject.inject("q", raw)
        store.publish([an_outgoing("good")])

        garbage, good = take(store, me)
        answers = store.settle([dead(garbage, reason="malformed"), done(good)], lessee=me)

        assert isinstance(garbage.parcel, Rejected)
        assert (garbage.raw, id_of(good), list(answers)) == (raw, "good", [Settled.APPLIED] * 2)
        assert [record.raw for record in store.dead_letters()] == [raw]

    def test_garbage_goes_back_as_it_was(self, subject: Subject, store: Store, me: Lessee, heir: Lessee) -> None:
        subject.inject("q", b"\n\x00garbage\n")
        take(store, me)
        [adopted] = store.adopt(me, by=heir)

        store.settle([dead(adopted)], lessee=heir)
        store.replay([record.id for record in store.dead_letters()])

        assert [delivery.raw for delivery in take(store, me)] == [b"\n\x00garbage\n"]

    def test_a_purge_drops_what_waits_and_what_is_scheduled_for_a_queue(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("leased")])
        [leased] = take(store, me)
        store.publish([an_outgoing("a"), an_outgoing("b", priority=9), an_outgoing("c", eta=subject.later(HOUR_S))])
        store.publish([an_outgoing("d", queue="r"), an_outgoing("e", queue="r", eta=subject.later(HOUR_S))])

        dropped = store.purge(["q"])

        assert (dropped, store.depth(["q", "r"]), store.scheduled()) == (3, [0, 1], 1)
        assert list(store.settle([done(leased)], lessee=me)) == [Settled.APPLIED]

    def test_leased_and_scheduled_messages_do_not_count_as_waiting(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b"), an_outgoing("c", eta=subject.later(HOUR_S))])

        take(store, me, limit=1)

        assert (list(store.depth(["q"])), store.scheduled()) == ([1], 1)


class Revoking(Contract):
    """What was revoked is known to every fetch that comes later."""

    def test_a_revocation_raises_the_revision_that_fetch_tells(self, store: Store, me: Lessee) -> None:
        before = store.fetch(["q"], lessee=me, limit=1, wait_s=0).revision

        store.revoke(["a", "b"])
        after = store.fetch(["q"], lessee=me, limit=1, wait_s=0).revision
        store.revoke(["c"])
        later = store.fetch(["q"], lessee=me, limit=1, wait_s=0).revision

        assert before < after < later
        assert store.rules().revoked == frozenset("abc")

    def test_the_revision_comes_with_deliveries_too(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])
        before = store.fetch(["r"], lessee=me, limit=1, wait_s=0).revision
        store.revoke(["a"])

        fetched = store.fetch(["q"], lessee=me, limit=1, wait_s=0)

        assert len(fetched.deliveries) == 1
        assert fetched.revision > before

    def test_a_revocation_ends_with_its_time(self, subject: Subject, store: Store) -> None:
        store.revoke(["short"], ttl_s=subject.lease_s)
        store.revoke(["long"], ttl_s=HOUR_S)

        subject.advance(subject.lease_s * 1.1)

        assert store.rules().revoked == frozenset({"long"})

    def test_fifty_thousand_revocations_are_remembered(self, store: Store) -> None:
        ids = [f"id-{number}" for number in range(50_000)]

        store.revoke(ids[:25_000])
        store.revoke(ids[25_000:])

        assert store.rules().revoked == frozenset(ids)
