# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on chords: parts by their place, each member once, one who is told that it was the last."""

from __future__ import annotations

import json

from msgspec.structs import replace

from celeriac.abc import Lessee, Store
from celeriac.core.message import Delivery
from celeriac.core.settlement import DeadLetter, Done, Join, Opening, Part, Requeue, Settled, Settlement
from celeriac.testing.conformance.subject import HOUR_S, Contract, Subject, a_result, alive, an_outgoing, id_of, take

APPLIED, JOINED, LEASE_LOST = Settled.APPLIED, Settled.JOINED, Settled.LEASE_LOST


def a_join(id: str, index: int | None, *, chord: str = "c", ttl_s: float | None = HOUR_S) -> Join:
    """Return the part of the member ``id``."""
    part = f'[1, "{id}", "SUCCESS", {index if index is not None else 99}]'
    return Join(chord, (Part(id, index, part.encode()),), ttl_s)


def joining(delivery: Delivery, index: int | None, *, chord: str = "c", ttl_s: float | None = HOUR_S) -> Settlement:
    """Return the settlement of a member that ended well."""
    return Settlement(tag=delivery.tag, fate=Done(), join=a_join(id_of(delivery), index, chord=chord, ttl_s=ttl_s))


def members(store: Store, lessee: Lessee, number: int) -> list[Delivery]:
    """Publish and fetch the members ``m0``, ``m1``, ... of a chord."""
    store.publish([an_outgoing(f"m{index}") for index in range(number)])
    return take(store, lessee, limit=number)


class Joining(Contract):
    """A chord is joined once, by whoever settles the member that was missing."""

    def test_the_last_part_is_answered_so_and_its_delivery_stays(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.open_chords([Opening("c", 2, HOUR_S)])
        first, second = members(store, me, 2)

        answers = [*store.settle([joining(first, 0)], lessee=me), *store.settle([joining(second, 1)], lessee=me)]

        assert answers == [APPLIED, JOINED]
        [held] = store.adopt(me, by=heir)
        assert (held.tag, id_of(held), held.joined) == (second.tag, "m1", True)

    def test_two_parts_of_one_batch_are_joined_once(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 2, HOUR_S)])
        first, second = members(store, me, 2)

        answers = store.settle([joining(second, 1), joining(first, 0)], lessee=me)

        assert list(answers) == [APPLIED, JOINED]

    def test_many_chords_are_opened_in_one_call_and_each_is_joined_for_itself(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening(f"c{number}", 1, HOUR_S) for number in range(1_500)])
        first, second = members(store, me, 2)

        answers = store.settle([joining(first, 0, chord="c0"), joining(second, 0, chord="c1499")], lessee=me)

        assert list(answers) == [JOINED, JOINED]
        assert [len(store.parts(chord) or ()) for chord in ("c0", "c1", "c1499")] == [1, 0, 1]

    def test_parts_are_returned_by_place_however_they_came(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 12, HOUR_S)])
        taken = members(store, me, 12)

        store.settle([joining(taken[index], index) for index in (11, 3, 0, 10, 2, 1, 9, 4, 8, 5, 7, 6)], lessee=me)

        assert [part.rsplit(b" ", 1)[1] for part in store.parts("c") or ()] == [f"{index}]".encode() for index in range(12)]

    def test_a_member_without_a_place_stands_last(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 2, HOUR_S)])
        first, second = members(store, me, 2)

        store.settle([joining(first, None), joining(second, 0)], lessee=me)

        assert [b"m1" in part for part in store.parts("c") or ()] == [True, False]

    def test_a_member_that_comes_twice_counts_once(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 2, HOUR_S)])
        [first] = members(store, me, 1)
        store.settle([joining(first, 0)], lessee=me)
        [again] = members(store, me, 1)

        answers = store.settle([joining(again, 0)], lessee=me)

        assert list(answers) == [APPLIED]
        assert len(store.parts("c") or ()) == 1

    def test_members_of_one_id_and_value_at_several_places_are_several_parts(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 7, HOUR_S)])
        deliveries = members(store, me, 7)
        places = (4, 0, 2, 5, 1, None, 3)
        same = [Join("c", (Part("m0", place, b'[1, "m0", "SUCCESS", 0]'),), HOUR_S) for place in places]

        answers = store.settle(
            [Settlement(tag=one.tag, fate=Done(), join=join) for one, join in zip(deliveries, same, strict=True)], lessee=me
        )

        assert list(answers) == [APPLIED] * 6 + [JOINED]
        assert [json.loads(part) for part in store.parts("c") or ()] == [[1, "m0", "SUCCESS", 0]] * 7

    def test_parts_may_come_before_it_is_said_how_many_there_are(self, store: Store, me: Lessee) -> None:
        first, second = members(store, me, 2)
        early = store.settle([joining(first, 0)], lessee=me)
        store.open_chords([Opening("c", 2, HOUR_S)])

        late = store.settle([joining(second, 1)], lessee=me)

        assert [*early, *late] == [APPLIED, JOINED]

    def test_a_member_may_add_others_and_the_chord_waits_for_each_of_them(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 2, HOUR_S)])
        first, second, third = members(store, me, 3)

        adds = replace(a_join("m0", 0), added=("m2",))
        answers = [
            *store.settle([Settlement(tag=first.tag, fate=Done(), join=adds)], lessee=me),
            *store.settle([joining(second, 1)], lessee=me),
            *store.settle([joining(third, None)], lessee=me),
        ]

        assert answers == [APPLIED, APPLIED, JOINED]
        assert [part.rsplit(b" ", 1)[1] for part in store.parts("c") or ()] == [b"0]", b"1]", b"99]"]

    def test_that_a_member_was_added_may_be_said_before_and_after_its_part(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 2, HOUR_S)])
        first, second, third = members(store, me, 3)

        answers = [
            *store.settle([Settlement(tag=third.tag, fate=Done(), join=replace(a_join("m2", None), added=("m2",)))], lessee=me),
            *store.settle([joining(second, 1)], lessee=me),
            *store.settle([Settlement(tag=first.tag, fate=Done(), join=Join("c", (), HOUR_S, ("m2",)))], lessee=me),
        ]

        assert answers == [APPLIED, APPLIED, APPLIED]
        [again] = members(store, me, 1)
        assert list(store.settle([joining(again, 0)], lessee=me)) == [JOINED]

    def test_the_answer_that_was_lost_is_given_again_and_nothing_is_done_twice(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, me, 1)
        settlement = Settlement(
            tag=only.tag,
            fate=Done(),
            join=a_join("m0", 0),
            result=a_result("m0"),
            followups=(an_outgoing("next", queue="after"),),
        )
        store.settle([settlement], lessee=me)

        answers = store.settle([settlement], lessee=me)

        assert list(answers) == [JOINED]
        assert list(store.depth(["after"])) == [1]

    def test_whoever_was_told_settles_what_follows_and_closes_the_chord(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, me, 1)
        store.settle([joining(only, 0)], lessee=me)
        end = Settlement(tag=only.tag, fate=Done(), followups=(an_outgoing("body", queue="after"),), closes="c")

        answers = store.settle([end, end], lessee=me)

        assert list(answers) == [APPLIED, LEASE_LOST]
        assert store.parts("c") is None
        assert list(store.adopt(me, by=heir)) == []
        assert list(store.depth(["after"])) == [1]

    def test_a_part_that_comes_after_the_end_changes_nothing(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, me, 1)
        store.settle([joining(only, 0)], lessee=me)
        store.settle([Settlement(tag=only.tag, fate=Done(), closes="c")], lessee=me)
        [late] = members(store, me, 1)

        answers = store.settle([joining(late, 0)], lessee=me)

        assert list(answers) == [APPLIED]
        assert store.parts("c") is None

    def test_parts_that_come_late_do_not_let_a_chord_that_is_over_begin_anew(
        self, subject: Subject, store: Store, me: Lessee
    ) -> None:
        ttl_s = subject.lease_s
        store.open_chords([Opening("c", 1, ttl_s)])
        only, late = members(store, me, 2)
        store.settle([joining(only, 0, ttl_s=ttl_s)], lessee=me)
        store.settle([Settlement(tag=only.tag, fate=Done(), closes="c")], lessee=me)

        # Longer than the chord would have lived, but no longer than is remembered that it is over.
        subject.advance(ttl_s * 1.5)
        answers = store.settle([joining(late, 0, ttl_s=ttl_s)], lessee=me)

        assert list(answers) == [APPLIED]
        assert store.parts("c") is None

    def test_a_dead_letter_may_be_the_last_part(self, store: Store, me: Lessee, heir: Lessee) -> None:
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, me, 1)

        answers = store.settle([Settlement(tag=only.tag, fate=DeadLetter("arguments"), join=a_join("m0", 0))], lessee=me)

        assert list(answers) == [JOINED]
        assert [letter.reason for letter in store.dead_letters()] == ["arguments"]
        assert [(id_of(held), held.joined) for held in store.adopt(me, by=heir)] == [("m0", True)]

    def test_without_a_lease_no_part_is_recorded(self, store: Store, me: Lessee, other: Lessee) -> None:
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, me, 1)

        answers = store.settle([joining(only, 0)], lessee=other)

        assert list(answers) == [LEASE_LOST]
        assert store.parts("c") == []

    def test_what_follows_passes_to_others_when_its_node_dies(self, subject: Subject, store: Store, me: Lessee) -> None:
        mortal = alive(store, "node-3", lease_s=subject.lease_s)
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, mortal, 1)
        store.settle([joining(only, 0)], lessee=mortal)
        subject.advance(subject.lease_s * 1.5)

        [held] = store.adopt(mortal, by=me)

        assert (held.tag, id_of(held), held.joined) == (only.tag, "m0", True)
        assert len(store.parts("c") or ()) == 1

    def test_further_results_are_stored_in_the_same_step(self, store: Store, me: Lessee) -> None:
        [only] = members(store, me, 1)
        own, later = a_result("m0", state="FAILURE"), a_result("m1", state="FAILURE")

        store.settle([Settlement(tag=only.tag, fate=Done(), result=own, further=(later,))], lessee=me)

        assert list(store.load(["m0", "m1"])) == [own.body, later.body]

    def test_a_chord_of_which_nobody_speaks_is_forgotten(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 2, subject.lease_s)])
        [first] = members(store, me, 1)
        store.settle([joining(first, 0, ttl_s=subject.lease_s)], lessee=me)

        subject.advance(subject.lease_s * 1.5)

        assert store.parts("c") == []

    def test_a_settlement_opens_chords_before_it_publishes_their_members(self, store: Store, me: Lessee) -> None:
        [before] = members(store, me, 1)
        opening = Opening("c", 1, HOUR_S)

        store.settle([Settlement(tag=before.tag, fate=Done(), opens=(opening,), followups=(an_outgoing("n0"),))], lessee=me)
        [only] = take(store, me)

        assert list(store.settle([joining(only, 0)], lessee=me)) == [JOINED]

    def test_a_repeat_of_that_opens_nothing_anew_and_a_caller_who_sends_the_same_again_does(
        self, store: Store, me: Lessee
    ) -> None:
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, me, 1)
        store.settle([joining(only, 0)], lessee=me)
        store.settle([Settlement(tag=only.tag, fate=Done(), closes="c")], lessee=me)
        repeat, late = members(store, me, 2)

        repeated = store.settle([Settlement(tag=repeat.tag, fate=Done(), opens=(Opening("c", 1, HOUR_S),))], lessee=me)
        too_late = store.settle([joining(late, 1)], lessee=me)
        store.open_chords([Opening("c", 1, HOUR_S)])
        [again] = members(store, me, 1)

        assert [*repeated, *too_late] == [APPLIED, APPLIED]
        assert list(store.settle([joining(again, 0)], lessee=me)) == [JOINED]

    def test_a_joined_delivery_may_go_back_and_is_an_ordinary_message_then(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 1, HOUR_S)])
        [only] = members(store, me, 1)
        store.settle([joining(only, 0)], lessee=me)

        store.settle([Settlement(tag=only.tag, fate=Requeue())], lessee=me)

        assert [(id_of(one), one.joined) for one in take(store, me)] == [("m0", False)]

    def test_several_parts_may_come_with_one_settlement(self, store: Store, me: Lessee) -> None:
        store.open_chords([Opening("c", 3, HOUR_S)])
        first, second = members(store, me, 2)
        two = Join("c", tuple(part for index in (2, 1) for part in a_join(f"x{index}", index).parts), HOUR_S)

        answers = store.settle([joining(first, 0), Settlement(tag=second.tag, fate=Done(), join=two)], lessee=me)

        assert list(answers) == [APPLIED, JOINED]
        assert [part.rsplit(b" ", 1)[1] for part in store.parts("c") or ()] == [b"0]", b"1]", b"2]"]
