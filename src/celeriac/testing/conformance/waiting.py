# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on waiting: fetch and doze in threads, woken by messages, dates and ``interrupt``.

No test sleeps and hopes: each wait is far longer than the test may take, so only a wake-up ends it in time.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, TypeVar

import pytest

from celeriac.abc import Fetched, Lessee, Store
from celeriac.core.errors import LeaseExpired
from celeriac.testing.conformance.subject import (
    GLANCE_S,
    HOUR_S,
    PATIENCE_S,
    Contract,
    Subject,
    alive,
    an_outgoing,
    back,
    dead,
    done,
    ended,
    id_of,
    nudge_until_ended,
    take_ids,
)

LONG_S = 50.0

T = TypeVar("T")


class Threads:
    """Calls that wait, each in a thread. Those that wait still when the block ends are interrupted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(8)
        self._futures: list[Future[Any]] = []

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        nudge_until_ended(self._store.interrupt, *self._futures)
        self._pool.shutdown()

    def fetch(self, lessee: Lessee, *queues: str, wait_s: float = LONG_S) -> Future[Fetched]:
        """Fetch one message of ``queues``, or of ``q``."""
        return self._start(lambda: self._store.fetch(queues or ("q",), lessee=lessee, limit=1, wait_s=wait_s))

    def doze(self) -> Future[None]:
        """Doze."""
        return self._start(lambda: self._store.doze(LONG_S))

    def _start(self, call: Callable[[], T]) -> Future[T]:
        future = self._pool.submit(call)
        self._futures.append(future)
        return future


def ids_of(future: Future[Fetched]) -> list[str]:
    """Wait for the end of a fetch; return the ids."""
    return [id_of(delivery) for delivery in future.result(timeout=PATIENCE_S).deliveries]


class Waiting(Contract):
    """A wait ends when there is something, when its time is over, or when somebody says so."""

    def test_a_fetch_that_finds_something_does_not_wait(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])

        with Threads(store) as threads:
            assert ids_of(threads.fetch(me)) == ["a"]

    def test_a_fetch_waits_for_its_time_and_no_longer(self, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            long, short = threads.fetch(me), threads.fetch(Lessee(me.node, "child-2"), wait_s=0.01)

            assert ids_of(short) == []
            assert not ended(long)

    def test_a_message_wakes_who_waits_for_it(self, subject: Subject, store: Store, me: Lessee) -> None:
        another = subject.another()

        with Threads(store) as threads:
            for number in range(20):
                waiting = threads.fetch(me, "r", "q")
                another.publish([an_outgoing(f"id-{number}")])

                assert ids_of(waiting) == [f"id-{number}"]

    def test_a_message_of_any_priority_wakes(self, subject: Subject, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            for priority in (9, 0):
                waiting = threads.fetch(me)
                subject.another().publish([an_outgoing(f"p{priority}", priority=priority)])

                assert ids_of(waiting) == [f"p{priority}"]

    def test_a_message_for_another_queue_wakes_nobody(self, subject: Subject, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            waiting = threads.fetch(me)

            subject.another().publish([an_outgoing("a", queue="r")])

            assert not ended(waiting)

    def test_of_several_who_wait_one_message_wakes_one(self, subject: Subject, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            waiting = [threads.fetch(Lessee(me.node, f"child-{number}")) for number in range(3)]

            subject.another().publish([an_outgoing("a")])
            first = wait(waiting, timeout=PATIENCE_S, return_when=FIRST_COMPLETED)
            again = wait(first.not_done, timeout=GLANCE_S)

        assert [ids_of(future) for future in first.done] == [["a"]]
        assert len(again.not_done) == 2
        assert [ids_of(future) for future in again.not_done] == [[], []]

    def test_a_batch_wakes_as_many_as_it_has_messages(self, subject: Subject, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            waiting = [threads.fetch(Lessee(me.node, f"child-{number}")) for number in range(3)]

            subject.another().publish([an_outgoing(id) for id in "abc"])

            assert sorted(id for future in waiting for id in ids_of(future)) == ["a", "b", "c"]

    def test_a_requeued_message_wakes(self, subject: Subject, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = store.fetch(["q"], lessee=other, limit=1, wait_s=0).deliveries

        with Threads(store) as threads:
            waiting = threads.fetch(me)
            subject.another().settle([back(delivery)], lessee=other)

            assert ids_of(waiting) == ["a"]

    def test_a_followup_wakes(self, subject: Subject, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing("a")])
        [delivery] = store.fetch(["q"], lessee=other, limit=1, wait_s=0).deliveries

        with Threads(store) as threads:
            waiting = threads.fetch(me)
            subject.another().settle([done(delivery, followups=(an_outgoing("next"),))], lessee=other)

            assert ids_of(waiting) == ["next"]

    def test_a_replayed_dead_letter_wakes(self, subject: Subject, store: Store, me: Lessee, other: Lessee) -> None:
        store.publish([an_outgoing("a")])
        store.settle([dead(*store.fetch(["q"], lessee=other, limit=1, wait_s=0).deliveries)], lessee=other)
        [record] = store.dead_letters()

        with Threads(store) as threads:
            waiting = threads.fetch(me)
            subject.another().replay([record.id])

            assert ids_of(waiting) == ["a"]

    def test_what_becomes_due_wakes(self, subject: Subject, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a", eta=subject.later(subject.lease_s))])

        with Threads(store) as threads:
            waiting = threads.fetch(me)
            subject.advance(subject.lease_s * 1.1)
            alive(subject.another(), "node-2")

            assert ids_of(waiting) == ["a"]

    def test_what_a_stranger_put_into_a_queue_wakes_with_the_next_keep(self, subject: Subject, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            waiting = threads.fetch(me)
            subject.inject("q", b"garbage")

            nudge_until_ended(lambda: alive(subject.another(), "node-2"), waiting)

            assert len(waiting.result().deliveries) == 1

    def test_interrupt_ends_every_wait(self, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            waiting = [threads.fetch(Lessee(me.node, f"child-{number}")) for number in range(3)]
            dozing = threads.doze()

            nudge_until_ended(store.interrupt, *waiting, dozing)

            assert [ids_of(future) for future in waiting] == [[], [], []]

    def test_an_interrupt_that_nobody_heard_ends_the_next_wait(self, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            store.interrupt()

            assert ids_of(threads.fetch(me)) == []
            assert not ended(threads.fetch(me))

    def test_an_interrupted_fetch_loses_nothing(self, store: Store, me: Lessee) -> None:
        with Threads(store) as threads:
            waiting = threads.fetch(me)
            nudge_until_ended(store.interrupt, waiting)
        store.publish([an_outgoing("a")])

        ids = take_ids(store, me) or take_ids(store, me)

        assert ids == ["a"]

    def test_a_doze_ends_with_its_time(self, store: Store) -> None:
        store.doze(0.01)

        with Threads(store) as threads:
            assert not ended(threads.doze())

    def test_a_doze_ends_when_something_is_due_before_all_others(self, subject: Subject, store: Store) -> None:
        far = HOUR_S

        def publish_what_is_due_earlier() -> None:
            nonlocal far
            far *= 0.9
            subject.another().publish([an_outgoing("a", eta=subject.later(far))])

        with Threads(store) as threads:
            nudge_until_ended(publish_what_is_due_earlier, threads.doze())

    def test_a_node_without_a_lease_is_told_so_instead_of_waiting(self, store: Store) -> None:
        with Threads(store) as threads:
            waiting = threads.fetch(Lessee("stranger", "child-1"))

            with pytest.raises(LeaseExpired):
                waiting.result(timeout=PATIENCE_S)
