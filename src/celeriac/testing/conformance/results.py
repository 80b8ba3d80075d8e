# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on results: what is stored, for how long, and who is told."""

from __future__ import annotations

from queue import SimpleQueue

import pytest

from celeriac.abc import Lessee, Store
from celeriac.core.settlement import StoredResult
from celeriac.testing.conformance.subject import (
    PATIENCE_S,
    Contract,
    Subject,
    a_result,
    an_outgoing,
    done,
    take,
)


class Ear:
    """Somebody who watches."""

    def __init__(self) -> None:
        self._heard: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def notify(self, id: str, body: bytes) -> None:
        """Hear of a state."""
        self._heard.put((id, body))

    def hear_until(self, id: str) -> dict[str, bytes]:
        """Listen until a state of ``id`` is announced; return the last that was heard of each id."""
        heard = {}
        while id not in heard:
            told, body = self._heard.get(timeout=PATIENCE_S)
            heard[told] = body
        return heard


class Results(Contract):
    """A state is stored under its id, read by anybody, and told to those who watch."""

    def test_what_is_stored_can_be_loaded(self, store: Store) -> None:
        a, b = a_result("a"), a_result("b", state="FAILURE", value=2)

        store.store_results([a, b])

        assert list(store.load(["b", "unknown", "a", "b"])) == [b.body, None, a.body, b.body]

    def test_a_later_state_takes_the_place_of_an_earlier_one(self, store: Store) -> None:
        store.store_results([a_result("a", state="STARTED"), a_result("a", state="FAILURE")])
        success = a_result("a")

        store.store_results([success])

        assert list(store.load(["a"])) == [success.body]

    def test_success_stays(self, store: Store) -> None:
        success = a_result("a")
        store.store_results([success])

        store.store_results([a_result("a", state="FAILURE"), a_result("a", state="STARTED"), a_result("a", value=2)])

        assert list(store.load(["a"])) == [success.body]

    @pytest.mark.parametrize("final", ["FAILURE", "REVOKED"])
    @pytest.mark.parametrize("late", ["STARTED", "RETRY", "RECEIVED", "PROGRESS", "A STATE OF ONE'S OWN"])
    def test_an_end_stays_when_a_late_voice_says_that_the_task_is_on_its_way(self, store: Store, final: str, late: str) -> None:
        end = a_result("a", state=final)
        store.store_results([end])

        store.store_results([a_result("a", state=late), a_result("b", state=late)])

        assert list(store.load(["a"])) == [end.body]
        assert None not in store.load(["b"])

    def test_an_end_that_was_settled_stays_when_a_late_voice_speaks(self, store: Store, me: Lessee) -> None:
        failure = a_result("a", state="FAILURE")
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)
        store.settle([done(delivery, result=failure)], lessee=me)

        store.store_results([a_result("a", state="STARTED")])

        assert list(store.load(["a"])) == [failure.body]

    @pytest.mark.parametrize("spaced", [True, False], ids=["spaced", "dense"])
    def test_an_end_stays_however_its_json_is_spaced(self, store: Store, spaced: bool) -> None:
        failure = a_result("a", state="FAILURE")
        body = failure.body if spaced else failure.body.replace(b": ", b":").replace(b", ", b",")
        store.store_results([StoredResult("a", "FAILURE", body)])

        store.store_results([a_result("a", state="STARTED")])

        assert list(store.load(["a"])) == [body]

    def test_one_end_may_follow_another_until_there_is_a_success(self, store: Store) -> None:
        ends = [a_result("a", state=state) for state in ("REVOKED", "FAILURE", "SUCCESS")]

        loaded: list[bytes | None] = []
        for end in ends:
            store.store_results([end])
            loaded += store.load(["a"])

        assert loaded == [end.body for end in ends]

    def test_what_is_held_back_is_not_announced(self, store: Store) -> None:
        ear = Ear()
        failure = a_result("a", state="FAILURE")
        store.store_results([failure])
        store.watch(["a", "fence"], ear.notify)

        store.store_results([a_result("a", state="STARTED"), a_result("fence")])

        # A driver may tell of what was stored before; not of what was never stored.
        assert ear.hear_until("fence").get("a", failure.body) == failure.body

    def test_what_was_forgotten_is_gone_and_may_be_stored_anew(self, store: Store) -> None:
        store.store_results([a_result("a"), a_result("b")])

        store.forget(["a", "unknown"])
        forgotten = list(store.load(["a"]))
        store.store_results([a_result("a", state="STARTED")])

        assert forgotten == [None]
        assert None not in store.load(["a", "b"])

    def test_a_result_expires_after_its_time(self, subject: Subject, store: Store) -> None:
        store.store_results([a_result("short", ttl_s=subject.lease_s), a_result("long"), a_result("endless", ttl_s=None)])

        subject.advance(subject.lease_s * 1.1)

        short, long, endless = store.load(["short", "long", "endless"])
        assert short is None
        assert None not in (long, endless)

    def test_an_expired_success_may_be_replaced(self, subject: Subject, store: Store) -> None:
        store.store_results([a_result("a", ttl_s=subject.lease_s)])
        subject.advance(subject.lease_s * 1.1)
        failure = a_result("a", state="FAILURE")

        store.store_results([failure])

        assert list(store.load(["a"])) == [failure.body]

    def test_a_later_state_lives_by_its_own_time(self, subject: Subject, store: Store) -> None:
        store.store_results([a_result("a", state="STARTED", ttl_s=subject.lease_s)])
        success = a_result("a")

        store.store_results([success])
        subject.advance(subject.lease_s * 1.1)

        assert list(store.load(["a"])) == [success.body]

    def test_a_watcher_is_told_of_each_state(self, subject: Subject, store: Store) -> None:
        ear = Ear()
        started, success = a_result("a", state="STARTED"), a_result("a")
        store.watch(["a", "b"], ear.notify)

        subject.another().store_results([started])
        first = ear.hear_until("a")
        subject.another().store_results([success, a_result("b")])
        then = ear.hear_until("b")

        assert first == {"a": started.body}
        assert then["a"] == success.body

    def test_a_watcher_is_told_of_what_is_settled(self, subject: Subject, store: Store, me: Lessee) -> None:
        ear = Ear()
        result = a_result("a")
        store.watch(["a"], ear.notify)
        store.publish([an_outgoing("a")])
        [delivery] = take(store, me)

        subject.another().settle([done(delivery, result=result)], lessee=me)

        assert ear.hear_until("a") == {"a": result.body}

    def test_what_nobody_watches_is_told_to_nobody(self, store: Store) -> None:
        ear = Ear()
        store.watch(["a", "fence"], ear.notify)
        store.unwatch(["a", "unknown"])

        store.store_results([a_result("a"), a_result("b"), a_result("fence")])

        assert set(ear.hear_until("fence")) == {"fence"}

    def test_several_watch_different_ids(self, store: Store) -> None:
        left, right = Ear(), Ear()
        store.watch(["a"], left.notify)
        store.watch(["b"], right.notify)

        store.store_results([a_result("a"), a_result("b")])

        assert set(left.hear_until("a")) == {"a"}
        assert set(right.hear_until("b")) == {"b"}

    def test_watching_goes_on_beside_thousands_of_ids(self, store: Store) -> None:
        ear = Ear()
        ids = [f"id-{number}" for number in range(2000)]
        store.watch(ids, ear.notify)

        store.store_results([a_result(id) for id in ids])

        assert set(ear.hear_until(ids[-1])) == set(ids)
        store.unwatch(ids)

    def test_load_after_watch_misses_nothing(self, subject: Subject, store: Store) -> None:
        # Whether what was stored before is announced too is the driver's choice: one that subscribes late has to.
        ear = Ear()
        store.store_results([a_result("early")])

        store.watch(["early", "late"], ear.notify)
        early, late = store.load(["early", "late"])
        subject.another().store_results([a_result("late")])

        assert early is not None
        assert late is None
        assert "late" in ear.hear_until("late")
