# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on where the messages of one task lie."""

from __future__ import annotations

import pytest

from celeriac.abc import DeadRecord, Held, Lessee, Parked, Scheduled, Store, Waiting
from celeriac.testing.conformance.pausing import CHARGE, parked
from celeriac.testing.conformance.subject import HOUR_S, Contract, Subject, an_outgoing, dead, id_of, take


class Searching(Contract):
    """Somebody asks where a task is."""

    def test_of_an_unknown_id_there_is_nothing(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("aa")])
        take(store, me, limit=1)

        assert list(store.whereabouts("b", queues=["q"])) == []

    def test_a_waiting_message_has_so_many_before_it(self, store: Store) -> None:
        store.publish([an_outgoing("low", priority=9), an_outgoing("first"), an_outgoing("a"), an_outgoing("r", queue="r")])

        places = [store.whereabouts(id, queues=["q", "r"]) for id in ("first", "a", "low", "r")]

        assert [[(place.queue, place.ahead) for place in found if isinstance(place, Waiting)] for found in places] == [
            [("q", 0)],
            [("q", 1)],
            [("q", 2)],
            [("r", 0)],
        ]

    def test_its_bytes_are_those_that_are_delivered(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])

        [place] = store.whereabouts("a", queues=["q"])

        assert [delivery.raw for delivery in take(store, me)] == [place.raw]

    def test_a_message_in_the_schedule_has_its_date(self, subject: Subject, store: Store) -> None:
        later = subject.later(HOUR_S)
        store.publish([an_outgoing("a", eta=later), an_outgoing("b", eta=later)])

        [place] = store.whereabouts("a", queues=["q"])

        assert isinstance(place, Scheduled)
        assert place.queue == "q"
        assert place.due == pytest.approx(later.timestamp(), abs=0.002)

    def test_a_leased_message_has_its_lessee_and_how_long_the_lease_runs(self, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        take(store, other, limit=1)
        [b] = take(store, me)

        [place] = store.whereabouts("b", queues=["q"])

        assert isinstance(place, Held)
        assert (place.lessee, place.tag, place.queue, place.joined) == (me, b.tag, "q", False)
        assert place.node == f"celery@{me.node}"
        assert place.lease_s == pytest.approx(HOUR_S, abs=60)

    def test_a_parked_message_has_its_type_and_those_that_are_older(self, store: Store, me: Lessee) -> None:
        parked(store, me, "abc")
        parked(store, me, "d", queue="r")

        places = [store.whereabouts(id, queues=["q", "r"]) for id in "cd"]

        assert [[(place.task, place.queue, place.ahead) for place in found if isinstance(place, Parked)] for found in places] == [
            [(CHARGE, "q", 2)],
            [(CHARGE, "r", 0)],
        ]

    def test_what_has_come_back_waits_before_what_came_later(self, store: Store, me: Lessee) -> None:
        parked(store, me, "ab")
        store.publish([an_outgoing("c")])
        store.resume(tasks=[CHARGE])

        places = [place for id in "bc" for place in store.whereabouts(id, queues=["q"])]

        assert [place.ahead for place in places if isinstance(place, Waiting)] == [1, 2]

    def test_a_dead_letter_is_found_too(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("b")])
        store.settle([dead(delivery) for delivery in take(store, me)], lessee=me)

        [place] = store.whereabouts("b", queues=["q"])

        assert isinstance(place, DeadRecord)
        assert place == store.dead_letters()[1]

    def test_all_copies_are_found(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a"), an_outgoing("a"), an_outgoing("a", eta=subject.later(HOUR_S))])
        take(store, me, limit=1)

        places = store.whereabouts("a", queues=["q"])

        assert sorted(type(place).__name__ for place in places) == ["Held", "Scheduled", "Waiting"]

    @pytest.mark.parametrize("id", ["täsk", 'quo"ted', "back\\slash", "new\nline", "😀", "%_*?["])
    def test_any_id_can_be_asked_for(self, store: Store, id: str) -> None:
        store.publish([an_outgoing("other"), an_outgoing(id)])

        [place] = store.whereabouts(id, queues=["q"])

        assert isinstance(place, Waiting)
        assert place.ahead == 1

    def test_one_of_many_is_found(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing(f"id-{number}") for number in range(2500)])
        held = {id_of(delivery) for delivery in take(store, me, limit=700)}

        places = [store.whereabouts(f"id-{number}", queues=["q"]) for number in (699, 700, 2499)]

        assert len(held) == 700
        assert [[type(place).__name__ for place in found] for found in places] == [["Held"], ["Waiting"], ["Waiting"]]
        assert [place.ahead for found in places for place in found if isinstance(place, Waiting)] == [0, 1799]
