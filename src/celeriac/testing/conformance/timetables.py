# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter on timetables: an entry moves and its messages are published in one step, once, whoever read the same record.

Of its own: a driver that keeps no timetables leaves it out. Does not know: drivers.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, cast

import pytest

from celeriac.abc import Store, Timetable, Timetables
from celeriac.core.message import Outgoing
from celeriac.core.schedules.timetable import Change, Record
from celeriac.testing.conformance.subject import HOUR_S, Contract, Subject, alive, an_outgoing, take_ids


class _Keeps(Store, Timetables, Protocol):
    """A store with timetables."""


def timetable_of(store: Store, name: str = "shop") -> Timetable:
    """Return one of its timetables."""
    return cast("_Keeps", store).timetable(name)


def added(name: str, *, due: float | None = 0.0, entry: bytes = b"what", state: bytes = b"new") -> Change:
    """Return the change that adds an entry."""
    return Change(name=name, seen=0, entry=entry, state=state, due=due)


def ticked(record: Record, *messages: Outgoing, due: float | None = None, state: bytes = b"ticked") -> Change:
    """Return the change that is a tick of an entry."""
    return Change(name=record.name, seen=record.revision, state=state, due=due, messages=messages)


def the(timetable: Timetable, name: str) -> Record:
    """Return an entry that is there."""
    [record] = timetable.read([name])
    assert record is not None
    return record


def names_of(records: Sequence[Record]) -> list[str]:
    """Return the names of records."""
    return [record.name for record in records]


class KeepingTimetables(Contract):
    """See ``abc.Timetable``."""

    @pytest.fixture
    def timetable(self, store: Store) -> Timetable:
        """Return an empty timetable."""
        return timetable_of(store)

    def test_an_entry_is_kept_as_it_was_given(self, timetable: Timetable) -> None:
        assert timetable.change([added("a", due=1234.567, entry=b"\x00\n\xff", state=b"1\n2")]) == [True]

        record = the(timetable, "a")

        assert (record.name, record.entry, record.state, record.due) == ("a", b"\x00\n\xff", b"1\n2", 1234.567)
        assert record.revision > 0
        assert timetable.read(["a", "b"]) == [record, None]
        assert timetable.read([]) == []

    def test_an_entry_that_is_there_is_not_added_again(self, timetable: Timetable) -> None:
        timetable.change([added("a", entry=b"first")])

        assert timetable.change([added("a", entry=b"second")]) == [False]
        assert the(timetable, "a").entry == b"first"

    def test_a_change_that_names_no_entry_leaves_it_as_it_is(self, timetable: Timetable) -> None:
        timetable.change([added("a", entry=b"kept")])

        timetable.change([ticked(the(timetable, "a"), state=b"later", due=7.5)])

        record = the(timetable, "a")
        assert (record.entry, record.state, record.due) == (b"kept", b"later", 7.5)

    def test_of_two_changes_of_one_revision_one_is_carried_out_with_its_messages(self, subject: Subject) -> None:
        here, there = timetable_of(subject.store), timetable_of(subject.another())
        here.change([added("a")])
        record = the(here, "a")

        first = here.change([ticked(record, an_outgoing("first"), due=1.0)])
        second = there.change([ticked(record, an_outgoing("second"), due=2.0)])

        assert (list(first), list(second)) == ([True], [False])
        assert the(there, "a").due == 1.0
        assert take_ids(subject.store, alive(subject.store, "node-1")) == ["first"]

    def test_each_change_stands_for_itself(self, timetable: Timetable, store: Store) -> None:
        timetable.change([added("a"), added("b")])
        old_a, b = the(timetable, "a"), the(timetable, "b")
        timetable.change([ticked(old_a)])

        said = timetable.change([ticked(old_a, an_outgoing("no")), ticked(b, an_outgoing("1"), an_outgoing("2"))])

        assert list(said) == [False, True]
        assert take_ids(store, alive(store, "node-1")) == ["1", "2"]

    def test_a_message_with_a_date_enters_the_schedule(self, timetable: Timetable, store: Store, subject: Subject) -> None:
        timetable.change([added("a")])

        timetable.change([ticked(the(timetable, "a"), an_outgoing("later", eta=subject.later(HOUR_S)))])

        assert store.scheduled() == 1

    def test_an_entry_that_was_removed_and_added_again_has_another_revision(self, timetable: Timetable) -> None:
        timetable.change([added("a")])
        old = the(timetable, "a")
        assert timetable.remove(["a", "nobody"]) == 1

        timetable.change([added("a")])

        assert timetable.change([ticked(old)]) == [False]
        assert the(timetable, "a").state == b"new"

    def test_what_was_removed_is_gone(self, timetable: Timetable) -> None:
        timetable.change([added("a"), added("b")])
        old = the(timetable, "a")

        timetable.remove(["a"])

        assert timetable.read(["a"]) == [None]
        assert names_of(timetable.page()) == ["b"]
        assert names_of(timetable.attend("me", lease_s=HOUR_S, limit=10).records) == ["b"]
        assert timetable.count() == 1
        assert timetable.change([ticked(old)]) == [False]

    def test_the_leader_reads_what_is_due_the_longest_due_first(self, timetable: Timetable, subject: Subject) -> None:
        now = timetable.attend("me", lease_s=HOUR_S, limit=10).now
        timetable.change([added("late", due=now - 1), added("later", due=now - 2), added("never", due=None)])
        timetable.change([added("to come", due=now + HOUR_S)])

        agenda = timetable.attend("me", lease_s=HOUR_S, limit=10)

        assert names_of(agenda.records) == ["later", "late"]
        assert agenda.next_due == pytest.approx(now + HOUR_S, abs=0.001)
        assert agenda.leader == "me"
        assert agenda.now == pytest.approx(subject.runtime.time(), abs=5.0)

    def test_more_is_due_than_was_asked_for(self, timetable: Timetable) -> None:
        now = timetable.attend("me", lease_s=HOUR_S, limit=10).now
        timetable.change([added(str(number), due=now - 10 + number) for number in range(5)])

        agenda = timetable.attend("me", lease_s=HOUR_S, limit=2)

        assert names_of(agenda.records) == ["0", "1"]
        assert agenda.next_due == pytest.approx(now - 8, abs=0.001)
        assert list(timetable.attend("me", lease_s=HOUR_S, limit=0).records) == []

    def test_reading_what_is_due_moves_nothing(self, timetable: Timetable) -> None:
        timetable.change([added("a", due=1.0)])

        first = timetable.attend("me", lease_s=HOUR_S, limit=10)
        second = timetable.attend("me", lease_s=HOUR_S, limit=10)

        assert list(first.records) == list(second.records)

    def test_there_is_one_leader_until_it_resigns(self, timetable: Timetable) -> None:
        timetable.change([added("a", due=1.0)])

        assert timetable.attend("me", lease_s=HOUR_S, limit=10).leader == "me"
        other = timetable.attend("other", lease_s=HOUR_S, limit=10)
        assert (other.leader, list(other.records), other.next_due) == ("me", [], None)
        timetable.resign("other")
        assert timetable.attend("other", lease_s=HOUR_S, limit=10).leader == "me"
        timetable.resign("me")
        assert names_of(timetable.attend("other", lease_s=HOUR_S, limit=10).records) == ["a"]

    def test_who_asks_for_a_shorter_lease_does_not_lead_sooner(self, timetable: Timetable) -> None:
        timetable.attend("me", lease_s=HOUR_S, limit=0)

        assert timetable.attend("other", lease_s=0.001, limit=0).leader == "me"

    def test_a_leader_that_says_nothing_is_one_no_longer(self, timetable: Timetable, subject: Subject) -> None:
        timetable.attend("me", lease_s=subject.lease_s, limit=0)

        subject.advance(subject.lease_s * 1.1)

        assert timetable.attend("other", lease_s=HOUR_S, limit=0).leader == "other"
        assert timetable.attend("me", lease_s=HOUR_S, limit=0).leader == "other"

    def test_pages_follow_the_order_of_names(self, timetable: Timetable) -> None:
        names = [f"entry-{number:03}" for number in range(7)]
        timetable.change([added(name) for name in reversed(names)])

        first = timetable.page(limit=3)
        second = timetable.page(after=first[-1].name, limit=10)

        assert names_of(first) + names_of(second) == names
        assert timetable.page(after=names[-1]) == []
        assert timetable.count() == 7

    def test_timetables_know_nothing_of_each_other(self, store: Store) -> None:
        shop, bank = timetable_of(store, "shop"), timetable_of(store, "bank")
        shop.change([added("a", due=1.0)])

        assert list(bank.attend("me", lease_s=HOUR_S, limit=10).records) == []
        assert shop.attend("other", lease_s=HOUR_S, limit=10).leader == "other"
        assert bank.read(["a"]) == [None]
        assert bank.change([added("a")]) == [True]
        assert bank.remove(["a"]) == 1
        assert shop.count() == 1

    def test_of_many_who_try_at_once_one_succeeds(self, subject: Subject) -> None:
        store = subject.store
        timetable = timetable_of(store)
        timetable.change([added(str(number)) for number in range(20)])
        records = [the(timetable, str(number)) for number in range(20)]

        def try_all(who: int) -> int:
            mine = timetable_of(store if who % 2 else subject.another())
            return sum(mine.change([ticked(record, an_outgoing(f"{record.name} of {who}"))])[0] for record in records)

        with ThreadPoolExecutor(8) as pool:
            won = sum(pool.map(try_all, range(8)))

        assert won == 20
        sent = take_ids(store, alive(store, "node-1"))
        assert sorted(id.partition(" ")[0] for id in sent) == sorted(record.name for record in records)
