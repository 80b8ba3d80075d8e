"""A timetable whose messages go to another broker: no tick is lost between the two, and where there is no place none is begun."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from celeriac.abc import Lessee, Timetable
from celeriac.core.errors import BrokerUnreachable, ImproperlyConfigured, StoreRefused
from celeriac.core.message import Outgoing
from celeriac.core.schedules.timetable import Change, Record
from celeriac.drivers.memory.store import MemoryStore
from celeriac.drivers.outboxed import REFUSED_S, Outboxed
from celeriac.drivers.pair import Pair
from celeriac.drivers.registry import open_timetable
from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.conformance.subject import alive, an_outgoing, take_ids


class PlainBroker:
    """A broker that keeps no timetables."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name == "timetable":
            raise AttributeError(name)
        return getattr(self._store, name)


class Failing:
    """Publishes, or does not."""

    def __init__(self, store: MemoryStore) -> None:
        self.store, self.fails = store, False

    def __call__(self, messages: Sequence[Outgoing]) -> None:
        if self.fails:
            raise BrokerUnreachable("the broker is away")
        self.store.publish(messages)


class Picky(Failing):
    """Refuses one message, whatever happens."""

    def __call__(self, messages: Sequence[Outgoing]) -> None:
        if self.fails and any(message.id == "refused" for message in messages):
            raise StoreRefused("too large")
        self.store.publish(messages)


@pytest.fixture
def runtime() -> VirtualRuntime:
    return VirtualRuntime(seed=1)


@pytest.fixture
def broker(runtime: VirtualRuntime) -> MemoryStore:
    return MemoryStore(runtime=runtime)


@pytest.fixture
def results(runtime: VirtualRuntime) -> MemoryStore:
    return MemoryStore(runtime=runtime)


def add(timetable: Timetable) -> Record:
    timetable.change([Change(name="a", seen=0, entry=b"what", state=b"new", due=1.0)])
    return the(timetable)


def the(timetable: Timetable) -> Record:
    [record] = timetable.read(["a"])
    assert record is not None
    return record


def ticked(record: Record) -> Change:
    return Change(name="a", seen=record.revision, state=b"ticked", due=9e9, messages=[an_outgoing("tick")])


def test_a_tick_moves_the_entry_and_its_message_reaches_the_broker(broker: MemoryStore, results: MemoryStore) -> None:
    timetable = Outboxed(results.timetable("t"), broker.publish)
    record = add(timetable)

    assert timetable.change([ticked(record)]) == [True]
    assert timetable.change([ticked(record)]) == [False]

    assert take_ids(broker, alive(broker, "n")) == ["tick"]
    assert (the(timetable).state, the(timetable).due) == (b"ticked", 9e9)


def test_a_message_that_is_refused_keeps_no_other_from_being_sent_and_is_tried_again(
    broker: MemoryStore, results: MemoryStore, runtime: VirtualRuntime
) -> None:
    publish = Picky(broker)
    timetable = Outboxed(results.timetable("t"), publish)
    timetable.change([Change(name=name, seen=0, entry=b"what", state=b"new", due=1.0) for name in ("bad", "good")])
    records = timetable.read(["bad", "good"])
    publish.fails = True

    with pytest.raises(StoreRefused):
        timetable.change(
            [
                Change(name=record.name, seen=record.revision, state=b"ticked", due=9e9, messages=[an_outgoing(id)])
                for record, id in zip(records, ("refused", "sent"), strict=True)
                if record is not None
            ]
        )
    assert take_ids(broker, alive(broker, "n")) == ["sent"]
    assert timetable.attend("me", lease_s=3, limit=10).records == []
    [held, _] = timetable.read(["bad", "good"])
    assert held is not None
    assert held.state == b"ticked"
    assert timetable.change([Change(name="bad", seen=held.revision, state=b"other", due=None)]) == [False]

    publish.fails = False
    runtime.advance(REFUSED_S + 1)
    timetable.attend("me", lease_s=3, limit=10)
    assert take_ids(broker, alive(broker, "m")) == ["refused"]


def test_a_message_that_could_not_be_published_is_published_by_whoever_leads_next(
    broker: MemoryStore, results: MemoryStore
) -> None:
    publish = Failing(broker)
    mine, theirs = Outboxed(results.timetable("t"), publish), Outboxed(results.timetable("t"), publish)
    record = add(mine)
    publish.fails = True
    with pytest.raises(BrokerUnreachable):
        mine.change([ticked(record)])
    assert (mine.page()[0].state, mine.page()[0].due) == (b"ticked", 9e9)  # as its scheduler wrote it
    publish.fails = False

    agenda = theirs.attend("other", lease_s=3, limit=10)

    assert list(agenda.records) == []
    assert take_ids(broker, alive(broker, "n")) == ["tick"]
    assert mine.change([ticked(record)]) == [False]


def test_who_reads_an_entry_to_change_it_loses_no_message(broker: MemoryStore, results: MemoryStore) -> None:
    publish = Failing(broker)
    timetable = Outboxed(results.timetable("t"), publish)
    record = add(timetable)
    publish.fails = True
    with pytest.raises(BrokerUnreachable):
        timetable.change([ticked(record)])
    publish.fails = False

    found = the(timetable)
    timetable.change([Change(name="a", seen=found.revision, state=b"paused", due=None)])

    assert take_ids(broker, alive(broker, "n")) == ["tick"]
    assert the(timetable).state == b"paused"


def test_of_two_stores_the_broker_keeps_the_timetable_and_else_the_result_backend(
    broker: MemoryStore, results: MemoryStore
) -> None:
    both, one = Pair(broker, results), Pair(PlainBroker(broker), results)

    assert both.timetable("t") is broker.timetable("t")
    lent = one.timetable("t")
    assert isinstance(lent, Outboxed)
    lent.change([ticked(add(lent))])
    assert results.timetable("t").count() == 1
    assert take_ids(broker, Lessee("n", "c") if alive(broker, "n") else Lessee("", "")) == ["tick"]


def test_where_neither_keeps_one_a_file_does_and_without_a_file_beat_is_refused(
    broker: MemoryStore, runtime: VirtualRuntime, tmp_path: Path
) -> None:
    plain = PlainBroker(broker)

    kept = open_timetable(plain, "t", file=str(tmp_path / "runs"), runtime=runtime)
    again = open_timetable(plain, "t", file=str(tmp_path / "runs"), runtime=runtime)
    record = add(kept)

    assert again.change([ticked(record)]) == [True]
    assert kept.change([ticked(record)]) == [False]
    assert take_ids(broker, alive(broker, "n")) == ["tick"]
    with pytest.raises(ImproperlyConfigured, match="nothing would keep two beats from sending the same task"):
        open_timetable(plain, "t", file=str(tmp_path / "nowhere" / "runs"), runtime=runtime)
